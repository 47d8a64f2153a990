"""Commands about answers: ``finer evaluate``, ``finer compare``, ``finer vote`` and ``finer score``."""

from __future__ import annotations

import argparse
import json
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finer.cli.parser import FORMS, Command, Parser, add_dataset, add_policy, add_rule, count
from finer.cli.shared import (
    bar,
    check_recipe,
    check_writable,
    chosen_dataset,
    chosen_policy,
    print_rate,
    progress,
    replaced,
    write_json,
)
from finer.errors import FinerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from finer.datasets import Dataset
    from finer.judge import Judge
    from finer.metrics import Rule
    from finer.predictions import Pair
    from finer.shown import Shown


def add(command: Command) -> None:
    _add_evaluate(command("evaluate", evaluate, "how many questions a policy, or a file of predictions, gets right"))
    parser = command("compare", compare, "which questions a second file of predictions gains and loses against a first")
    parser.add_argument("first", metavar="A", help="a file of predictions: " + FORMS)
    parser.add_argument("second", metavar="B", help="another one over the same questions")
    add_dataset(parser)
    add_rule(parser)
    parser.add_argument("--json", metavar="FILE", help="also write every question gained and lost as JSON")
    parser = command("vote", vote, "what several answers a question give: pass@n, and every way of voting")
    add_dataset(parser)
    add_policy(parser, "lines that repeat an index are its samples, the first being the greedy answer: " + FORMS)
    parser.add_argument("--samples", type=count, default=8, metavar="N", help="samples of a policy a question (default: 8)")
    parser.add_argument("--method", action="append", default=[], metavar="M", help="greedy, first, majority, vav-published, vav, pass@N (default: all)")
    add_rule(parser)
    parser.add_argument("--json", metavar="FILE", help="also write every candidate, vote and outcome as JSON")
    parser = command("score", score, "what a recipe pays each prediction of a file, part by part")
    add_dataset(parser)
    parser.add_argument("--predictions", required=True, metavar="FILE", help=FORMS)
    parser.add_argument("--recipe", default="finer", metavar="R", help="what is paid: a recipe, or FILE.py:NAME (default: finer)")
    parser.add_argument("--references", metavar="FILE", help="further right references of the atomic part, which `finer enrich` found")
    parser.add_argument("--json", metavar="FILE", help="write a JSON line a prediction there, instead of to the screen")


def _add_evaluate(parser: Parser) -> None:
    add_dataset(parser)
    add_policy(parser, FORMS)
    parser.add_argument("--samples", type=count, metavar="N", help="also sample N answers a question: pass@n and voting")
    add_rule(parser, several=True)
    parser.add_argument("--skip-empty", action="store_true", help="leave out questions whose gold gives no row")
    parser.add_argument("--witnesses", metavar="DIR", help="take what `finer witness` found there as further instances")
    parser.add_argument("--alternatives", metavar="FILE", help="also judge with the references of this file, which `finer accept` writes")
    parser.add_argument("--json", metavar="FILE", help="also write the figures and each question's outcome as JSON")


def evaluate(chosen: argparse.Namespace) -> int:
    metrics = _metrics(chosen)
    check_writable(chosen.json)
    dataset = _with_witnesses(chosen, chosen_dataset(chosen))
    from finer.suspects import read_alternatives

    accepted = read_alternatives(chosen.alternatives, dataset) if chosen.alternatives else None
    pairs, samples = _answered(chosen, dataset)
    results = []
    for metric in metrics:
        with _judge(chosen, metric, dataset) as judge:
            results.append(_evaluation(chosen, pairs, dataset, judge, accepted))
            if samples and _votes(judge.rule):
                results[-1]["samples"] = _voted(samples, dataset, judge, chosen)
            if metric == metrics[0]:
                doubts = _doubts(pairs, samples, dataset, judge)
        results[-1]["suspects"] = doubts
    write_json(chosen.json, results[0] if len(results) == 1 else results)
    _print_evaluations(results, doubts)
    return 0


def _with_witnesses(chosen: argparse.Namespace, dataset: Dataset) -> Dataset:
    if not chosen.witnesses:
        return dataset
    from finer.witness import with_witnesses

    return with_witnesses(dataset, chosen.witnesses)


