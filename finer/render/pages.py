"""A whole HTML document around fragments: one file that needs no network and no kernel.

Not covered: what goes into the page (``finer.report``).
"""

from __future__ import annotations

from finer.render.markup import Markup, join, tag
from finer.render.style import STYLE

_PAGE_STYLE = tag(
    "style",
    Markup(
        "body{margin:0;background:#fff}@media (prefers-color-scheme:dark){body{background:#0f1419}}"
        "main{max-width:1180px;margin:0 auto;padding:20px 16px 60px}"
        "main>.finer-view{margin:0 0 22px}.finer-view h1{font-size:24px;line-height:1.25;margin:0 0 4px}"
        ".finer-view h2{font-size:18px;margin:14px 0 6px;border-bottom:1px solid var(--f-line);padding-bottom:4px}"
    ),
)


def page(title: str, *fragments: Markup) -> Markup:
    """A complete document; the style sheet that every fragment carries is kept once."""
    heading = tag("div", tag("h1", title), class_="finer-view")
    body = Markup(join(heading, *fragments).replace(STYLE, ""))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        STYLE,
        _PAGE_STYLE,
    )
    return Markup("<!DOCTYPE html>\n" + tag("html", head, tag("body", tag("main", body)), lang="en"))


def section(heading: str, *children: object) -> Markup:
    """A heading with text of one's own, in the looks of the views."""
    return tag("div", STYLE, tag("h2", heading) if heading else None, *children, class_="finer-view")
