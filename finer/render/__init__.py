"""Records in, self-contained HTML and SVG out: the static form of every view, and what the report is made of.

Pure functions: no file, no store, no notebook, no script. Each returns one fragment that carries its own style and can
stand in a notebook's output, in a widget or in a page; ``page`` makes a document of several.

    from finer.render import page, waterfall
    Path("why.html").write_text(page("Why", waterfall(group.rollouts[0], group)))

Not covered: gestures (``widgets``), choosing what to show (``widgets``, ``finer.report``).
"""

from finer.render.atoms import atom_ledger
from finer.render.curves import curves
from finer.render.difference import answer_difference
from finer.render.group import group_table
from finer.render.markup import Markup
from finer.render.memory import memory_gate, memory_matches
from finer.render.memory_map import memory_map
from finer.render.memory_past import memory_as_of, memory_past
from finer.render.pages import page, section
from finer.render.probe import ChangeShares, probe_shares
from finer.render.results import result_difference
from finer.render.waterfall import waterfall

__all__ = [
    "ChangeShares",
    "Markup",
    "answer_difference",
    "atom_ledger",
    "curves",
    "group_table",
    "memory_as_of",
    "memory_gate",
    "memory_map",
    "memory_matches",
    "memory_past",
    "page",
    "probe_shares",
    "result_difference",
    "section",
    "waterfall",
]
