"""Two runs compared in a page that can be sent: their questions as data, filtered and searched by a plain script.

Works on anything with the fields of ``finer.compare_runs``' records.

Not covered: finding the pairs (``finer.compare_runs``), the form without scripts (``runs_apart``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from finer.render.markup import Markup, plain, tag
from finer.render.runs_apart import APART_CSS, comparison_words
from finer.render.scripts import CONTROLS_CSS, scripted
from finer.render.style import fragment

MOST_PAIRS = 1_000
LONGEST_SQL = 1_000


def apart_page(comparison: Any, parts: Sequence[str], names: tuple[str, str], answer: Callable[[Any, int], str]) -> Markup:
    """The section with its data and its script; of more than MOST_PAIRS pairs those that changed most, and the page says so.

    ``answer(pair, place)`` is the SQL that run ``place`` (0 or 1) wrote, where the pair itself holds none.
    """
    pairs = comparison.chosen()
    cut = f"The page holds {MOST_PAIRS:,} of {len(pairs):,} questions, those that changed most." if len(pairs) > MOST_PAIRS else None
    return fragment(
        "pairs",
        "Questions of both runs",
        tag("p", comparison_words(comparison, names)),
        tag("p", cut, class_="f-soft") if cut else None,
        *scripted("apart", pairs_data(pairs[:MOST_PAIRS], parts, names, answer)),
        extra_css=CONTROLS_CSS + APART_CSS,
    )


def pairs_data(pairs: Sequence[Any], parts: Sequence[str], names: tuple[str, str], answer: Callable[[Any, int], str]) -> dict[str, Any]:
    """What the script draws; texts once each."""
    texts: dict[str, int] = {}

    def place(value: str, limit: int) -> int:
        return texts.setdefault(plain(" ".join(value[: 4 * limit].split()), limit), len(texts))

    def side(pair: Any, at: int) -> list[Any]:
        one = (pair.first, pair.second)[at]
        sql = place(one.sql or answer(pair, at), LONGEST_SQL)
        return [one.right, place(one.status, 60), sql, one.group_id, one.step]

    rows = []
    for pair in pairs:
        about = " · ".join(one for one in (str(pair.question_index), pair.db_id, pair.question) if one)
        moves = [pair.part_change(part) for part in parts]
        rows.append([pair.change, place(about, 300), side(pair, 0), side(pair, 1), moves])
    shown = [plain(name, 60) for name in parts]
    return {"texts": list(texts), "pairs": rows, "parts": shown, "names": [plain(name, 60) for name in names]}
