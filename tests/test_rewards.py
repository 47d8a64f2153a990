"""Scoring real completions on a small database, and the rewards as TRL calls them. Run: pytest tests/test_rewards.py"""

from __future__ import annotations

import json
import pickle
import sqlite3
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finer.datasets import Database, Dataset
from finer.judge import Judge
from finer.memory import Memory
from finer.prompt import completion_text
from finer.recorder import StepRecorder
from finer.records import Group, Question, Rollout, Trace
from finer.rewards import RECIPES, Scorer, get_recipe, reward_functions, score, trl
from finer.sandbox import Limits, Sandbox
from finer.schema import read_schema

SCRIPT = """
CREATE TABLE author (author_id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE book (book_id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER REFERENCES author(author_id), year INTEGER);
INSERT INTO author VALUES (1, 'Ada'), (2, 'Bo'), (3, 'Cy');
"""
ROWS = (
    "INSERT INTO book VALUES (1, 'Fog', 1, 1999), (2, 'Rain', 1, 2004), (3, 'Sun', 2, 2010)",
    "INSERT INTO book VALUES (1, 'Fog', 3, 2001), (2, 'Fog', NULL, 2004), (3, 'Sea', 2, NULL), (4, 'Ice', 2, 2012)",
)
GOLD = "SELECT title FROM book WHERE year > 2000"
BROKEN_GOLD = Question(2, "library", "broken?", ("SELECT title FROM nowhere",))
TITLES = Question(0, "library", "Which books came out after 2000?", (GOLD,))
COUNTS = Question(1, "library", "How many books are there?", ("SELECT COUNT(*) FROM book",))
TRACES = (
    Trace(0, "shop", "q", "Use the table product, keep the rows with price above 10 and return the name.", "SELECT 1", "starter"),
    Trace(1, "library", "q", "Filter book on year after 2000, return title.", GOLD, "starter"),
)
THOUGHT = "Use the table book, keep the rows with year above 2000 and return the title."


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    paths = tuple(folder / f"library_{number}.sqlite" for number in range(len(ROWS)))
    for path, rows in zip(paths, ROWS):
        connection = sqlite3.connect(path)
        connection.executescript(SCRIPT + rows)
        connection.close()
    databases = {"library": Database("library", paths, read_schema(paths[0], "library"))}
    return Dataset("small", (TITLES, COUNTS, BROKEN_GOLD), databases, TRACES)


@pytest.fixture(scope="module")
def judge(dataset):
    with Judge(dataset.databases, Sandbox(limits=Limits(seconds=0.5))) as judge:
        yield judge
    judge.sandbox.close()


@pytest.fixture(scope="module")
def memory():
    memory = Memory()
    memory.add(TRACES)
    return memory


@pytest.fixture(scope="module")
def scorer(dataset, memory, judge):
    return Scorer("finer", dataset, memory, judge)


def under(name, scorer):
    return Scorer(name, scorer.dataset, scorer.memory, scorer.judge)


# -- completions of every kind ----------------------------------------------------------------------------------------

RIGHT = completion_text(THOUGHT, GOLD)
NO_QUERIES = [
    # name, completion
    ("nothing", ""),
    ("white space", " \n\t"),
    ("prose", "I cannot answer that."),
    (
        "prose that begins like a query",
        completion_text(THOUGHT, "Select the books that are the best of all, then sort!"),
    ),
    ("no SQL after the thought", completion_text(THOUGHT, "")),
    ("SQL only in a thought never closed", f"<think> {GOLD}"),
    ("two statements", completion_text(THOUGHT, f"{GOLD}; {GOLD}")),
    ("a query, then a drop", completion_text(THOUGHT, f"{GOLD}; DROP TABLE book")),
    ("delete", completion_text(THOUGHT, "DELETE FROM book")),
    (
        "insert behind WITH",
        completion_text(THOUGHT, "WITH t AS (SELECT 1) INSERT INTO book SELECT 9, 'x', 1, 1 FROM t"),
    ),
    ("pragma", completion_text(THOUGHT, "PRAGMA table_info(book)")),
    ("attach", completion_text(THOUGHT, "ATTACH 'other.sqlite' AS other")),
    ("explain", completion_text(THOUGHT, f"EXPLAIN {GOLD}")),
    ("cut off", completion_text(THOUGHT, "SELECT title FROM book WHERE year > (")),
    ("quote never closed", completion_text(THOUGHT, "SELECT title FROM book WHERE title = 'Fog")),
    ("100,000 characters", "x" * 100_000),
    ("100,000 characters of SQL", completion_text(THOUGHT, "SELECT " + "title, " * 14_300 + "title FROM book")),
    ("100,000 brackets", completion_text(THOUGHT, "SELECT " + "(" * 50_000 + "1" + ")" * 50_000)),
    ("a NUL character", completion_text(THOUGHT, "SELECT 'a\0b' FROM book")),
    ("half a surrogate pair", completion_text("thought \ud800", "SELECT '\ud800' FROM book")),
]


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize(("case", "completion"), NO_QUERIES, ids=[case for case, _ in NO_QUERIES])
def test_no_query_is_paid_nothing(scorer, name, case, completion):
    (paid,) = under(name, scorer).score(TITLES, [completion])
    assert paid.total == 0 and paid.status in ("refused", "error")
    assert all(
        part.value == 0 and part.evidence["summary"].startswith("paid 0: not one read-only query")
        for part in paid.parts
    )


