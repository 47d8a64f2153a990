"""The page of a report that explores: plotly.js and the answers in one file, which needs no network.

plotly.js is read as text from the installed package, so nothing is fetched and plotly is not imported. What a model or a
person wrote reaches plotly escaped, since it reads some HTML in its hover texts, and the rest of the page as text nodes.

Not covered: which answers are taken (``finer.points``), the same in a notebook (``widgets.explore``).
"""

from __future__ import annotations

import html
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from finer.errors import FinerError
from finer.render.markup import Markup, tag
from finer.render.points import COUNT, PointClass, Points, classes, points_chart
from finer.render.scripts import CONTROLS_CSS, scripted
from finer.render.style import fragment

_CSS = """
.finer-view .x-plot{height:520px;width:100%}
.finer-view .x-chosen{max-height:26em;overflow:auto}
.finer-view .x-chosen td:last-child{width:40%}
.finer-view .x-plot svg{display:inline;width:auto;height:auto}
""".replace("\n", "")

CONFIG = {
    "responsive": True, "displaylogo": False, "showSendToCloud": False, "plotlyServerURL": "", "typesetMath": False,
    "modeBarButtonsToAdd": ["select2d", "lasso2d"],
}  # fmt: skip
"""plotly's settings. Its own offer a button that sends the chart, data and all, to a server; and mathematics in texts."""


class PlotlyMissingError(FinerError):
    """The installed package that holds plotly.js is not there."""


@cache
def plotly_script() -> str:
    """plotly.js as text, about 4.8 MB; PlotlyMissingError where the package is not installed."""
    spec = find_spec("plotly")
    path = Path(spec.origin).parent / "package_data/plotly.min.js" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise PlotlyMissingError("plotly.js is missing: the page is made from the package plotly. Install it: pip install 'plotly>=7.1,<8'.")
    return path.read_text(encoding="utf-8")


def escaped(text: str) -> str:
    """A text as plotly must get it to show it as it stands.

    >>> escaped("a <b> & c")
    'a &lt;b&gt; &amp; c'
    """
    return html.escape(text, quote=False)


def points_data(points: Points) -> dict[str, Any]:
    """What the script draws from: texts once each, everything else as columns."""
    places: dict[str, int] = {}
    rows = [[places.setdefault(text, len(places)) for text in column] for column in (points.questions, points.sql)]
    marks = {by: _marks(classes(values), len(values)) for by, values in points.marks.items()}
    return {
        "texts": list(places), "questions": rows[0], "sql": rows[1], "measures": points.measures, "marks": marks, "count": COUNT, "config": CONFIG,
        "groups": points.group_ids, "positions": points.positions,
    }  # fmt: skip


def _marks(shown: list[PointClass], count: int) -> dict[str, Any]:
    own = [0] * count
    for place, one in enumerate(shown):
        for point in one.places:
            own[point] = place
    return {"names": [one.name for one in shown], "looks": [one.look[:3] for one in shown], "of": own}


def points_page(points: Points) -> Markup:
    """The section with plotly.js, its data and its script; the still drawing where no script runs."""
    return fragment(
        "explore",
        "Explore the answers",
        tag("p", points.said, class_="f-soft"),
        tag("noscript", points_chart(points)),
        tag("script", Markup(plotly_script())),
        *scripted("points", points_data(points)),
        extra_css=CONTROLS_CSS + _CSS,
    )