def _evaluation(
    chosen: argparse.Namespace, pairs: list[Pair], dataset: Dataset, judge: Judge, accepted: list[dict[str, Any]] | None
) -> dict[str, Any]:
    from finer.evaluate import judge_predictions, with_alternatives, with_columns

    with bar("judging") as move:
        found = judge_predictions(pairs, dataset, judge=judge, count_empty=not chosen.skip_empty, on_progress=move)
    found["options"] |= _stated(chosen, judge.rule.name)
    if chosen.policy:
        found = with_columns(found, _shown(chosen, dataset))
    if accepted is not None:
        found["with_alternatives"] = with_alternatives(found, pairs, dataset, accepted, judge)
    return found


def _stated(chosen: argparse.Namespace, metric: str) -> dict[str, Any]:
    """The options of the command itself, to be kept with its figures."""
    named = {name: getattr(chosen, name) for name in ("split", "predictions", "policy", "adapter", "samples", "witnesses", "alternatives")}
    named["temperature"] = chosen.temperature if chosen.samples else None
    return {**_switches(chosen, metric), **{name: value for name, value in named.items() if value is not None}}


def _answered(chosen: argparse.Namespace, dataset: Dataset) -> tuple[list[Pair], list[Any]]:
    """The answers to be judged, and the samples beside them, where some were asked for."""
    from finer.predictions import Prediction, read_predictions

    if chosen.predictions:
        if chosen.samples or chosen.adapter or chosen.columns or chosen.oracle:
            raise FinerError("--samples, --adapter, --columns and --oracle go with --policy; `finer vote --predictions FILE` reads a file of several answers a question")
        return read_predictions(chosen.predictions, dataset), []
    if chosen.samples is None:
        from finer.evaluate import answers

        policy = chosen_policy(chosen)
        with bar("answering") as move:
            return answers(policy, dataset, on_progress=move, shown=_shown(chosen, dataset)), []
    samples = _sampled(chosen, dataset)
    return [(one.question, Prediction(one.question.index, one.greedy)) for one in samples], samples


def _shown(chosen: argparse.Namespace, dataset: Dataset) -> Shown:
    """Which columns the prompts show; FinerError where the options do not go together."""
    from finer.ladder import policy_spec
    from finer.shown import Shown

    note = "" if chosen.policy == "auto" else policy_spec(chosen.policy).note  # auto takes none of which anything must be said
    return Shown(dataset.databases, chosen.columns, chosen.oracle, note)


def _sampled(chosen: argparse.Namespace, dataset: Dataset) -> list[Any]:
    from finer.sampling import sample

    policy = chosen_policy(chosen)
    with bar("sampling") as move:
        return sample(policy, dataset, chosen.samples, temperature=chosen.temperature, on_progress=move, shown=_shown(chosen, dataset))


def _voted(samples: list[Any], dataset: Dataset, judge: Judge, chosen: argparse.Namespace) -> dict[str, Any]:
    from finer.sampling import checked_methods, summary
    from finer.sampling import count as execute

    methods = checked_methods(getattr(chosen, "method", []), min(len(one.candidates) for one in samples))
    with bar("voting") as move:
        counted = execute(samples, dataset, judge, move)
    if chosen.predictions:
        return summary(counted, methods, judge.rule.name, {"temperature": chosen.temperature})
    shown = _shown(chosen, dataset)
    return summary(counted, methods, shown.figure(judge.rule.name), {"temperature": chosen.temperature, "columns": shown.label})


def _doubts(pairs: list[Pair], samples: list[Any], dataset: Dataset, judge: Judge) -> list[dict[str, Any]]:
    from finer.predictions import Prediction
    from finer.suspects import find_suspects

    sampled = [(one.question, Prediction(one.question.index, sql)) for one in samples for sql in one.candidates]
    with bar("looking at the golds") as move:
        found = find_suspects(dataset, judge, sampled, {question.index for question, _ in pairs}, move)
    return [one.as_json() for one in found]


def _print_evaluations(results: list[dict[str, Any]], doubts: list[dict[str, Any]]) -> None:
    from finer.cli import tables

    for found in results:
        print("\n".join(tables.evaluation(found)))
        if "samples" in found:
            from finer.sampling import vote_table

            print("\n" + "\n".join(vote_table(found["samples"])))
        print()
    print("\n".join(tables.suspects(doubts)))
    for found in results:
        print_rate(f"{found['metric']}: judged", len(found["per_question"]), found["seconds"])