QUERIES = [
    # name, completion, status, (format, execution) values, overlap is 1, the thought is compared
    ("right", RIGHT, "correct", (1, 1), True, True),
    (
        "right in another way",
        completion_text(THOUGHT, "SELECT b.title FROM book b WHERE 2000 < b.year"),
        "correct",
        (1, 1),
        True,
        True,
    ),
    ("right, fenced", completion_text(THOUGHT, f"```sql\n{GOLD}\n```"), "correct", (1, 1), True, True),
    ("right, commented", completion_text(THOUGHT, f"-- the answer\n{GOLD};"), "correct", (1, 1), True, True),
    ("right, without a thought", GOLD, "correct", (0, 1), True, False),
    (
        "right on one instance by luck",
        completion_text(THOUGHT, "SELECT title FROM book WHERE book_id > 1"),
        "wrong",
        (1, 0.1),
        False,
        True,
    ),
    ("wrong", completion_text(THOUGHT, "SELECT name FROM author"), "wrong", (1, 0.1), False, True),
    (
        "wrong and empty",
        completion_text(THOUGHT, "SELECT title FROM book WHERE year > 3000"),
        "wrong",
        (1, 0.1),
        False,
        True,
    ),
    (
        "unknown column",
        completion_text(THOUGHT, "SELECT titel FROM book WHERE year > 2000"),
        "error",
        (1, 0),
        False,
        True,
    ),
    (
        "another dialect",
        completion_text(THOUGHT, "SELECT title FROM book WHERE title ILIKE 'f%'"),
        "error",
        (1, 0),
        False,
        True,
    ),
    (
        "never ends",
        completion_text(
            THOUGHT, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n"
        ),
        "timeout",
        (1, 0),
        False,
        True,
    ),
]


@pytest.mark.parametrize(
    ("case", "completion", "status", "values", "same", "compared"), QUERIES, ids=[q[0] for q in QUERIES]
)
def test_a_query_is_paid_by_what_it_does(scorer, case, completion, status, values, same, compared):
    (paid,) = scorer.score(TITLES, [completion])
    assert paid.status == status
    assert (paid.part("format").value, paid.part("execution").value) == values
    atomic, memory = paid.part("atomic").evidence, paid.part("memory").evidence
    assert (atomic["overlap"] == 1) == same
    assert (memory["similarity"] is not None) == compared and memory["snapshot"] == 2


def test_gold_earns_full_marks_under_every_recipe(scorer):
    for name, recipe in RECIPES.items():
        for question in (TITLES, COUNTS):
            (paid,) = under(name, scorer).score(question, [completion_text(THOUGHT, question.gold[0])])
            assert paid.total == pytest.approx(recipe.full_marks) and paid.recipe == name


def test_totals_are_ordered_as_a_person_would(scorer):
    """The published code paid prose more than a SELECT with a misspelt column, and fenced SQL less than plain."""
    texts = [RIGHT, QUERIES[2][1], QUERIES[5][1], QUERIES[8][1], "I cannot answer that."]
    for name in ("paper", "finer"):
        right, fenced, lucky, misspelt, prose = (paid.total for paid in under(name, scorer).score(TITLES, texts))
        assert right == fenced > lucky > misspelt > prose == 0


def test_a_failed_gold_scores_nothing(scorer):
    for paid in scorer.score(BROKEN_GOLD, [RIGHT, "prose"]):
        assert paid.status == "gold_failed" and [part.value for part in paid.parts] == [None] * 4
        assert "no such table" in paid.part("execution").evidence["summary"]


def test_unknown_database_says_which(scorer):
    with pytest.raises(KeyError, match="question 7 asks database 'zoo', which 'small' has not"):
        scorer.score(Question(7, "zoo", "?", ("SELECT 1",)), [RIGHT])


