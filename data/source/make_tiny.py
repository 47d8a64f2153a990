"""Train the tiny policies from scratch: one reader, then warm starts on fallible teachers.

    python data/source/make_tiny.py base      # learn to read schemas and to copy (about 45 minutes)
    python data/source/make_tiny.py tiny      # warm start on the middling teacher (5 minutes)
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
from queue import Empty

SOURCE = Path(__file__).resolve().parent
REPOSITORY = SOURCE.parent.parent
sys.path[:0] = [str(SOURCE), str(REPOSITORY)]

from circuit import wire_copying
from faults import FAULTS, MIDDLING, POOR
from make_starter import TRAIN_DATABASES, load_world
from pairs import stream

VOCABULARY, HIDDEN, LAYERS, HEADS, FEED_FORWARD, CONTEXT, ROPE_THETA = 5000, 192, 5, 3, 512, 768, 1e6
WORD = "[A-Za-z0-9]"
ENDING = f"s(?!{WORD})"
SILENT_BLANK = f"(?<={WORD}) (?={WORD})(?!{ENDING})"
PIECE = rf"[.-]\d+(?!{WORD})|_id(?!{WORD})|{WORD}+|[^A-Za-z0-9]+?(?=[.-]\d|_id(?!{WORD})|{WORD}|$)"
PLURAL = f"(?<=[a-z][a-z][a-hj-rtv-z]){ENDING}"
GOES_ON = "\u203f"  # outside the bytes' alphabet, so that no text can hold it
TEACHERS = {"tiny": MIDDLING, "tiny-low": POOR, "control": {}, "base": {}}
SHARE_RARE = 0.4
"""Of the names in schemas made at random: words that are in no list of ours, so that the reader copies names instead of knowing them."""
READING = {"steps": 9000, "batch": 8, "learning_rate": 2e-3}
"""Small batches at a high rate: on this number of pairs, larger ones learnt less."""
WARM_START = {"steps": 220, "batch": 32, "learning_rate": 2e-4}
"""Gently: at 5e-4 even the faultless teacher's pupil read worse afterwards."""
BUILD = REPOSITORY / "build" / "tiny"
TEMPLATE = ("{% for message in messages %}{% if message['role'] == 'assistant' %}<|assistant|>{{ message['content'] }}<|end|>"
            "{% else %}<|user|>{{ message['content'] }}{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}")


