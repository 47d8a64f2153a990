"""Edit and re-score: the group with an edit in it, what it was paid and by which weights, how it is kept, and the view."""

from __future__ import annotations

import json

import pytest
import render_samples as samples
from shop import make_shop

from finer.edited import Edit, apply_edit, draft
from finer.edits import FILE, Edits, EditScorer, recipe_of
from finer.errors import FinerError
from finer.import_run import import_rollouts
from finer.records import RewardBreakdown, RewardPart
from finer.render.edits import edited_answer
from finer.rescore import rescore
from finer.run_writer import RunWriter
from finer.runs import Run
from widgets import EditView, Workbench

RIGHT = "SELECT count(*) FROM book"


@pytest.fixture
def shop(tmp_path):
    return make_shop(tmp_path)


@pytest.fixture
def run(tmp_path, shop):
    """A group of three answers to one question, paid by the recipe ``result``."""
    sqls = (RIGHT, "SELECT count(title) + 1 FROM book", "SELECT nothing FROM book")
    lines = [{"prompt": "How many books are there?", "completion": f"<think>count {place}</think>{sql}"} for place, sql in enumerate(sqls)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return rescore(import_rollouts(tmp_path / "a.jsonl", tmp_path / "first", shop).run, tmp_path / "run", shop, "result").run


def edit(total: float, parent: int | None) -> Edit:
    return Edit(7, 3, parent, "SELECT 1", RewardBreakdown("finer", "wrong", (RewardPart("execution", total, 1.0),), "", "SELECT 1"))


def test_an_edit_takes_its_parents_place_and_everybodys_advantage_moves():
    group = samples.group()  # totals 1.0, 0.355, 0.24, 0.05
    found = apply_edit(group, edit(0.645, 301), "none")
    assert [round(one.breakdown.total, 3) for one in found.now.rollouts] == [1.0, 0.645, 0.24, 0.05]
    assert [round(one.advantage, 5) for one in found.now.rollouts] == [0.51625, 0.16125, -0.24375, -0.43375]
    assert (found.child.position, found.child.rollout_id, found.place(found.child, found.now)) == (1, -7, 2)
    assert round(group.rollouts[1].breakdown.total, 9) == 0.355 and found.place(group.rollouts[1], found.now) is None


def test_a_further_answer_joins_the_group():
    found = apply_edit(samples.group(), edit(0.3, None), "none")
    assert (len(found.now.rollouts), found.child.position, found.place(found.child, found.now)) == (5, 4, 3)
    last = found.was.rollouts[2]
    assert (found.place(last, found.was), found.place(last, found.now)) == (3, 4)
    said = edited_answer(found)
    assert "Further answer (edit 7, group 3, step 14)" in said and "3 ↓" in said and "place 3 of 5" in said


def test_an_edit_of_an_answer_of_another_group_is_refused():
    with pytest.raises(FinerError, match="made from answer 999, which group 3 does not hold"):
        apply_edit(samples.group(), edit(0.3, 999))


def test_an_edit_is_scored_by_the_weights_that_paid_its_parent(run, shop):
    group = run.group(1)
    parent = group.rollouts[1]
    with EditScorer(run, shop) as scorer:
        found = apply_edit(group, scorer.score(group, "count 1", RIGHT, parent), "none")
    assert found.child.breakdown.status == "correct" and found.child.breakdown.total == group.rollouts[0].breakdown.total
    assert recipe_of(run, parent).weights == {"format": 0.05, "execution": 0.5, "result": 0.45}
    said = edited_answer(found)
    assert "place 2 → place 1 of 3" in said and "<ins>" in said


def test_an_edit_that_cannot_be_scored_says_why(tmp_path, shop):
    with RunWriter.create(tmp_path / "run", {"recipe": "finer"}) as writer:
        writer.write_step(14, [samples.group()], {}, {})
    run = Run(tmp_path / "run")
    with EditScorer(run, shop) as scorer, pytest.raises(FinerError, match="'the shop' has no database 'library'"):
        scorer.score(run.group(3), "", "SELECT 1")


def test_edits_are_kept_beside_the_run_and_read_back_the_same(run):
    before = run.path.read_bytes()
    edits = Edits(run)
    assert edits.all() == []
    kept = [edits.keep(edit(0.5, 301)), edits.keep(edit(0.6, None))]
    assert [one.edit_id for one in kept] == [1, 2] and Edits(run).of_group(3) == kept and Edits(run).of_group(4) == []
    edits.discard(1)
    assert Edits(run).all() == kept[1:] and edits.keep(edit(0.1, None)).edit_id == 3
    assert run.path.read_bytes() == before and not list(run.folder.glob("*.part"))


def test_a_damaged_file_of_edits_is_told_and_left_alone(run):
    (run.folder / FILE).write_text('{"edits": [', encoding="utf-8")
    with pytest.raises(FinerError, match="Move it away"):
        Edits(run).keep(edit(0.5, None))
    assert "Move it away" in EditView(run).widget.value
    assert (run.folder / FILE).read_text(encoding="utf-8") == '{"edits": ['


def test_a_draft_begins_with_what_the_answer_says():
    assert draft(samples.group().rollouts[0]) == (samples.THOUGHT, samples.GOLD) and draft(None) == ("", "")


def test_the_view_scores_what_is_typed_and_keeps_it(run, shop):
    view = EditView(run, 1, 1)
    view.dataset = shop
    assert (view.thought.value, view.sql.value) == ("count 1", "SELECT count(title) + 1 FROM book")
    view.sql.value = RIGHT
    view.button.click()
    assert "✓ Scored and kept as edit 1" in view.status.value and "Edit of answer 1" in view.widget.value
    view.where.value = "as a further answer"
    view.sql.value = "SELECT <b>"
    view.button.click()
    assert view.widget.value.index("Further answer (edit 2") < view.widget.value.index("Edit of answer 1 (edit 1")
    assert "&lt;b&gt;" in view.to_html() and "<b>" not in view.to_html().replace("<b>run", "")


def test_typed_text_stays_when_the_run_moves_on(run):
    bench = Workbench(run)
    view = bench.open("Edit")
    first = view.parent
    view.sql.value = "SELECT 5"
    other = next(one for one in bench.choice.group.rollouts if one != first)
    bench.selectors.rollouts.value = (other.rollout_id,)
    assert view.sql.value == "SELECT 5" and view.parent == first
    view.again.click()
    assert view.parent == other and view.sql.value == other.sql


def test_without_the_data_set_the_view_says_so(run):
    view = EditView(run, 1, 0)
    view.button.click()
    assert "✗" in view.status.value and "the shop" in view.status.value