# -- evidence ---------------------------------------------------------------------------------------------------------

WRONG = completion_text(THOUGHT, "SELECT title FROM book WHERE book_id > 1")


NEAR = {
    "another constant": ("SELECT title FROM book WHERE year > 100", "SELECT title FROM book WHERE year > 200", ["book.year > 200", "book.year > 100"]),
    "another operator": ("SELECT title FROM book WHERE year > 100", "SELECT title FROM book WHERE year >= 100", ["book.year >= 100", "book.year > 100"]),
    "another aggregate": ("SELECT MAX(year) FROM book", "SELECT MIN(year) FROM book", ["MIN(book.year)", "MAX(book.year)"]),
    "another column": ("SELECT title FROM book WHERE year > 100", "SELECT title FROM book WHERE book_id > 100", None),
}  # fmt: skip


@pytest.mark.parametrize("case", NEAR)
def test_evidence_pairs_what_only_changed(scorer, case):
    gold, sql, pair = NEAR[case]
    (paid,) = scorer.score(replace(TITLES, gold=(gold,)), [completion_text(THOUGHT, sql)])
    evidence = paid.part("atomic").evidence
    assert [[atom["text"] for atom in near] for near in evidence["changed"]] == ([pair] if pair else [])
    for mine, theirs in evidence["changed"]:
        assert mine in evidence["extra"] and theirs in evidence["missing"], "it counts as missing and extra all the same"
        assert sql[slice(*mine["span"])] and gold[slice(*theirs["span"])], "each has its place in its text"
    assert ("1 of them changed" in evidence["summary"]) == bool(pair)


def test_evidence_of_a_wrong_answer(scorer):
    (paid,) = scorer.score(TITLES, [WRONG])
    execution, atomic, memory = (paid.part(name).evidence for name in ("execution", "atomic", "memory"))
    assert execution["instance"] == 1 and execution["status"] == "ok" and execution["columns"] == ["title"]
    assert execution["only_gold"] == [["Fog"]] and execution["only_prediction"] == [["Sea"]]
    assert execution["summary"].startswith("runs, but is wrong: ")
    assert atomic["matched"] and atomic["missing"] and atomic["extra"] and atomic["gold"] == GOLD
    assert atomic["changed"] == [] and "changed" not in atomic["summary"]
    assert set(atomic["missing"][0]) == set(atomic["matched"][0][0]) == {"clause", "text", "scope", "span"}
    assert memory["neighbours"][0]["db_id"] == "shop" and len(memory["neighbours"]) == 1
    assert set(memory["neighbours"][0]) == {"trace_id", "db_id", "thought", "similarity", "source", "step"}
    assert paid.part("memory").value == memory["similarity"]


@pytest.mark.parametrize("name", RECIPES)
def test_all_evidence_is_small_json_with_a_summary(scorer, name):
    long_query = completion_text("w " * 30_000, f"SELECT {', '.join(['title'] * 300)}, '{'x' * 9000}' FROM book")
    texts = [text for _, text in NO_QUERIES] + [query[1] for query in QUERIES] + [long_query]
    for question in (TITLES, BROKEN_GOLD):
        for paid in under(name, scorer).score(question, texts):
            for part in paid.parts:
                assert part.evidence["summary"] and json.loads(json.dumps(part.evidence)) == part.evidence
                assert len(json.dumps(part.evidence)) < 60_000


@pytest.mark.parametrize(
    ("recipe", "name"),
    [(recipe, name) for recipe in ("bigram", "result", "finer") for name in RECIPES[recipe].parts],
)
def test_every_evidence_has_the_same_keys(scorer, recipe, name):
    texts = [RIGHT, WRONG, "prose", QUERIES[8][1]]
    scored = [paid for question in (TITLES, BROKEN_GOLD) for paid in under(recipe, scorer).score(question, texts)]
    assert len({tuple(sorted(paid.part(name).evidence)) for paid in scored}) == 1


def test_evidence_of_bigrams_and_results(scorer):
    (paid,) = under("bigram", scorer).score(TITLES, [WRONG])
    bigram = paid.part("bigram").evidence
    assert bigram["gold"] == GOLD and "year >" in bigram["missing"] and "book_id >" in bigram["extra"]
    assert paid.part("bigram").value == bigram["overlap"] == pytest.approx(5 / 13)
    (paid,) = under("result", scorer).score(TITLES, [WRONG])
    result = paid.part("result").evidence
    # The other instance decided: Fog, Fog, Ice against Fog, Sea, Ice.
    assert result["instance"] == 1 and (result["cells"], result["columns"]) == (0.5, 0) and paid.part("result").value == 0.25