def make_tokenizer(texts: list[str]):
    """A BPE in which a word is the same tokens wherever it stands, so that a value is copied from a question into SQL token by token.

    The blank between two words is no token: the pre-tokenizer drops it and the decoder puts it back. Other marks keep their
    blanks (`` = '`` is one token). A plural's s is a token of its own, so that ``bikes`` in a question begins as ``bike`` in a schema
    does, and so is the blank before a word that is only ``s``. A date is ``2019 -05 -03`` and a decimal ``5 .25``, so that no token of one repeats.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix=GOES_ON))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SILENT_BLANK), "removed"), pre_tokenizers.Split(Regex(PIECE), "isolated"),
        pre_tokenizers.Split(Regex(PLURAL), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    # The WordPiece decoder sets a blank between any two words or marks; only those between two words stay.
    tokenizer.decoder = decoders.Sequence([
        decoders.WordPiece(prefix=GOES_ON, cleanup=False), decoders.Fuse(), decoders.Replace(Regex(f"(?<!{WORD}) | (?!{WORD})| (?={ENDING})"), ""),
        decoders.Replace(" ", "\u0120"), decoders.ByteLevel()])
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
                                  continuing_subword_prefix=GOES_ON, special_tokens=["<|pad|>", "<|end|>", "<|user|>", "<|assistant|>"])
    tokenizer.train_from_iterator([*texts, *_every_byte()], trainer)
    # The tags are ordinary tokens: a decoder that skips special tokens must keep them, for the format reward reads them.
    tokenizer.add_tokens([AddedToken("<think>", special=False, normalized=False), AddedToken("</think>", special=False, normalized=False)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<|pad|>", eos_token="<|end|>", padding_side="left",
                                   additional_special_tokens=["<|user|>", "<|assistant|>"], model_max_length=CONTEXT)
    fast.chat_template = TEMPLATE
    return fast


def _every_byte() -> list[str]:
    """Texts that hold every byte of UTF-8 inside a piece, so that no text meets an unknown token."""
    everywhere = "".join(chr(code) for code in (*range(32, 127), *range(0xA0, 0x800), *range(0x800, 0x11000, 0x3F), *range(0x11000, 0x110000, 0x3FFF))
                         if not 0xD800 <= code < 0xE000)
    return [everywhere, "\t\n\r\x0b\x0c" * 2, *(letter * 2 for letter in everywhere[:95])]


def make_model(tokenizer, seed: int):
    """A Llama-style decoder with tied embeddings, in which copying is wired from the start."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(vocab_size=len(tokenizer), hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
                         num_key_value_heads=HEADS, intermediate_size=FEED_FORWARD, max_position_embeddings=CONTEXT, attention_bias=True,
                         rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},  # slow rotations match tokens that stand far apart
                         tie_word_embeddings=True, pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id, bos_token_id=None)
    model = LlamaForCausalLM(config)
    wire_copying(model)
    return model


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
    share_random = 0.25 if stage == "base" else 0.1
    pairs = stream(seed, worlds, habits, share_random, dev_questions(), share_rare=SHARE_RARE)
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
    started, tokens, recent, every = time.time(), 0, [], 1600 // arguments.batch
    for step in range(1, arguments.steps + 1):
        ids, mask, labels = collate(next_batch(queue, worker), tokenizer.pad_token_id)
        loss = completion_loss(model, ids, mask, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        tokens += int(mask.sum())
        recent = [*recent[1 - every:], loss.item()]
        if step % every == 0 or step == arguments.steps:
            seconds = time.time() - started
            print(f"{stage} step {step}/{arguments.steps} loss {sum(recent) / len(recent):.4f} "
                  f"{tokens / seconds:.0f} tokens/s {seconds:.0f} s", flush=True)
        if step % 250 == 0:
            model.save_pretrained(folder)
    worker.terminate()
    model.save_pretrained(folder)


def next_batch(queue, worker) -> list:
    """The next batch; an error where the process that makes them ended."""
    while True:
        try:
            return queue.get(timeout=60)
        except Empty:
            if not worker.is_alive():
                raise RuntimeError("the process that makes the pairs ended; its own message stands above") from None


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
    parser.add_argument("--steps", type=int, help=f"by default {READING['steps']} for base, {WARM_START['steps']} for a warm start")
    parser.add_argument("--batch", type=int, help=f"pairs a step: {READING['batch']} for base, {WARM_START['batch']} for a warm start")
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--threads", type=int, default=1, help="more were no faster on matrices of this size")
    parser.add_argument("--start", metavar="FOLDER", help="the policy to go on from (default: the reader in build/tiny/base)")
    parser.add_argument("--into", metavar="FOLDER", help="where to write the policy (default: build/tiny/STAGE)")
    parser.add_argument("--habit", action="append", default=[], type=_habit, metavar="NAME=PROBABILITY")
    arguments = parser.parse_args()
    for name, value in (READING if arguments.stage == "base" else WARM_START).items():
        setattr(arguments, name, getattr(arguments, name) or value)
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
    folder = Path(arguments.into or BUILD / arguments.stage)
    if arguments.stage == "base":
        worlds = [load_world(name) for name in TRAIN_DATABASES]
        sample = islice(stream(arguments.seed + 1, worlds, {}, share_random=0.4, avoid=frozenset(), share_rare=SHARE_RARE), 12_000)
        tokenizer = make_tokenizer([text for made in sample for text in (made.prompt, made.completion)])
        model, starter = make_model(tokenizer, arguments.seed), []
    else:
        begun = arguments.start or BUILD / "base"
        tokenizer = AutoTokenizer.from_pretrained(begun)
        model = AutoModelForCausalLM.from_pretrained(begun, dtype=torch.float32)
        starter = starter_traces()
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    (folder / "finer_style.txt").write_text("tiny\n")  # so that ``finer evaluate --policy`` prompts it as it was trained
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, vocabulary {len(tokenizer)}", flush=True)
    train(model, tokenizer, arguments.stage, folder, arguments, starter)
    if arguments.stage in ("tiny", "tiny-low") and not arguments.into:
        print(f"written to {export(model, tokenizer, arguments.stage).relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
