"""Several fragments of which a page shows one at a time: a reader chooses another answer of a group, another try, another pair.

Not covered: what the fragments show.
"""

from __future__ import annotations

from collections.abc import Sequence

from finer.render.markup import Markup, plain, tag
from finer.render.scripts import CONTROLS_CSS, scripted
from finer.render.style import STYLE

_STYLE = tag("style", Markup(CONTROLS_CSS + ".x-one[hidden]{display:none}.x-one>.finer-view{margin:0 0 22px}"))


def one_of(label: str, named: Sequence[tuple[str, Markup]], chosen: int = 0, over: str = "") -> Markup:
    """The fragments under their names, with a list to choose from; the one at ``chosen`` is shown first.

    ``over``: what the names stand for; lists of one page over the same go together. Without scripts all are shown.
    """
    if len(named) < 2:
        return Markup("".join(shown for _, shown in named))
    texts = [plain(name, 120) for name, _ in named]
    place, held, code = scripted("one_of", {"texts": texts, "label": label, "chosen": chosen, "over": over})
    blocks = [tag("div", tag("noscript", tag("h3", name)), shown, class_="x-one") for name, (_, shown) in zip(texts, named)]
    return tag("div", tag("div", STYLE, _STYLE, place, class_="finer-view"), held, *blocks, code, class_="x-choices")