# -- one computation each ---------------------------------------------------------------------------------------------


class CountingJudge:
    def __init__(self, judge):
        self.inner, self.asked = judge, []

    def judge(self, question, statements):
        self.asked.append(list(statements))
        return self.inner.judge(question, statements)


def test_identical_completions_are_computed_once_and_come_in_order(scorer):
    counting = CountingJudge(scorer.judge)
    other = completion_text("Another thought.", GOLD)
    paid = Scorer("finer", scorer.dataset, scorer.memory, counting).score(TITLES, [RIGHT, WRONG, RIGHT, other, WRONG])
    assert counting.asked == [[GOLD, "SELECT title FROM book WHERE book_id > 1"]]
    assert [answer.status for answer in paid] == ["correct", "wrong", "correct", "correct", "wrong"]
    assert paid[0] is paid[2] and paid[3].thought == "Another thought."


def test_no_completions_are_no_work(scorer):
    assert scorer.score(TITLES, []) == [] and scorer.score_many([]) == []


def test_a_batch_pays_what_single_questions_pay(scorer):
    batch = scorer.score_many([(TITLES, [RIGHT, WRONG]), (COUNTS, [RIGHT])])
    assert [[paid.total for paid in answers] for answers in batch] == [
        [paid.total for paid in scorer.score(TITLES, [RIGHT, WRONG])],
        [paid.total for paid in scorer.score(COUNTS, [RIGHT])],
    ]


def test_a_recipe_may_be_exchanged_between_two_calls(scorer):
    mine = under("finer", scorer)
    mine.recipe = mine.recipe.with_weights({"memory": 0.0})
    assert mine.score(TITLES, [RIGHT])[0].total == pytest.approx(0.9)


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(st.characters(), max_size=80),
    frame=st.sampled_from(["{}", "<think>{}</think>SELECT 1", "<think>x</think>SELECT {}"]),
)
def test_no_text_raises_or_beats_a_right_answer(scorer, text, frame):
    (paid,) = scorer.score(TITLES, [frame.replace("{}", text)])
    assert 0 <= paid.total <= 0.55 + 1e-9 and paid.status in ("wrong", "error", "timeout", "too_large", "refused")
    json.dumps([asdict(part) for part in paid.parts])


# -- memory -----------------------------------------------------------------------------------------------------------


def test_right_traces_are_the_right_answers_different_thoughts(scorer):
    texts = [WRONG, RIGHT, RIGHT, completion_text("Another thought.", GOLD), GOLD, "prose"]
    traces = scorer.right_traces(TITLES, scorer.score(TITLES, texts), step=4)
    assert [trace.thought for trace in traces] == [THOUGHT, "Another thought."]
    assert traces[0] == Trace(-1, "library", TITLES.text, THOUGHT, GOLD, "policy", 4)


LONG = "Use the table book, keep the rows with year above 3000 and return each title."
OFFERED = {
    "published": (False, [("inserted", "verified", "")]),
    "contrast": (True, [("inserted", "verified", ""), ("inserted", "failed", ""), ("refused", "failed", "length")]),
}


@pytest.mark.parametrize("case", OFFERED)
def test_after_a_step_a_contrastive_memory_is_offered_the_wrong_answers_too(case, dataset, judge):
    contrast, expected = OFFERED[case]
    memory = Memory(contrast=contrast)
    memory.add(TRACES)
    scorer = Scorer("finer", dataset, memory, judge)
    texts = [RIGHT, completion_text(LONG, GOLD.replace("2000", "3000")), completion_text("No idea.", "SELECT 1")]
    paid = enumerate(zip(texts, scorer.score(TITLES, texts)))
    rollouts = tuple(Rollout(place, 4, 1, place, text, breakdown, 0.0, 9) for place, (text, breakdown) in paid)
    group = Group(1, 4, TITLES, "", rollouts)
    recorder = StepRecorder(None, scorer, 3, grow_memory=True, groups=[group])
    assert [(event.kind, event.collection, event.rule) for event in recorder.remember(4)] == expected
    assert [trace.thought for trace in memory.failed_traces] == [LONG] * contrast and len(memory.traces) == 3


def test_without_a_memory_the_datasets_traces_serve(dataset, judge):
    assert Scorer("finer", dataset, judge=judge).memory.traces == TRACES
    assert Scorer("sparse", dataset, judge=judge).memory is None


