"""Guess, then reveal: the answers without their pay, and the order that was guessed beside the order by pay.

Not covered: scoring (``finer.guess``), moving (``widgets``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from finer.guess import Card, Score, Tally, places, score
from finer.records import Group
from finer.render.group import stack
from finer.render.markup import Markup, join, one_line, plain_line, tag, text
from finer.render.scripts import CONTROLS_CSS, Texts, scripted
from finer.render.style import fragment, legend, number, part_class, part_letter, signed, status_badge

_CSS = (
    ".finer-view .q-card{border:1px solid var(--f-line);border-radius:8px;padding:6px 10px;margin:6px 0;display:grid;"
    "grid-template-columns:3.2em minmax(0,1fr);gap:8px;align-items:start}"
    ".finer-view .q-card pre{border:0;max-height:16em;padding:4px 8px}.finer-view .q-letter{font-size:20px;font-weight:700}"
    ".finer-view .q-table{overflow-x:auto}.finer-view .q-table td:nth-child(4){white-space:nowrap}"
)
MOST_CHARACTERS = 3_000


def guess_cards(group: Group, order: Sequence[Card]) -> Markup:
    """The question and the answers in the reader's order, without a word on what they were paid."""
    return fragment("guess", "Guess the order", _head(group), *[_card(card, place) for place, card in enumerate(order, 1)], extra_css=_CSS)


def guess_result(group: Group, order: Sequence[Card], tally: Tally) -> Markup:
    """The reader's order beside the order by pay, how many pairs were right, and the tally over groups."""
    found = score(order)
    said = tag("p", tag("b", score_words(found)), role="status")
    table = _table(order)
    names = [part.name for part in order[0].rollout.breakdown.parts] if order else []
    return fragment("guess", "The order by pay", _head(group), said, tag("p", tally_words(tally)), table, legend(names), extra_css=_CSS)


def guess_static(group: Group, order: Sequence[Card]) -> Markup:
    """The answers, and the order by pay behind a fold: for a page without a kernel."""
    best = sorted(order, key=lambda card: -card.total)
    answer = tag("details", tag("summary", "Reveal what they were paid"), _table(best))
    said = tag("p", "Put them in order, best paid first; then reveal.", class_="f-soft")
    shown = [_card(card, None) for card in order]
    return fragment("guess", "Guess the order", _head(group), said, *shown, answer, extra_css=_CSS)


def guess_page(groups: Sequence[tuple[Group, Sequence[Card]]]) -> Markup:
    """For a page: the answers of these groups to move, to reveal and to go on from, with a tally; the first group's static form without scripts."""
    if not groups:
        return fragment("guess", "Guess the order", tag("p", "No group to put in order yet.", class_="f-soft"))
    still = tag("noscript", guess_static(*groups[0]))
    return Markup(still + fragment("guess", "Guess the order", *scripted("guess", guess_data(groups)), extra_css=CONTROLS_CSS + _CSS))


def guess_data(groups: Sequence[tuple[Group, Sequence[Card]]]) -> dict[str, Any]:
    """What the script shows: by group its question and its cards, each with letter, text, how often it was given, and what it was paid."""
    texts, parts = Texts(MOST_CHARACTERS), []
    rows = []
    for group, cards in groups:
        question = group.question
        told = {"question": question.text, "gold": question.gold[0] if question.gold else "", "db": question.db_id}
        listed = [_carried(card, texts, parts) for card in cards]
        rows.append({"index": question.index, "step": group.step, **{name: texts.place(said) for name, said in told.items()}, "cards": listed})
    return {"texts": texts.all, "parts": parts, "looks": {name: [part_letter(name), part_class(name)] for name in parts}, "groups": rows}


def _carried(card: Card, texts: Texts, parts: list[str]) -> list[Any]:
    breakdown = card.rollout.breakdown
    parts += [part.name for part in breakdown.parts if part.name not in parts]
    paid = [[parts.index(part.name), round(part.contribution, 5)] for part in breakdown.parts]
    sql = plain_line(breakdown.sql or card.rollout.completion)
    return [card.letter, texts.place(card.rollout.completion), card.times, breakdown.total, texts.place(breakdown.status), paid, texts.place(sql)]


def score_words(found: Score) -> str:
    """One sentence on a guess.

    >>> score_words(Score(5, 1, 2))
    '5 of 6 pairs in the right order (Kendall tau +0.67); 2 pairs were paid the same and do not count.'
    >>> score_words(Score(0, 0, 1))
    'All were paid the same: there is no order to find.'
    """
    if found.tau is None:
        return "All were paid the same: there is no order to find."
    tied = f"; {found.tied} pair{'s were' if found.tied != 1 else ' was'} paid the same and do{'' if found.tied != 1 else 'es'} not count" if found.tied else ""
    return f"{found.right} of {found.right + found.wrong} pairs in the right order (Kendall tau {signed(found.tau)}){tied}."


def tally_words(tally: Tally) -> str:
    """The tally over groups.

    >>> tally_words(Tally({1: Score(5, 1), 2: Score(3, 3)}))
    'So far: 2 groups, 8 of 12 pairs in the right order (67 %); by chance it would be half.'
    """
    total = tally.sum
    if total.share is None:
        return "So far: no pair ordered."
    groups = f"{len(tally.scores)} group{'s' * (len(tally.scores) != 1)}"
    pairs = f"{total.right} of {total.right + total.wrong} pairs in the right order ({100 * total.share:.0f} %)"
    return f"So far: {groups}, {pairs}; by chance it would be half."


def _head(group: Group) -> Markup:
    question = group.question
    gold = tag("pre", tag("code", question.gold[0])) if question.gold else None
    facts = tag("p", f"{question.db_id} · question {question.index} · step {group.step}", class_="f-soft")
    return join(tag("p", text(question.text), class_="f-question f-text"), facts, gold)


def _card(card: Card, place: int | None) -> Markup:
    times = tag("div", f"given {card.times} times", class_="f-soft") if card.times > 1 else None
    where = tag("div", f"place {place}", class_="f-soft") if place else None
    body = tag("pre", tag("code", text(card.rollout.completion, MOST_CHARACTERS)))
    return tag("div", tag("div", tag("span", card.letter, class_="q-letter"), where), tag("div", body, times), class_="q-card")


def _table(order: Sequence[Card]) -> Markup:
    scale = max([1e-9] + [card.total for card in order])
    names = ["yours", "answer", "by pay", "total", "parts", "status", "SQL"]
    head = tag("thead", tag("tr", *[tag("th", name, scope="col") for name in names]))
    rows = []
    for place, (card, true_place) in enumerate(zip(order, places(order)), 1):
        breakdown = card.rollout.breakdown
        sql = tag("code", one_line(breakdown.sql or card.rollout.completion))
        cells = (str(place), tag("b", card.letter), str(true_place), number(breakdown.total, 3), stack(breakdown, scale), status_badge(breakdown.status), sql)
        rows.append(tag("tr", *[tag("td", cell) for cell in cells]))
    return tag("div", tag("table", head, tag("tbody", *rows)), class_="q-table")
