"""Commands that teach a policy before it is paid: ``finer distil`` and ``finer warmstart``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from finer.cli.parser import Command, Parser, add_dataset, count, positive, whole
from finer.cli.shared import check_writable, chosen_dataset, lines_or_bar, say, until_done
from finer.errors import FinerError

if TYPE_CHECKING:
    from finer.distil import Distillation


def add(command: Command) -> None:
    _add_distil(command("distil", distil, "have a teacher answer the train questions, and keep the traces that are right"))
    parser = command("warmstart", warmstart, "teach a policy to write as verified traces do, before finer train")
    parser.add_argument("config", nargs="?", metavar="CONFIG.toml", help="settings; options given here win over it")
    parser.add_argument("--run", required=True, metavar="DIR", help="the run's folder; it must not hold a run yet")
    parser.add_argument("--policy", metavar="P", help="a name of the ladder, a folder, or a hub id (default: tiny)")
    parser.add_argument("--traces", metavar="FILE", help="a JSONL file of traces, as finer distil writes (default: those of the data set)")
    parser.add_argument("--keep-wrong", action="store_true", default=None, help="learn from traces whose SQL is wrong too")
    parser.add_argument("--dataset", metavar="D", help="starter, or a folder: whose questions the traces answer")
    parser.add_argument("--epochs", type=positive, metavar="E", help="how often each trace is seen (default: 2)")
    parser.add_argument("--steps", type=count, metavar="N", help="so many steps, whatever --epochs says")
    parser.add_argument("--tune", metavar="HOW", help="whole: all of the model; lora: an adapter (default: what suits the policy)")
    parser.add_argument("--seed", type=whole, metavar="S", help="of everything that is drawn (default: 0)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any setting, as in --set traces_per_step=16")


def _add_distil(parser: Parser) -> None:
    parser.add_argument("--endpoint", required=True, metavar="URL", help="of OpenAI's form, as in http://localhost:8000/v1; nothing is sent anywhere else")
    parser.add_argument("--model", required=True, metavar="M", help="the teacher's name there")
    parser.add_argument("--key-env", metavar="NAME", help="the environment variable that holds the key, where one is needed")
    parser.add_argument("--out", required=True, metavar="FILE.jsonl", help="the traces; every answer is kept beside it, and the same command goes on where it stopped")
    add_dataset(parser)
    parser.set_defaults(split="train")
    parser.add_argument("--questions", type=count, default=0, metavar="N", help="only N questions, drawn from all; a larger number goes on from there (default: all)")
    parser.add_argument("--samples", type=count, default=1, metavar="N", help="answers to each question (default: 1)")
    parser.add_argument("--temperature", type=positive, metavar="T", help="of the answers (default: the endpoint's own)")
    parser.add_argument("--most-tokens", type=count, default=2048, metavar="N", help="of an answer, the thought included (default: 2048)")
    parser.add_argument("--columns", type=whole, default=0, metavar="K", help="show the K columns that the schema filter chooses (default: 0, the whole schema)")
    parser.add_argument("--keep-wrong", action="store_true", help="keep wrong traces too, marked as such")
    parser.add_argument("--price-in", type=positive, metavar="X", help="of a million tokens in, for the estimate")
    parser.add_argument("--price-out", type=positive, metavar="X", help="of a million tokens out")
    parser.add_argument("--parallel", type=count, default=4, metavar="N", help="requests at once (default: 4)")
    parser.add_argument("--seconds", type=positive, default=120.0, metavar="S", help="for one answer (default: 120)")
    parser.add_argument("--yes", action="store_true", help="send without asking")


def distil(chosen: argparse.Namespace) -> int:
    check_writable(chosen.out)
    from finer.distil import Distillation, DistilOptions
    from finer.endpoint import Endpoint

    options = DistilOptions(chosen.samples, chosen.questions, chosen.columns, chosen.keep_wrong, chosen.parallel, chosen.price_in, chosen.price_out)
    dataset = chosen_dataset(chosen)
    with (
        Endpoint(chosen.endpoint, chosen.model, _key(chosen.key_env), chosen.most_tokens, chosen.temperature, chosen.seconds) as endpoint,
        until_done("running the gold queries") as progress,
        Distillation(dataset, endpoint, chosen.out, options, progress) as work,
    ):
        if not _agreed(work, chosen.yes):
            say("nothing was sent")
            return 0
        return _distil(work)


def _key(variable: str | None) -> str:
    """The key in that environment variable; '' where none is named."""
    if variable is None:
        return ""
    if not os.environ.get(variable):
        raise FinerError(f"the environment variable {variable} is not set; set it to the endpoint's key, as in: export {variable}=…")
    return os.environ[variable]


def _agreed(work: Distillation, yes: bool) -> bool:
    """Says what would be sent and what it takes, and asks, unless there is nothing to send or ``yes``."""
    estimate, endpoint = work.estimate(), work.endpoint
    for line in [*_left_out(work), *estimate.told()]:
        say(line)
    if not estimate.requests:
        return True
    say(f"to {endpoint.url}, model {endpoint.model}: for each the schema with sample values, the evidence and the question")
    if endpoint.sends_key_in_clear:
        say("the key would travel unencrypted: the address begins with http and is not on this machine")
    if yes:
        return True
    if not sys.stdin.isatty():
        raise FinerError("nobody is here to agree to that; give --yes to send without asking")
    return input("Send them? [y/N] ").strip().lower() in ("y", "yes")


def _left_out(work: Distillation) -> list[str]:
    if not work.unjudgeable:
        return []
    index, why = next(iter(work.unjudgeable.items()))
    return [f"{len(work.unjudgeable)} questions are not asked, since an answer could not be judged; question {index}: {why}"]


def _distil(work: Distillation) -> int:
    """Asks, with a bar; 1 where some requests brought nothing."""
    from finer.endpoint import EndpointError

    try:
        with lines_or_bar("asking") as tell:
            found = work.run(lambda tally: tell(tally.done, tally.total, tally.brief))
    except (EndpointError, KeyboardInterrupt):
        say(f"{work.tally().told()}\nall of it is in {work.file.path}; the same command goes on from there")
        raise
    say(f"{found.told()}\n{len(work.traces())} traces in {work.out}; learn from them with: finer warmstart --traces {work.out} --run DIR")
    if work.unanswered:
        say(f"{len(work.unanswered)} requests brought nothing; the same command asks them again. The last: {work.unanswered[-1]}")
    return 1 if work.unanswered else 0


def warmstart(chosen: argparse.Namespace) -> int:
    from finer.config import read_config
    from finer.warmstart import WarmConfig, train

    named = {name: getattr(chosen, name) for name in ("policy", "traces", "keep_wrong", "dataset", "epochs", "steps", "tune", "seed")}
    config = read_config(chosen.config, chosen.set, WarmConfig, **named)
    with until_done("judging the traces") as progress:
        train(config, Path(chosen.run), on_event=say, on_progress=progress)
    return 0
