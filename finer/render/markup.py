"""The one place where text becomes HTML: everything a model, a person or a database wrote passes through ``text``.

``tag`` builds an element from children; a child that is not already ``Markup`` is escaped, so forgetting to escape is not
possible, only forgetting to mark (which shows angle brackets instead of running them). Characters that hide or reorder
text (control characters, ANSI escapes, direction overrides, zero-width marks, lone surrogates) are shown as visible
escapes such as ``\\u202e``. Long text is cut with a note.

Not covered: rendering Markdown or any other language; text is shown as text.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Any

TEXT_LIMIT = 20_000
"""Characters of one text that are shown; the rest is cut with a note."""

_VOID = frozenset({"br", "col", "hr", "input", "meta"})
_KEPT = frozenset("\n\t\u200c\u200d")  # line breaks, and the joiners that several scripts need to be written right
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


class Markup(str):
    """HTML that this package built: safe to insert as it stands."""

    __slots__ = ()


def _is_hidden(character: str) -> bool:
    return character not in _KEPT and unicodedata.category(character) in _HIDDEN_CATEGORIES


_WALKED = (range(0x20000), range(0xE0000, 0xE1000))
"""Where Unicode has single hidden characters; planes 2 and 3 hold ideographs, 15 and 16 are private as a whole."""
_PRIVATE_PLANES = "\\U000f0000-\\U000ffffd\\U00100000-\\U0010fffd"


def _hidden_class() -> str:
    """The hidden characters as ranges of a regular expression: one pass of C code instead of a Python loop."""
    ranges: list[list[int]] = []
    for code in (code for block in _WALKED for code in block if _is_hidden(chr(code))):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges) + _PRIVATE_PLANES + "]"


_pattern: re.Pattern | None = None


def _hidden_pattern() -> re.Pattern:
    global _pattern  # built on first use: the walk over the characters takes a moment
    if _pattern is None:
        _pattern = re.compile(_hidden_class())
    return _pattern


def visible_escape(character: str) -> str:
    r"""How a hidden character is written out.

    >>> visible_escape("\x1b"), visible_escape("\u202e"), visible_escape("\U000e0041")
    ('\\x1b', '\\u202e', '\\U000e0041')
    """
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def plain(value: Any, limit: int = TEXT_LIMIT) -> str:
    r"""Any value as readable plain text: hidden characters written out, cut at ``limit`` characters with a note.

    >>> plain("a\x1b[31mb")
    'a\\x1b[31mb'
    >>> plain("x" * 12, limit=5)
    'xxxxx … (7 further characters not shown)'
    """
    raw = value if isinstance(value, str) else str(value)
    shown = _hidden_pattern().sub(lambda match: visible_escape(match.group()), raw[:limit])
    if len(raw) > limit:
        shown += f" … ({len(raw) - limit:,} further characters not shown)"
    return shown


def text(value: Any, limit: int = TEXT_LIMIT) -> Markup:
    """Any value as safe HTML text.

    >>> text("<script>alert('[b]')</script>")
    '&lt;script&gt;alert(&#x27;[b]&#x27;)&lt;/script&gt;'
    """
    return Markup(html.escape(plain(value, limit), quote=True))


def plain_line(value: Any, limit: int = 160) -> str:
    """A text on one line as plain text, with an ellipsis where it was cut: for what is no HTML, such as a list's options.

    >>> plain_line("SELECT name\\n  FROM artist"), plain_line("abcdef", limit=3)
    ('SELECT name FROM artist', 'abc …')
    """
    line = " ".join(str(value)[: 4 * limit].split())
    return plain(line[:limit] + " …" if len(line) > limit else line)


def one_line(value: Any, limit: int = 160) -> Markup:
    """The same as HTML.

    >>> one_line("a <\\n b")
    'a &lt; b'
    """
    return Markup(html.escape(plain_line(value, limit), quote=True))


def join(*children: Any) -> Markup:
    """Children one after the other; strings and numbers are escaped, ``Markup`` is kept, ``None`` is nothing."""
    return Markup("".join(_child(child) for child in children))


def _child(child: Any) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, (list, tuple)):
        return join(*child)
    return text(child)


def tag(element: str, *children: Any, **attributes: Any) -> Markup:
    """One element. ``class_`` stands for class, ``_`` in names for ``-``; ``True`` writes a bare attribute, ``None`` none.

    >>> tag("p", "1 < 2", class_="note", aria_hidden="true")
    '<p class="note" aria-hidden="true">1 &lt; 2</p>'
    """
    written = "".join(_attribute(name, value) for name, value in attributes.items())
    if element in _VOID:
        return Markup(f"<{element}{written}>")
    return Markup(f"<{element}{written}>{join(*children)}</{element}>")


def _attribute(name: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    if written in (
        "viewbox",
        "preserveaspectratio",
    ):  # SVG names are camel case; an HTML parser mends them, XML would not
        written = {"viewbox": "viewBox", "preserveaspectratio": "preserveAspectRatio"}[written]
    return f" {written}" if value is True else f' {written}="{text(_number(value))}"'


def _number(value: Any) -> Any:
    """Coordinates at two decimals: a third of a pixel is finer than any screen, and pages stay small."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
