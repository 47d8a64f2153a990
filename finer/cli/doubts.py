"""Commands about what a figure or a reward rests on: ``finer suspects``, ``accept``, ``witness`` and ``probe``."""

from __future__ import annotations

import argparse

from finer.cli.parser import FORMS, Command, add_dataset, add_rule, count, positive, whole
from finer.cli.shared import bar, check_recipe, check_writable, chosen_dataset, write_json


def add(command: Command) -> None:
    parser = command("suspects", suspects, "golds that fail, are empty, cut a tie, or stand against most answers")
    add_dataset(parser)
    parser.add_argument("--predictions", nargs="+", default=[], metavar="FILE", help="files of predictions, to find golds that most answers are against")
    add_rule(parser)
    parser.add_argument("--json", metavar="FILE", help="also write all of them as JSON")
    parser = command("accept", accept, "take a query as a further right answer, with the name of who says so and why")
    add_dataset(parser)
    parser.add_argument("--index", type=whole, required=True, metavar="I", help="the question's index in its dataset")
    parser.add_argument("--sql", required=True, metavar="SQL", help="the further reference")
    parser.add_argument("--who", required=True, metavar="NAME", help="who accepts it")
    parser.add_argument("--why", required=True, metavar="TEXT", help="why it is right")
    parser.add_argument("--into", required=True, metavar="FILE", help="the file of alternatives (JSON lines) to add it to")
    parser = command("witness", witness, "instances that tell right answers from those that are right by luck")
    add_dataset(parser)
    parser.add_argument("--predictions", required=True, metavar="FILE", help="the answers: " + FORMS)
    parser.add_argument("--out", required=True, metavar="DIR", help="where the instances found and witnesses.json go")
    parser.add_argument("--metric", default="strict", metavar="M", help="the rule that the answers are right by (default: strict)")
    parser.add_argument("--seconds", type=positive, default=2.0, metavar="S", help="for each different answer (default: 2)")
    parser.add_argument("--seed", type=whole, default=0, metavar="S", help="of what is drawn (default: 0)")
    parser = command("probe", probe, "put a reward to the test: rewrites that keep a query's meaning, edits that break it")
    add_dataset(parser)
    parser.add_argument("--recipe", action="append", metavar="R", help="a recipe to probe, or FILE.py:NAME (default: all)")
    parser.add_argument("--reward", metavar="FILE.py:NAME", help="your own reward function, with TRL's signature, beside them")
    parser.add_argument("--predictions", metavar="FILE", help="labelled answers (index, sql, and correct or execution a line), for the AUC")
    parser.add_argument("--limit", type=count, metavar="N", help="only that many golds")
    parser.add_argument("--seed", type=whole, default=0, metavar="S", help="of what is drawn (default: 0)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures as JSON")


def suspects(chosen: argparse.Namespace) -> int:
    from finer.metrics import rule

    chosen_rule = rule(chosen.metric, chosen.keep_distinct, chosen.plug_value)
    check_writable(chosen.json)
    dataset = chosen_dataset(chosen)
    from finer.cli import tables
    from finer.judge import Judge
    from finer.predictions import read_predictions
    from finer.suspects import find_suspects

    answers = [pair for file in chosen.predictions for pair in read_predictions(file, dataset)]
    with Judge(dataset.databases, rule=chosen_rule) as judge, bar("looking at the golds") as move:
        found = [one.as_json() for one in find_suspects(dataset, judge, answers, on_progress=move)]
    write_json(chosen.json, found)
    print("\n".join(tables.suspects(found)))
    return 0


def accept(chosen: argparse.Namespace) -> int:
    check_writable(chosen.into)
    dataset = chosen_dataset(chosen)
    from finer.sandbox import Sandbox
    from finer.suspects import accept as add_alternative

    with Sandbox() as sandbox:
        entry = add_alternative(dataset, chosen.index, chosen.sql, chosen.who, chosen.why, chosen.into, sandbox)
    print(f"Accepted for question {entry['index']} ({entry['question']}), into {chosen.into}. Judge with it: finer evaluate --alternatives {chosen.into}")
    return 0


def witness(chosen: argparse.Namespace) -> int:
    from finer.metrics import rule

    rule(chosen.metric)
    dataset = chosen_dataset(chosen)
    from finer.cli import tables
    from finer.predictions import read_predictions
    from finer.witness import run_witness

    answers = [(question, prediction.sql) for question, prediction in read_predictions(chosen.predictions, dataset)]
    with bar("searching") as move:
        found = run_witness(dataset, answers, chosen.out, chosen.metric, chosen.seconds, chosen.seed, move)
    print("\n".join(tables.witnesses(found, chosen.out)))
    return 0


def probe(chosen: argparse.Namespace) -> int:
    for name in chosen.recipe or ():
        check_recipe(name)
    check_writable(chosen.json)
    dataset = chosen_dataset(chosen)
    from finer.probe import run_probe

    run_probe(dataset, chosen.recipe, chosen.reward, chosen.predictions, chosen.limit, chosen.json, seed=chosen.seed)
    return 0
