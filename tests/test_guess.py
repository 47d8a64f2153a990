"""Guess, then reveal: a shuffle that tells nothing, pairs counted as by hand, a tally, and a view that the keyboard alone can use."""

from __future__ import annotations

import dataclasses
import doctest
import shutil
import sqlite3
from contextlib import closing
from itertools import permutations

import pytest
import render_samples as samples

import finer
import finer.guess
import finer.render.guess
from finer.guess import Score, Tally, cards, moved, places, score
from finer.render.guess import guess_cards, guess_result, guess_static
from finer.run_notes import RunNotes
from finer.runs import Run
from widgets import GuessView, Workbench

RECORDED = finer.DATA / "recorded" / "first-steps"


def group_paid(*values):
    """A group whose answers are paid these totals, in order, with a text of its own for each."""
    made = [samples.rollout(at, "wrong", (0, value / 0.5, 0, 0), sql=f"SELECT {at}", thought=f"thought {at}") for at, value in enumerate(values)]
    return dataclasses.replace(samples.group(), rollouts=tuple(made))


@pytest.mark.parametrize("module", [finer.guess, finer.render.guess], ids=lambda module: module.__name__)
def test_examples_in_the_docstrings(module):
    assert doctest.testmod(module).failed == 0


def test_the_shuffle_depends_on_seed_and_group_alone():
    group = group_paid(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
    first = [card.rollout.position for card in cards(group, 3)]
    paid_otherwise = dataclasses.replace(group_paid(*[0.5] * 8), group_id=group.group_id)
    assert first == [card.rollout.position for card in cards(group, 3)] == [card.rollout.position for card in cards(paid_otherwise, 3)]
    assert sorted(first) == list(range(8)) and first != [card.rollout.position for card in cards(group, 4)]
    assert "".join(card.letter for card in cards(group)) == "ABCDEFGH"


def test_one_text_is_one_card():
    group = group_paid(0.1, 0.2)
    three = dataclasses.replace(group, rollouts=(*group.rollouts, dataclasses.replace(group.rollouts[0], position=2, rollout_id=9)))
    assert sorted((card.rollout.position, card.times) for card in cards(three)) == [(0, 2), (1, 1)]


def test_pairs_are_counted_as_by_hand():
    made = cards(group_paid(0.1, 0.2, 0.2, 0.4))
    for order in permutations(made):
        totals = [round(card.total, 9) for card in order]
        pairs = [(a, b) for at, a in enumerate(totals) for b in totals[at + 1 :]]
        found = score(order)
        assert (found.right, found.wrong, found.tied) == (sum(a > b for a, b in pairs), sum(a < b for a, b in pairs), 1)
    best = sorted(made, key=lambda card: -card.total)
    assert score(best).tau == 1.0 and score(best[::-1]).tau == -1.0 and places(best) == [1, 2, 2, 4]
    assert score(best[:1]).share is None


MOVES = {"up": ("C", -1, "ACBD"), "down": ("B", 1, "ACBD"), "past the top": ("C", -9, "CABD"), "past the end": ("A", 9, "BCDA"), "nowhere": ("A", -1, "ABCD")}


@pytest.mark.parametrize("name", MOVES)
def test_moving(name):
    letter, by, expected = MOVES[name]
    assert "".join(card.letter for card in moved(cards(group_paid(0.1, 0.2, 0.3, 0.4)), letter, by)) == expected


def test_a_group_counts_once():
    tally = Tally()
    tally.add(1, Score(1, 2))
    tally.add(1, Score(3, 0))
    tally.add(2, Score(2, 1, 3))
    assert tally.sum == Score(3, 3, 3) and len(tally.scores) == 2


def test_the_cards_say_nothing_of_the_pay():
    group = samples.group()
    shown = guess_cards(group, cards(group))
    for words in ("✓", "✗", "0.355", "advantage", "row (3"):
        assert words not in shown
    result = guess_result(group, cards(group), Tally({3: score(cards(group))}))
    assert "pairs in the right order (Kendall tau" in result and "✓" in result and "So far: 1 group" in result
    static = guess_static(group, cards(group))
    assert static.index("<details>") < static.index("✓"), "the pay is behind the fold"


@pytest.fixture
def recorded(tmp_path):
    """A copy: the tally is kept beside the run."""
    return shutil.copytree(RECORDED, tmp_path / "run", ignore=shutil.ignore_patterns("notes.json"))


def test_the_tally_survives_the_kernel_and_begins_anew_when_asked(recorded):
    first = GuessView(recorded, group_id=7)
    first.reveal()
    found = first.tally.scores[7]
    again = GuessView(recorded, group_id=7)
    assert again.tally.scores == {7: found}
    again.move(3)
    again.reveal()
    assert again.tally.scores == {7: found}, "a group counts once, with its first guess"
    assert "So far: 1 group" in again.widget.value and RunNotes(Run(recorded)).guesses() == {7: found}
    again.next_button.click()
    assert again.group.group_id != 7
    again.reveal()
    first.another()
    first.reveal()
    assert len(first.tally.scores) == 3, "another notebook's guesses count as well"
    first.forget_button.click()
    assert first.tally.scores == {} and GuessView(recorded).tally.scores == {}


def test_a_guess_of_a_group_that_was_written_anew_does_not_count(recorded):
    notes = RunNotes(Run(recorded))
    notes.keep(701, pinned=True)
    notes.keep_guess(7, Score(1, 2))
    notes.keep_guess(8, Score(2, 1, 3))
    with closing(sqlite3.connect(recorded / "run.sqlite")) as connection, connection:
        connection.execute("UPDATE rollouts SET completion = completion || ' anew' WHERE group_id = 7")
    notes = RunNotes(Run(recorded))
    assert notes.guesses() == {8: Score(2, 1, 3)}
    notes.keep_guess(7, Score(0, 3))
    assert notes.guesses() == {8: Score(2, 1, 3), 7: Score(0, 3)} and notes.pinned() == (701,)


def test_notes_of_before_there_were_guesses_are_read(recorded):
    (recorded / "notes.json").write_text('{"format": 1, "answers": [], "questions": []}')
    assert RunNotes(Run(recorded)).guesses() == {}


def test_where_nothing_can_be_kept_the_tally_goes_on_and_says_so(recorded):
    (recorded / "notes.json").write_text("[]")
    view = GuessView(recorded, group_id=7)
    assert "kept in this kernel alone" in view.status.value and "notes.json" in view.status.value
    view.reveal()
    assert list(view.tally.scores) == [7] and "So far: 1 group" in view.widget.value
    assert (recorded / "notes.json").read_text() == "[]"


def test_a_reader_orders_reveals_and_goes_on(recorded):
    view = GuessView(recorded, group_id=7)
    assert view.group.group_id == 7 and len(view.answers.options) == len(view.order) == len({c.rollout.completion for c in view.order})
    up, _, top, _ = view.moves
    chosen = view.order[-1].letter
    view.answers.value = chosen
    up.click()
    assert view.order[-2].letter == chosen == view.answers.value, "it stays marked, so that the next press moves it on"
    top.click()
    assert view.order[0].letter == chosen and f"1. {chosen}: " in view.answers.options[0][0]
    for card in sorted(view.order, key=lambda card: card.total):
        view.answers.value = card.letter
        top.click()
    assert "Kendall" not in view.widget.value
    view.reveal_button.click()
    assert "(Kendall tau +1.00)" in view.widget.value and "So far: 1 group" in view.widget.value
    assert all(button.disabled for button in (*view.moves, view.reveal_button)) and view.choice.group.group_id == 7
    before = list(view.order)
    view.move(1)
    assert view.order == before, "what was revealed stays as it was guessed"
    view.next_button.click()
    assert view.group.group_id != 7 and not view.reveal_button.disabled and "Kendall" not in view.widget.value
    view.reveal_button.click()
    assert "So far: 2 groups" in view.widget.value and view.to_html().count("<details>") == 1


def test_in_a_workbench_it_picks_its_own_group_and_shares_what_was_revealed(recorded):
    bench = Workbench(recorded)
    view = bench.open("Guess")
    tab = bench.tabs.children[bench.views.index(view)]
    assert bench.selectors.widget not in tab.children, "the selectors tell the pay"
    picked = view.group.group_id
    bench.refresh()
    assert view.group.group_id == picked
    view.reveal()
    bench.refresh()
    assert bench.choice.group.group_id == picked and bench.selectors.groups.value == picked


def test_hostile_answers_stay_text():
    nasty = "<script>alert(1)</script>\u202e\x1b[31m" + "x" * 1_000_000
    group = group_paid(0.1, 0.2)
    group = dataclasses.replace(group, rollouts=tuple(dataclasses.replace(row, completion=nasty + str(row.position)) for row in group.rollouts))
    for shown in (guess_cards(group, cards(group)), guess_static(group, cards(group)), guess_result(group, cards(group), Tally())):
        assert "<script>" not in shown and "\u202e" not in shown and len(shown) < 60_000