def test_no_trace_of_another_database_is_not_scored(dataset, judge):
    (paid,) = Scorer("finer", replace(dataset, traces=TRACES[1:]), judge=judge).score(TITLES, [WRONG])
    assert (
        paid.part("memory").value is None and "no trace of another database" in paid.part("memory").evidence["summary"]
    )


def test_score_of_one_completion_on_a_dataset_of_your_own(dataset):
    assert score(TITLES, RIGHT, "paper", dataset).total == 4


# -- as TRL calls them ------------------------------------------------------------------------------------------------


def chat(text):
    return [{"role": "assistant", "content": text}]


COMPLETIONS = [RIGHT, WRONG, "prose", GOLD.replace("2000", "3000")]
EXPECTED = {
    "format": [1, 1, 0, 0],
    "execution": [1, 0.1, 0, 0.1],
    "atomic": [1, None, 0, None],
    "memory": [1, None, 0, 0],
}


@pytest.mark.parametrize("wrap", [str, chat], ids=["texts", "messages"])
@pytest.mark.parametrize(
    "columns",
    [
        {"index": [0] * 4},
        {"gold": [GOLD] * 4, "db_id": ["library"] * 4},
        {"gold": [[GOLD]] * 4, "db_id": ["library"] * 4},
    ],
    ids=["index", "gold", "golds"],
)
def test_reward_functions_return_the_parts_values(scorer, wrap, columns):
    completions = [wrap(text) for text in COMPLETIONS]
    for function in reward_functions(scorer):
        values = function(
            prompts=["p"] * 4,
            completions=completions,
            completion_ids=[[1]] * 4,
            trainer_state=None,
            log_extra=None,
            **columns,
        )
        for value, expected in zip(values, EXPECTED[function.__name__], strict=True):
            assert value == expected if expected is not None else 0 < value < 1


def test_a_batch_is_scored_once_for_four_functions(scorer):
    counting = CountingJudge(scorer.judge)
    functions = reward_functions(Scorer("finer", scorer.dataset, scorer.memory, counting))
    columns = {"index": [0, 0, 1, 1]}
    for function in functions * 2:
        function(prompts=None, completions=COMPLETIONS, **columns)
    assert len(counting.asked) == 2  # two questions, each once
    functions[0](prompts=None, completions=COMPLETIONS[::-1], **columns)
    assert len(counting.asked) == 4


def test_unscored_parts_are_zero_and_a_failed_gold_is_none(dataset, judge):
    functions = reward_functions(Scorer("finer", replace(dataset, traces=()), judge=judge))
    for function in functions:
        right, wrong, lost = function(completions=[RIGHT, WRONG, RIGHT], index=[0, 0, 2])
        assert right == 1 and lost is None
        assert wrong == 0 if function.__name__ == "memory" else wrong is not None


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "need the dataset's column 'index', or 'gold' and 'db_id'"),
        ({"gold": [GOLD]}, r"came with \['gold'\]"),
        ({"index": [77]}, "column 'index' holds 77, which is no question of 'small'"),
        ({"gold": [[]], "db_id": ["library"]}, "column 'gold' is empty for a question on 'library'"),
    ],
)
def test_wrong_columns_say_what_is_needed(scorer, columns, message):
    with pytest.raises(ValueError, match=message):
        reward_functions(scorer)[0](prompts=["p"], completions=[RIGHT], **columns)


def test_names_and_pickling():
    functions = [trl.format_reward, trl.execution_reward, trl.atomic_reward, trl.memory_reward]
    assert [function.__name__ for function in functions] == ["format", "execution", "atomic", "memory"]
    assert [pickle.loads(pickle.dumps(function)) for function in functions] == functions


def test_module_functions_score_the_starter_dataset(scorer, monkeypatch):
    monkeypatch.setattr(trl, "_starter", lambda: trl.BatchScorer(scorer))
    assert trl.execution_reward(prompts=["p"] * 2, completions=[RIGHT, "prose"], index=[0, 0]) == [1, 0]
    assert trl.memory_reward(prompts=["p"], completions=[chat(RIGHT)], index=[0]) == [1]


def test_completion_without_content_is_empty_text():
    assert [trl.completion_of(c) for c in ([], [{"role": "assistant"}], chat(None), "x")] == ["", "", "", "x"]


def test_neither_torch_nor_trl_is_imported():
    code = (
        "import sys, finer.rewards; print([m for m in ('torch', 'trl', 'transformers', 'pandas') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "[]"


def test_recipes_by_name_and_by_value_are_the_same(dataset, judge):
    assert Scorer(get_recipe("sparse"), dataset, judge=judge).recipe is Scorer("sparse", dataset, judge=judge).recipe
