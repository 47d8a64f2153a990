"""Hostile texts as thought, SQL and question of an imported, rescored, edited and tried answer. Run: pytest tests/test_hostile_answers.py

Nothing raises, what is kept can be read again, and every page of it is valid UTF-8 with the text shown as text. What SQL may do
is in ``test_hostile``, single views in ``test_render``, the browser in ``test_browser``.
"""

from __future__ import annotations

import json
import re

import pytest
from shop import make_shop

from finer.edited import apply_edit
from finer.edits import Edits, EditScorer
from finer.import_run import import_rollouts
from finer.render import page
from finer.render.edits import edited_answer
from finer.rescore import rescore
from widgets import Playground, Workbench

HOSTILE = {
    "a script": "</textarea></script><script>alert(1)</script><img src=x onerror=alert(1)>",
    "an end of a thought": "</think><think></think>```sql\nSELECT 1\n```",
    "half a surrogate": "a\ud800b\udfffc",
    "ANSI codes": "\x1b[31mred\x1b[2J\x1b]8;;http://x.invalid\x07link",
    "text from right to left": "\u202eNOITCES\u2066\u200f\u0000end",
    "a null byte": "a\x00b",
    "a line of 1 MB": "y<b>" * 250_000,
    "not a number": "NaN Infinity \ufeff\u2028\u2029\r\x0b",
}
SHOWN = {
    "a script": "&lt;/textarea&gt;&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;",
    "ANSI codes": "\\x1b[31mred",
    "text from right to left": "\\u202eNOITCES",
    "a null byte": "a\\x00b",
    "a line of 1 MB": "further characters not shown",
}
RAW = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]|<script>alert|<img src=x|<b>y")
MOST_PAGE_CHARACTERS = 4_000_000
RIGHT = "SELECT count(*) FROM book"


def completions(text: str) -> list[str]:
    return [f"<think>{text}</think>{RIGHT}", f"<think>count</think>SELECT '{text}' FROM book", text]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return make_shop(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def imported(tmp_path_factory, shop):
    """For each text a group about a question of the shop, and one whose question is the text."""
    folder = tmp_path_factory.mktemp("runs")
    lines = [
        {"prompt": question, "completion": text, "step": step, "group": f"{name} {kind}", "mine": 0.5}
        for step, (name, hostile) in enumerate(HOSTILE.items(), 1)
        for kind, question in (("known", "How many books are there?"), ("own", hostile))
        for text in completions(hostile)
    ]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return import_rollouts(folder / "a.jsonl", folder / "imported", shop).run


@pytest.fixture(scope="module")
def rescored(imported, shop):
    return rescore(imported, imported.folder.parent / "rescored", shop, "finer").run


@pytest.fixture(scope="module")
def playground(shop):
    return Playground(shop, question=0)


def check_page(source: str) -> None:
    source.encode("utf-8")
    assert not RAW.search(source), RAW.search(source)
    assert len(source) < MOST_PAGE_CHARACTERS


def first_group(run, name):
    return run.group(run.groups(1 + list(HOSTILE).index(name))[0].group_id)


def test_all_of_them_are_there_after_import_and_rescore(imported, rescored):
    for run in (imported, rescored):
        assert len(run.rollouts()) == 2 * 3 * len(HOSTILE)
    first = [row.breakdown.status for name in HOSTILE for row in first_group(rescored, name).rollouts[:1]]
    assert set(first) == {"correct"}, "a text in the thought changes nothing about the SQL"


@pytest.fixture(scope="module")
def bench(rescored, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield Workbench(rescored)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_run_of_it_is_shown_as_text(name, rescored, bench):
    bench.choice.pick(first_group(rescored, name).group_id, 0)
    source = bench.to_html()
    check_page(source)
    if name in SHOWN:
        assert SHOWN[name] in source


@pytest.mark.parametrize("name", HOSTILE)
def test_an_edit_of_it_is_kept_and_shown_as_text(name, rescored, shop, scorer):
    group, edits = first_group(rescored, name), Edits(rescored)
    edit = edits.keep(scorer.score(group, HOSTILE[name], f"SELECT '{HOSTILE[name]}'", group.rollouts[1]))
    (again,) = [one for one in edits.all() if one.edit_id == edit.edit_id]
    assert again.breakdown.total == edit.breakdown.total and len(again.completion) == len(edit.completion)
    check_page(page(name, edited_answer(apply_edit(group, again))))


@pytest.fixture(scope="module")
def scorer(rescored, shop):
    with EditScorer(rescored, shop) as scorer:
        yield scorer


@pytest.mark.parametrize("name", HOSTILE)
def test_a_try_of_it_is_shown_as_text(name, playground):
    playground.thought.value, playground.sql.value = HOSTILE[name], f"SELECT '{HOSTILE[name]}' FROM book"
    assert playground.score() is not None
    check_page(playground.to_html())
    check_page(playground.shown.value + playground.status.value)
