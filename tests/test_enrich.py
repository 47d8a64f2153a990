"""Sampled answers: which become further references, how often a question is answered right, a file that broke off. Run: pytest tests/test_enrich.py"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from shop import make_shop

from finer import cli
from finer import enrich as module
from finer.datasets import load_dataset
from finer.enrich import Enriched, EnrichError, enrich, read_enriched, summary, with_references
from finer.ladder import LADDER
from finer.policy import Answers
from finer.prompt import completion_text
from finer.records import Rollout
from finer.render import atom_ledger
from finer.rewards import Scorer

SAID = {
    0: ["SELECT count(*) FROM book", "SELECT SUM(1) FROM book", "SELECT SUM(1) FROM book", "SELECT COUNT(*) FROM book b"],
    1: ["SELECT title FROM book WHERE price > 8", "SELECT title FROM book WHERE price > 8", "SELECT title FROM book WHERE title IN ('Dune', 'Ulysses')", "no idea"],
    2: ["SELECT 1"] * 4,
    3: ["SELECT title FROM book WHERE price > 99"] * 4,
    4: ["SELECT 1"] * 4,
    5: ["SELECT DISTINCT author FROM book WHERE price > 8"] * 4,
}
"""What the policy of these tests answers, by question."""


@dataclass
class Scripted:
    """Answers from SAID; each call takes a completion further along, so that a repeated call would show."""

    spec = LADDER["tiny"]
    calls: list = None
    on_call: Callable[[], None] = lambda: None

    def messages(self, question, schema, columns=()):
        return [{"role": "user", "content": str(question.index)}]

    def sample(self, prompts, samples, length, temperature, seed=None):
        self.on_call()
        self.calls = [*(self.calls or []), (len(prompts), samples, seed)]
        return [Answers(tuple(completion_text("think", sql) for sql in SAID[int(prompt[0]["content"])][:samples]), (1,) * samples, 0.1) for prompt in prompts]


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "shop").mkdir()
    return make_shop(tmp_path / "shop")


@pytest.fixture
def found(shop, tmp_path):
    return enrich(Scripted(), shop, tmp_path / "sampled.jsonl", samples=4)


FOUND = {
    "another way to count is a reference, one of the same operations is none": (0, 4, 4, ("SELECT SUM(1) FROM book",), "all right"),
    "right by luck on one instance is not right": (1, 4, 2, ("SELECT title FROM book WHERE price > 8",), "mixed"),
    "never right": (2, 4, 0, (), "all wrong"),
    "where the gold gives no row, any query without one is right": (3, 4, 4, (), "all right"),
    "where the gold fails, nothing is judged": (4, 0, 0, (), ""),
    "a right answer in other operations, said four times, is one reference": (5, 4, 4, ("SELECT DISTINCT author FROM book WHERE price > 8",), "all right"),
}


@pytest.mark.parametrize("case", FOUND)
def test_what_answers_show_of_a_question(found, case):
    place, *wanted = FOUND[case]
    one = found[place]
    assert [one.samples, one.right, one.references, one.outcome] == wanted
    assert bool(one.note) == (place == 3)


def test_the_file_holds_it_all_and_what_was_asked(found, shop, tmp_path):
    about, rows = read_enriched(tmp_path / "sampled.jsonl", shop)
    assert rows == found and len(found) == 6, "the question without a database is not asked"
    assert about == {"policy": "tiny", "dataset": "the shop", "samples": 4, "temperature": 1.0, "seed": 0, "max_completion_tokens": 160, "columns": "whole schema"}
    told = summary(found)
    assert told[0] == "questions     6; all right 3; mixed 1; all wrong 1; not judged 1"
    assert told[1] == "right         14 of 20 answers (70.0 %)"
    assert told[2:4] == ["references    3 for 3 questions", "by question   3 have 0, 3 have 1"]
    assert told[4].startswith("without       1 questions: the gold gives no row")


def test_a_reference_counts_for_the_dense_parts_and_judges_nothing(found, shop):
    enriched = with_references(shop, found)
    plain, question = shop.questions[1], enriched.questions[1]
    assert question.gold == plain.gold and question.references == ("SELECT title FROM book WHERE price > 8",)
    near = completion_text("think", "SELECT author FROM book WHERE price > 8")
    with Scorer("finer", shop) as before, Scorer("finer", enriched) as after, Scorer("bigram", enriched) as bigram:
        (old,), (new,) = before.score(plain, [near]), after.score(question, [near])
        assert new.status == old.status == "wrong"
        assert new.part("atomic").evidence["overlap"] > old.part("atomic").evidence["overlap"]
        assert new.part("atomic").evidence["gold"] == question.references[0]
        assert bigram.score(question, [near])[0].part("bigram").evidence["gold"] == question.references[0]
    rollout = Rollout(1, 1, 1, 0, near, new, 0.0, 1)
    assert "A right answer found by sampling" in atom_ledger(rollout, question)
    assert "A right answer found by sampling" not in atom_ledger(replace(rollout, breakdown=old), plain)


def test_a_file_that_broke_off_is_gone_on_with(found, shop, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "QUESTIONS_A_LOT", 2)
    whole = tmp_path / "whole.jsonl"
    policy = Scripted()
    enrich(policy, shop, whole, samples=4)
    assert policy.calls == [(2, 4, 0), (2, 4, 2), (2, 4, 4)]
    lines = whole.read_text().splitlines(keepends=True)
    broken = tmp_path / "broken.jsonl"
    broken.write_text("".join(lines[:4]) + lines[4][:20])  # a lot, half of the next, and a line that broke off
    again = Scripted()
    assert enrich(again, shop, broken, samples=4) == found
    assert again.calls == [(2, 4, 2), (2, 4, 4)] and broken.read_text() == whole.read_text()
    enrich(again, shop, broken, samples=4)
    assert len(again.calls) == 2, "a whole file is not made again"


OTHER = {
    "other settings": ({"samples": 3}, "was made with another samples (4, and now 3); name another file with --out"),
    "another policy": ({"about": {"adapter": "x"}}, "was made with another adapter (None, and now 'x')"),
}


@pytest.mark.parametrize("case", OTHER)
def test_a_file_of_something_else_is_not_written_over(found, shop, tmp_path, case):
    changes, message = OTHER[case]
    before = (tmp_path / "sampled.jsonl").read_bytes()
    with pytest.raises(EnrichError) as caught:
        enrich(Scripted(), shop, tmp_path / "sampled.jsonl", **{"samples": 4, **changes})
    assert message in str(caught.value) and (tmp_path / "sampled.jsonl").read_bytes() == before


def test_other_questions_are_told_apart(found, shop, tmp_path):
    fewer = replace(shop, questions=shop.questions[1:])
    with pytest.raises(EnrichError, match="is about other questions than these"):
        enrich(Scripted(), fewer, tmp_path / "sampled.jsonl", samples=4)


ABOUT = '{"about": {"policy": "tiny"}}\n'
ROW = {"index": 0, "db_id": "shop", "question": "How many books are there?", "samples": 4, "right": 1, "references": []}
BAD = {
    "nothing": ("", "is empty; `finer enrich --out"),
    "not its first line": (json.dumps(ROW), "line 1: no file of `finer enrich`"),
    "no JSON": (ABOUT + "SELECT 1", "line 2 is not JSON"),
    "a list": (ABOUT + "[1]", "line 2: wanted is an object, not list"),
    "no count": (ABOUT + json.dumps({**ROW, "right": "one"}), "line 2: 'right' is missing or no int"),
    "a reference that is none": (ABOUT + json.dumps({**ROW, "references": [1]}), "line 2: 'references' must be a list of queries"),
    "another question": (ABOUT + json.dumps({**ROW, "question": "Who?"}), "line 2: question 0 of 'the shop' is another one ('How many books are there?')"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_named_with_its_line(shop, tmp_path, case):
    text, message = BAD[case]
    (tmp_path / "bad.jsonl").write_text(text)
    with pytest.raises(EnrichError) as caught:
        read_enriched(tmp_path / "bad.jsonl", shop)
    assert message in str(caught.value) and "bad.jsonl" in str(caught.value)
    with pytest.raises(EnrichError, match="gone.jsonl does not exist; `finer enrich --out"):
        read_enriched(tmp_path / "gone.jsonl")


def test_at_the_prompt_it_is_written_told_and_scored_with(tmp_path, monkeypatch, capsys):
    starter = load_dataset("starter", "train")
    gold = {question.index: question.gold[0] for question in starter.questions}
    monkeypatch.setattr("finer.policy.load_policy", lambda *_, **__: Scripted())
    monkeypatch.setattr(Scripted, "sample", lambda self, prompts, samples, *_, **__: [
        Answers(tuple([completion_text("t", f"WITH x AS ({gold[int(prompt[0]['content'])]}) SELECT * FROM x"), "no"][:samples]), (1, 1), 0.1) for prompt in prompts])  # fmt: skip
    out = tmp_path / "sampled.jsonl"
    assert cli.main(["enrich", "--policy", "tiny", "--limit", "3", "--samples", "2", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "questions     3" in printed and f"Train with it: --set references={out} --set pass_rates={out}" in printed
    about, rows = read_enriched(out, starter)
    assert (about["split"], about["limit"], len(rows)) == ("train", 3, 3)
    rows = [replace(rows[0], references=("SELECT 1",)), *rows[1:]]
    out.write_text("\n".join([json.dumps({"about": about}), *(json.dumps(vars(row)) for row in rows)]))
    (tmp_path / "answers.jsonl").write_text(json.dumps({"index": rows[0].index, "sql": "SELECT 2"}) + "\n")
    command = ["score", "--predictions", str(tmp_path / "answers.jsonl")]
    scores = [cli.main([*command, *more]) == 0 and json.loads(capsys.readouterr().out)["atomic"]["overlap"] for more in ([], ["--references", str(out)])]
    assert scores[0] == 0.0 and scores[1] >= 0.0
    assert cli.main(["enrich", "--policy", "tiny", "--out", str(tmp_path)]) == 2
    assert "it is a folder" in capsys.readouterr().err


def test_an_outcome_says_whether_a_question_has_a_signal():
    outcomes = {right: Enriched(0, "a", "q", 4, right).outcome for right in (0, 1, 4)}
    assert outcomes == {0: "all wrong", 1: "mixed", 4: "all right"} and Enriched(0, "a", "q", 0, 0).outcome == ""
