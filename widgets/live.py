"""What the views with a front end of their own share: an ES module and a style sheet from ``frontend/``, read once.

Where a reader has no such front end (no kernel, or the widget manager lacks anywidget), the output's HTML form is shown
in its place: every view carries one.

Not covered: what the modules do.
"""

from __future__ import annotations

from pathlib import Path

from finer.render.scripts import script
from finer.render.style import STYLE

FRONTEND = Path(__file__).parent / "frontend"
BASE_CSS = STYLE.removeprefix("<style>").removesuffix("</style>")


def front_end(name: str) -> dict[str, str]:
    """The module, with ``finer.render``'s ``element`` in front, and the style of a view, as the class attributes that anywidget asks for."""
    module, style = ((FRONTEND / f"{name}.{ending}").read_text(encoding="utf-8") for ending in ("js", "css"))
    return {"_esm": script("element") + module, "_css": BASE_CSS + style}