def compare(chosen: argparse.Namespace) -> int:
    for file in (chosen.first, chosen.second):
        if Path(file).is_dir():
            raise FinerError(f"{file} is a folder; compare takes two files of predictions. Write a run's with: finer evaluate --policy {file}/policy --json FILE")
    rule_of(chosen, chosen.metric)
    check_writable(chosen.json)
    dataset = chosen_dataset(chosen)
    from finer.cli import tables
    from finer.predictions import read_predictions
    from finer.versus import compare_predictions

    first, second = (read_predictions(file, dataset) for file in (chosen.first, chosen.second))
    with _judge(chosen, chosen.metric, dataset) as judge, bar("judging") as move:
        found = compare_predictions(first, second, dataset, judge, on_progress=move)
    found["options"] |= _switches(chosen, chosen.metric)
    write_json(chosen.json, found)
    print("\n".join(tables.comparison(found, chosen.first, chosen.second)))
    return 0


def vote(chosen: argparse.Namespace) -> int:
    if chosen.predictions and (chosen.columns or chosen.oracle):
        raise FinerError("--columns and --oracle go with --policy: they say what its prompts show")
    rule_of(chosen, chosen.metric)
    check_writable(chosen.json)
    dataset = chosen_dataset(chosen)
    from finer.sampling import check_rule, read_samples, vote_table

    with _judge(chosen, chosen.metric, dataset) as judge:
        check_rule(judge)
        samples = read_samples(chosen.predictions, dataset) if chosen.predictions else _sampled(chosen, dataset)
        began = time.perf_counter()
        found = _voted(samples, dataset, judge, chosen)
    found["options"] |= _switches(chosen, chosen.metric)
    write_json(chosen.json, found)
    print("\n".join(vote_table(found)))
    print_rate("judged", sum(len(one.candidates) for one in samples), time.perf_counter() - began)
    return 0


def score(chosen: argparse.Namespace) -> int:
    check_recipe(chosen.recipe)
    check_writable(chosen.json)
    dataset = chosen_dataset(chosen)
    from finer.predictions import read_predictions, score_predictions
    from finer.rewards import Scorer

    if chosen.references:
        from finer.enrich import read_enriched, with_references

        dataset = with_references(dataset, read_enriched(chosen.references, dataset)[1])
    pairs = read_predictions(chosen.predictions, dataset)
    with Scorer(chosen.recipe, dataset) as scorer:
        began = time.perf_counter()
        lines = (json.dumps(row, ensure_ascii=False) for row in score_predictions(progress(pairs, "scoring"), scorer))
        if chosen.json:
            with replaced(Path(chosen.json)) as file:
                file.writelines(f"{line}\n" for line in lines)
        else:
            for line in lines:
                print(line)
    print_rate("scored", len(pairs), time.perf_counter() - began)
    return 0


# --- the rule ----------------------------------------------------------------------------------------------------------------


def _metrics(chosen: argparse.Namespace) -> list[str]:
    """The metrics asked for, each once; a name or a switch that is wrong is refused before anything is loaded."""
    metrics = list(dict.fromkeys(chosen.metric or ["strict"]))
    knowing = [metric for metric in metrics if metric.startswith("spider-")]
    rules = [rule_of(chosen, metric, always=not knowing) for metric in metrics]
    if getattr(chosen, "samples", None) and not any(map(_votes, rules)):
        raise FinerError(f"votes and pass@n need right or wrong, and {' and '.join(metrics)} grade. Add --metric strict, bird-ex or spider-ex, or leave --samples out.")
    return metrics


def _votes(chosen_rule: Rule) -> bool:
    """Does the rule say right or wrong, which votes and pass@n need?"""
    return chosen_rule.grade is None and chosen_rule.of_ratio is None


def rule_of(chosen: argparse.Namespace, metric: str, always: bool = True) -> Rule:
    """The rule that a command judges by. ``always``: the switches are given to any rule, and refused by those that lack them."""
    from finer.metrics import rule

    return rule(metric, **({"keep_distinct": chosen.keep_distinct, "plug_value": chosen.plug_value} if always else _switches(chosen, metric)))


def _switches(chosen: argparse.Namespace, metric: str) -> dict[str, bool]:
    has_them = metric.startswith("spider-")
    return {"keep_distinct": has_them and chosen.keep_distinct, "plug_value": has_them and chosen.plug_value}


@contextmanager
def _judge(chosen: argparse.Namespace, metric: str, dataset: Dataset) -> Iterator[Judge]:
    """A judge by that rule, whose golds are kept in the user's cache."""
    from finer.golds import Golds, default_golds_path
    from finer.judge import Judge

    golds = Golds(default_golds_path())
    try:
        with Judge(dataset.databases, rule=rule_of(chosen, metric, always=False), golds=golds) as judge:
            yield judge
    finally:
        golds.close()
