"""Train the tiny policies from scratch: one reader, then warm starts on fallible teachers.

    python data/source/make_tiny.py base      # learn to read schemas (about 30 minutes on two quiet cores)
    python data/source/make_tiny.py more      # go on reading, at a high rate again (about 20 minutes)
    python data/source/make_tiny.py more --seed 12 --steps 650 --learning-rate 1.2e-3   # and once more (10 minutes)
    python data/source/make_tiny.py tiny      # warm start on the middling teacher (minutes)
    python data/source/make_tiny.py tiny-low  # ... on the poor teacher
    python data/source/make_tiny.py control   # ... on a faultless one: shows that the reader can read

``make tiny`` runs all of them. The reader is a Llama-style decoder with its own BPE; its warm starts are what GRPO begins from.
A teacher is a table of habits (``faults.py``); ``--habit NAME=PROBABILITY`` makes others.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import random
import sys
import time
from itertools import islice
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
REPOSITORY = SOURCE.parent.parent
sys.path[:0] = [str(SOURCE), str(REPOSITORY)]

from faults import FAULTS, MIDDLING, POOR
from make_starter import TRAIN_DATABASES, load_world
from pairs import stream

VOCABULARY, HIDDEN, LAYERS, HEADS, FEED_FORWARD, CONTEXT = 2000, 192, 5, 3, 512, 768
TEACHERS = {"tiny": MIDDLING, "tiny-low": POOR, "control": {}, "base": {}, "more": {}}
STEPS = {"base": 1800, "more": 1300}
RATES = {"base": 2e-3, "more": 1.5e-3}
BUILD = REPOSITORY / "build" / "tiny"
TEMPLATE = ("{% for message in messages %}{% if message['role'] == 'assistant' %}<|assistant|>{{ message['content'] }}<|end|>"
            "{% else %}<|user|>{{ message['content'] }}{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}")


def make_tokenizer(texts: list[str]):
    """A BPE over words that may start with a blank; digits stand alone, so that any number can be copied."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(r" ?[A-Za-z_]+|\d| ?[^\sA-Za-z_\d]+|\s"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  special_tokens=["<|pad|>", "<|end|>", "<|user|>", "<|assistant|>"], show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    # The tags are ordinary tokens: a decoder that skips special tokens must keep them, for the format reward reads them.
    tokenizer.add_tokens([AddedToken("<think>", special=False, normalized=False), AddedToken("</think>", special=False, normalized=False)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<|pad|>", eos_token="<|end|>", padding_side="left",
                                   additional_special_tokens=["<|user|>", "<|assistant|>"], model_max_length=CONTEXT)
    fast.chat_template = TEMPLATE
    return fast


def make_model(tokenizer, seed: int):
    """A Llama-style decoder with tied embeddings."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(vocab_size=len(tokenizer), hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
                         num_key_value_heads=HEADS, intermediate_size=FEED_FORWARD, max_position_embeddings=CONTEXT,
                         tie_word_embeddings=True, pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id, bos_token_id=None)
    return LlamaForCausalLM(config)


def produce(queue, stage: str, seed: int, habits: dict, batch_pairs: int, tokenizer_folder: str, starter: list) -> None:
    """In a process of its own: endless batches of token ids, sorted by length in windows so that little is padding."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    for window in windows(stage, seed, habits, starter, batch_pairs * 16):
        encoded = sorted((encode(tokenizer, prompt, completion) for prompt, completion in window), key=lambda item: len(item[0]))
        batches = [encoded[start:start + batch_pairs] for start in range(0, len(encoded), batch_pairs)]
        random.Random(seed).shuffle(batches)
        for batch in batches:
            queue.put(batch)


def windows(stage: str, seed: int, habits: dict, starter: list, size: int):
    """Lists of (prompt, completion); a warm start mixes the starter's own traces in."""
    from make_starter import dev_questions

    worlds = [load_world(name) for name in TRAIN_DATABASES]
    pairs = stream(seed, worlds, habits, share_random=0.3 if stage in STEPS else 0.15, avoid=dev_questions())
    rng = random.Random(seed)
    while True:
        window = [(made.prompt, made.completion) for made in islice(pairs, size)]
        if starter:
            window[:size // 8] = [starter_pair(rng.choice(starter), habits, rng) for _ in range(size // 8)]
        yield window


def starter_pair(item: dict, habits: dict, rng: random.Random) -> tuple[str, str]:
    """One trace of the starter's train split as this teacher would have written it."""
    from faults import teach
    from thoughts import thought

    from finer.prompt import completion_text

    written, made = teach(item["sql"], habits, rng) if habits else (item["sql"], ())
    return item["prompt"], completion_text(thought(written) if made else item["thought"], written)


def encode(tokenizer, prompt: str, completion: str) -> tuple[list[int], int]:
    """Token ids of a pair and where its completion starts."""
    head = tokenizer("<|user|>" + prompt + "<|assistant|>")["input_ids"]
    tail = tokenizer(completion + "<|end|>")["input_ids"]
    return (head + tail)[:CONTEXT], len(head)


def collate(batch, pad: int):
    """Padded ids, mask and labels; the loss is on the completion alone."""
    import torch

    width = max(len(ids) for ids, _ in batch)
    ids = torch.full((len(batch), width), pad)
    labels, mask = torch.full_like(ids, -100), torch.zeros_like(ids)
    for row, (tokens, start) in enumerate(batch):
        ids[row, :len(tokens)] = torch.tensor(tokens)
        labels[row, start:len(tokens)] = ids[row, start:len(tokens)]
        mask[row, :len(tokens)] = 1
    return ids, mask, labels


def train(model, tokenizer, stage: str, folder: Path, arguments, starter: list) -> None:
    """AdamW with warm-up and cosine decay over the given number of steps."""
    import torch

    context = multiprocessing.get_context("spawn")
    queue = context.Queue(maxsize=64)
    habits = dict(TEACHERS[stage], **dict(arguments.habit))
    worker = context.Process(target=produce, args=(queue, stage, arguments.seed, habits, arguments.batch, str(folder), starter), daemon=True)
    worker.start()
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, arguments.steps))
    model.train()
    started, tokens, recent = time.time(), 0, []
    for step in range(1, arguments.steps + 1):
        ids, mask, labels = collate(queue.get(), tokenizer.pad_token_id)
        loss = completion_loss(model, ids, mask, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        tokens += int(mask.sum())
        recent = [*recent[-49:], loss.item()]
        if step % 50 == 0 or step == arguments.steps:
            seconds = time.time() - started
            print(f"{stage} step {step}/{arguments.steps} loss {sum(recent) / len(recent):.4f} "
                  f"{tokens / seconds:.0f} tokens/s {seconds:.0f} s", flush=True)
        if step % 250 == 0:
            model.save_pretrained(folder)
    worker.terminate()
    model.save_pretrained(folder)


def completion_loss(model, ids, mask, labels):
    """Cross-entropy; the head is applied to the completion's positions only."""
    import torch

    hidden = model.model(input_ids=ids, attention_mask=mask).last_hidden_state[:, :-1]
    wanted = labels[:, 1:]
    keep = wanted != -100
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[keep]), wanted[keep])


