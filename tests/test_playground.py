"""The playground: a question found, tries scored as a group, a database of one's own, and the view without a browser."""

from __future__ import annotations

import doctest

import pytest
from shop import make_shop

import finer.playground
from finer.errors import FinerError
from finer.playground import Tries, find_questions, own_dataset
from finer.schema import DataError
from widgets import Playground

RIGHT = "SELECT title FROM book WHERE price = 9"


@pytest.fixture
def shop(tmp_path):
    return make_shop(tmp_path)


def test_tries_of_a_question_are_a_group(shop):
    with Tries(shop, "result") as tries:
        first = tries.score(shop.questions[1], "books of 9", "SELECT title FROM book")
        second = tries.score(shop.questions[1], "books of 9", RIGHT)
        assert [one.breakdown.status for one in second.group.rollouts] == ["wrong", "correct"]
        assert first.rollout.advantage == 0 and second.rollout.advantage == pytest.approx(-second.group.rollouts[0].advantage)
        assert second.results.verdict("strict") is True and first.results.verdict("strict") is False
        again = tries.score(shop.questions[1], "books of 9", "SELECT title FROM book")
        assert len(again.group.rollouts) == 2 and again.rollout.breakdown.status == "wrong"
        tries.forget(shop.questions[1])
        assert len(tries.score(shop.questions[1], "", RIGHT).group.rollouts) == 1


def test_a_question_whose_database_is_not_here_says_so(shop):
    with Tries(shop, "sparse") as tries, pytest.raises(FinerError, match="the database 'lost' is not here: no file"):
        tries.score(shop.questions[-1], "", "SELECT 1")


def test_questions_are_found_by_words_or_index(shop):
    assert [question.index for question in find_questions(shop, "which BOOKS cost")] == [1, 3]
    assert [question.index for question in find_questions(shop, "4")] == [4]
    assert len(find_questions(shop, most=2)) == 2 and find_questions(shop, "nobody knows") == []
    assert doctest.testmod(finer.playground).failed == 0


def test_a_database_of_ones_own(tmp_path, shop):
    own = own_dataset(shop.databases["shop"].path, "Which cost 9?", RIGHT, traces=())
    with Tries(own, "sparse") as tries:
        assert tries.score(own.questions[0], "", RIGHT).rollout.breakdown.total == 1.0
    with pytest.raises(FinerError, match="the gold is empty"):
        own_dataset(shop.databases["shop"].path, "Which?", " ")
    with pytest.raises(DataError):
        own_dataset(tmp_path / "nowhere.sqlite", "Which?", RIGHT)


def test_the_view_scores_and_shows_everything_at_once(shop):
    view = Playground(shop, "finer", 1)
    assert view.question.index == 1 and "book(title, price, author)" in view.asked.value and view.shown.value == ""
    view.thought.value, view.sql.value = "books <i>dear</i>", "SELECT title FROM book WHERE price > 6"
    view.button.click()
    assert view.tried.rollout.breakdown.status == "wrong" and "✓ Try 1" in view.status.value
    for words in ("Results under each rule", "only in gold", "The thought of this answer", "books &lt;i&gt;dear"):
        assert words in view.shown.value and words in view.to_html()
    view.sql.value = RIGHT
    view.button.click()
    assert "1 of 2 answers right" in view.shown.value
    view.questions.value = 0
    assert view.tried is None and view.shown.value == "" and "How many books" in view.asked.value


def test_the_view_searches_and_says_what_is_wrong(shop):
    view = Playground(shop, "sparse")
    view.search.value = "cost 100"
    assert [index for _, index in view.questions.options] == [3] and view.question.index == 3
    view.search.value = "nothing like it"
    assert view.question is None and "No question of the shop" in view.status.value
    view.button.click()
    assert "Choose a question first" in view.status.value
    view.show_question(6)
    view.button.click()
    assert "the database &#x27;lost&#x27; is not here" in view.status.value
    with pytest.raises(FinerError, match="has no question 99"):
        view.show_question(99)


def test_a_database_is_brought_by_its_fields(shop):
    view = Playground(shop, "sparse")
    view.open_own.click()
    assert "✗ the question is empty" in view.status.value and view.dataset is shop
    for field, told in zip(view.own, (str(shop.databases["shop"].path), "Which cost 9?", RIGHT), strict=True):
        field.value = told
    view.open_own.click()
    assert view.dataset.name == "your own" and view.question.text == "Which cost 9?"
    view.sql.value = RIGHT
    assert view.score().rollout.breakdown.total == 1.0 and "Playground on your own" in repr(view)