def rate(step: int, steps: int) -> float:
    """Share of the learning rate at a step."""
    warm = min(100, steps // 10)
    if step < warm:
        return (step + 1) / warm
    return 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def starter_traces() -> list[dict]:
    """The starter's train split with its prompts, for the warm starts."""
    from pairs import prompt_of

    from finer.datasets import load_dataset

    train_split = load_dataset("starter", split="train")
    questions = {question.index: question for question in train_split.questions}
    lines = (REPOSITORY / "data" / "starter" / "traces.jsonl").read_text().splitlines()
    items = []
    for line in map(json.loads, lines):
        question = questions[line["index"]]
        prompt = prompt_of(question, train_split.databases[question.db_id].schema)
        items.append({"prompt": prompt, "thought": line["thought"], "sql": line["sql"]})
    return items


def export(model, tokenizer, name: str) -> Path:
    """The policy under data/, in half precision."""
    import torch

    folder = REPOSITORY / "data" / "policies" / name
    model.to(torch.float16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    model.to(torch.float32)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=list(TEACHERS))
    parser.add_argument("--steps", type=int, default=0, help="by default 1800 for base, 1300 for more, 220 for a warm start")
    parser.add_argument("--batch", type=int, default=32, help="pairs a step")
    parser.add_argument("--learning-rate", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--start", metavar="FOLDER", help="the policy to go on from (default: the reader in build/tiny/base)")
    parser.add_argument("--habit", action="append", default=[], type=_habit, metavar="NAME=PROBABILITY")
    arguments = parser.parse_args()
    arguments.steps = arguments.steps or STEPS.get(arguments.stage, 220)
    arguments.learning_rate = arguments.learning_rate or RATES.get(arguments.stage, 5e-4)
    arguments.seed += arguments.stage == "more"  # other questions than those of the first reading
    run(arguments)


def _habit(text: str) -> tuple[str, float]:
    name, _, probability = text.partition("=")
    if name not in FAULTS:
        raise argparse.ArgumentTypeError(f"unknown habit {name!r}; there are {', '.join(FAULTS)}")
    return name, float(probability)


def run(arguments) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(arguments.threads)
    folder = BUILD / ("base" if arguments.stage == "more" else arguments.stage)
    if arguments.stage == "base":
        worlds = [load_world(name) for name in TRAIN_DATABASES]
        sample = islice(stream(arguments.seed + 1, worlds, {}, 0.4, frozenset()), 12_000)
        tokenizer = make_tokenizer([text for made in sample for text in (made.prompt, made.completion)])
        model, starter = make_model(tokenizer, arguments.seed), []
    else:
        begun = arguments.start or BUILD / "base"
        tokenizer = AutoTokenizer.from_pretrained(begun)
        model = AutoModelForCausalLM.from_pretrained(begun, dtype=torch.float32)
        starter = [] if arguments.stage == "more" else starter_traces()
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    (folder / "finer_style.txt").write_text("tiny\n")  # so that ``finer evaluate --policy`` prompts it as it was trained
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, vocabulary {len(tokenizer)}", flush=True)
    train(model, tokenizer, arguments.stage, folder, arguments, starter)
    if arguments.stage in ("tiny", "tiny-low"):
        print(f"written to {export(model, tokenizer, arguments.stage).relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
