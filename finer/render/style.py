"""Looks shared by every view: colours, the style sheet, and the frame around a fragment.

Colours are Okabe and Ito's, which people with any common colour blindness can tell apart; every colour also comes with a
word, a letter or a texture. A fragment carries the style sheet once, under the class ``finer-view``; ``page`` drops the
repeats. Light and dark follow JupyterLab's theme, VS Code's and Colab's where they say so, else the system's preference.

Not covered: printing on paper.
"""

from __future__ import annotations

from typing import Any

from finer.render.markup import Markup, join, tag

_PARTS = {
    "format": ("F", "format"),
    "execution": ("X", "execution"),
    "atomic": ("A", "atomic"),
    "memory": ("M", "memory"),
}

STATUS_WORDS = {
    "correct": ("✓", "right", "good"),
    "wrong": ("✗", "wrong rows", "bad"),
    "ok": ("✗", "wrong rows", "bad"),
    "empty": ("∅", "no rows", "bad"),
    "error": ("!", "SQL error", "bad"),
    "timeout": ("◷", "timed out", "bad"),
    "too_large": ("↥", "result too large", "bad"),
    "refused": ("⊘", "refused", "bad"),
    "gold_failed": ("?", "not judged: gold failed", "unknown"),
    "not_judged": ("?", "not judged", "unknown"),
}


def part_letter(name: str) -> str:
    """One letter that stands for a part in a small bar: F, X, A, M, else the name's first letter."""
    return _PARTS.get(name, (name[:1].upper() or "?",))[0]


def part_class(name: str) -> str:
    """The class that gives a part its colour and texture; a part of one's own gets ``p-other``."""
    return "p-" + _PARTS.get(name, ("", "other"))[1]


def status_badge(status: str) -> Markup:
    """A status as symbol and words, for example '✗ wrong rows'."""
    symbol, words, tone = STATUS_WORDS.get(status, ("?", status, "unknown"))
    return tag("span", tag("span", symbol, aria_hidden="true"), " " + words, class_=f"f-badge f-{tone}")


def signed(value: float | None, digits: int = 2) -> str:
    """A number with its sign and a true minus; an em dash where there is none.

    >>> signed(0.314), signed(-0.05), signed(0.0), signed(None)
    ('+0.31', '−0.05', '0.00', '—')
    """
    if value is None:
        return "—"
    rounded = f"{abs(value):.{digits}f}"
    if not float(rounded):
        return rounded
    return ("+" if value > 0 else "−") + rounded


def number(value: float | None, digits: int = 2) -> str:
    """A number without a plus; an em dash where there is none.

    >>> number(1.0), number(-0.5), number(None)
    ('1.00', '−0.50', '—')
    """
    return signed(value, digits).lstrip("+")


def legend(names: list[str]) -> Markup:
    """The parts' colours with their letters and names."""
    keys = [
        tag("span", tag("i", part_letter(name), class_=f"f-key {part_class(name)}", aria_hidden="true"), " ", name)
        for name in names
    ]
    return tag("p", *[join(key, " ") for key in keys], class_="f-legend")


def fragment(kind: str, label: str, *children: Any, extra_css: str = "") -> Markup:
    """One self-contained view: the style sheet, then the content as a labelled section."""
    extra = tag("style", Markup(extra_css)) if extra_css else None
    content = tag("section", extra, *children, class_=f"f-{kind}", aria_label=label)
    return tag("div", STYLE, content, class_="finer-view")


_LIGHT = """
--f-ink:var(--jp-ui-font-color0,var(--vscode-editor-foreground,#1b1f24));
--f-soft:var(--jp-ui-font-color2,var(--vscode-descriptionForeground,#57606a));
--f-back:var(--jp-layout-color0,var(--vscode-editor-background,#ffffff));
--f-card:#f5f7f9;--f-line:#d0d7de;--f-grid:#e6eaee;--f-good:#00664b;--f-bad:#a63d00;--f-tint-good:#dcf3ea;--f-tint-bad:#fdeadd;
--f-format:#56b4e9;--f-execution:#009e73;--f-atomic:#e69f00;--f-memory:#cc79a7;--f-other:#8c8c8c;--f-total:#0072b2;
--f-down:#d55e00;--f-texture:rgba(0,0,0,.28);--f-lit:#fff3a3;--f-matched:#0072b2;--f-missing:#c25500;--f-extra:#a3477b;--f-changed:#6b6400;
"""
_DARK = """
--f-ink:var(--jp-ui-font-color0,var(--vscode-editor-foreground,#e6edf3));
--f-soft:var(--jp-ui-font-color2,var(--vscode-descriptionForeground,#9aa7b4));
--f-back:var(--jp-layout-color0,var(--vscode-editor-background,#0f1419));
--f-card:#1a2129;--f-line:#3a444f;--f-grid:#29323b;--f-good:#5fd3ae;--f-bad:#ff9d5c;--f-tint-good:#123329;--f-tint-bad:#3b2313;
--f-format:#56b4e9;--f-execution:#19b38a;--f-atomic:#e69f00;--f-memory:#d68ab4;--f-other:#9a9a9a;--f-total:#4ba3dc;
--f-down:#e8742a;--f-texture:rgba(0,0,0,.38);--f-lit:#5c5200;--f-matched:#5db1e8;--f-missing:#ff9d5c;--f-extra:#e59fc6;--f-changed:#d3c84b;
"""
_THEMES = f"""
.finer-view{{{_LIGHT}}}
@media (prefers-color-scheme:dark){{.finer-view{{{_DARK}}}}}
[data-jp-theme-light="true"] .finer-view,.vscode-light .finer-view,html[theme="light"] .finer-view{{{_LIGHT}}}
[data-jp-theme-light="false"] .finer-view,.vscode-dark .finer-view,html[theme="dark"] .finer-view{{{_DARK}}}
.widget-tab-contents .finer-view{{--f-back:var(--jp-layout-color1,transparent)}}
"""
_BASE = """
.finer-view{background:var(--f-back);color:var(--f-ink);font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
container-type:inline-size;width:100%;box-sizing:border-box;padding:4px 2px;text-align:left;overflow-wrap:anywhere}
.finer-view *{box-sizing:border-box}
.finer-view h3{font-size:15px;line-height:1.3;margin:14px 0 6px;font-weight:650;color:inherit}
.finer-view section>h3:first-of-type{margin-top:2px}
.finer-view h4{font-size:13px;margin:10px 0 4px;font-weight:650;color:inherit}
.finer-view p{margin:4px 0;color:inherit}
.finer-view .f-soft{color:var(--f-soft);font-size:13px}
.finer-view .f-number{font-variant-numeric:tabular-nums;white-space:nowrap;text-align:right}
.finer-view pre,.finer-view code{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;color:inherit;
background:none;unicode-bidi:isolate;direction:ltr;word-break:normal}
.finer-view pre{margin:0;padding:8px 10px;background:var(--f-card);border:1px solid var(--f-line);border-radius:6px;white-space:pre-wrap;
max-height:24em;overflow:auto}
.finer-view .f-text{unicode-bidi:isolate}
.finer-view details>summary{cursor:pointer}
.finer-view .f-listens{display:none}
.finer-view summary:focus-visible,.finer-view [tabindex]:focus-visible{outline:2px solid var(--f-total);outline-offset:2px}
.finer-view .f-badge{white-space:nowrap;border-radius:9px;padding:1px 8px;font-size:12.5px;border:1px solid var(--f-line)}
.finer-view .f-good{color:var(--f-good);background:var(--f-tint-good);border-color:transparent}
.finer-view .f-bad{color:var(--f-bad);background:var(--f-tint-bad);border-color:transparent}
.finer-view .f-legend{display:flex;flex-wrap:wrap;gap:2px 14px;font-size:12.5px;color:var(--f-soft)}
.finer-view .f-key{display:inline-block;width:18px;height:18px;line-height:18px;text-align:center;font-style:normal;font-weight:700;font-size:11px;
color:#111;border-radius:3px}
.finer-view .p-format{background-color:var(--f-format)}
.finer-view .p-execution{background-color:var(--f-execution);background-image:repeating-linear-gradient(45deg,transparent 0 5px,var(--f-texture) 5px 6px)}
.finer-view .p-atomic{background-color:var(--f-atomic);background-image:radial-gradient(var(--f-texture) 1px,transparent 1.2px);background-size:5px 5px}
.finer-view .p-memory{background-color:var(--f-memory);background-image:repeating-linear-gradient(0deg,transparent 0 4px,var(--f-texture) 4px 5px)}
.finer-view .p-other{background-color:var(--f-other)}
.finer-view svg{display:block;width:100%;height:auto;font:11px system-ui,"DejaVu Sans",sans-serif}
.finer-view svg text{fill:var(--f-soft)}
"""
_CURVES = """
.finer-view .f-panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(290px,100%),1fr));gap:10px}
.finer-view .f-panel{border:1px solid var(--f-line);border-radius:8px;padding:8px 10px 4px;margin:0;min-width:0}
.finer-view .f-panel figcaption{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 8px;align-items:baseline;font-size:13px;color:inherit}
.finer-view .f-panel figcaption b{font-weight:600}
.finer-view .f-panel .f-last{font-size:17px;font-weight:650;font-variant-numeric:tabular-nums;white-space:nowrap}
.finer-view .f-panel .f-last small{font-size:11px;font-weight:400;color:var(--f-soft)}
.finer-view .f-panel svg{overflow:visible}
.finer-view .c-grid{stroke:var(--f-grid);stroke-width:1}
.finer-view .c-axis{stroke:var(--f-line);stroke-width:1}
.finer-view .c-line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.finer-view .c-band{stroke:none;opacity:.22}
.finer-view .c-whisker{stroke-width:1.5}
.finer-view .c-told{fill:transparent}.finer-view .c-told:hover{fill:var(--f-total);opacity:.16}
.finer-view .c-chosen{stroke:var(--f-total);stroke-width:1.5;stroke-dasharray:3 3}
.finer-view .s-format{stroke:var(--f-format);fill:var(--f-format)}.finer-view .s-execution{stroke:var(--f-execution);fill:var(--f-execution)}
.finer-view .s-atomic{stroke:var(--f-atomic);fill:var(--f-atomic)}.finer-view .s-memory{stroke:var(--f-memory);fill:var(--f-memory)}
.finer-view .s-other{stroke:var(--f-other);fill:var(--f-other)}.finer-view .s-total{stroke:var(--f-total);fill:var(--f-total)}
.finer-view .s-down{stroke:var(--f-down);fill:var(--f-down)}
.finer-view .c-line.c-line{fill:none}
"""
_GROUP = """
.finer-view table{border-collapse:collapse;width:100%;font-size:13px;margin:6px 0;color:inherit;border:0}
.finer-view th,.finer-view td{text-align:left;padding:5px 8px;border:0;border-bottom:1px solid var(--f-grid);vertical-align:middle;background:none;
white-space:normal;max-width:none}
.finer-view.finer-view table{table-layout:auto}.finer-view.finer-view th,.finer-view.finer-view td{text-align:left}
.finer-view tr{background:none}
.finer-view th{font-weight:600;color:var(--f-soft);font-size:12px;overflow-wrap:normal}
.finer-view th.f-number,.finer-view td.f-number{text-align:right}
.finer-view .f-answers td:last-child{width:38%}
.finer-view .f-answers td:nth-child(2){min-width:150px}
.finer-view .f-stack{display:flex;height:18px;min-width:110px;background:var(--f-card);border-radius:3px;overflow:hidden}
.finer-view .f-stack i{display:block;font:700 11px/18px system-ui,sans-serif;color:#111;text-align:center;overflow:hidden;border-right:1px solid var(--f-back)}
.finer-view .f-chosen{box-shadow:inset 3px 0 var(--f-total)}
.finer-view .f-question{font-size:16px;font-weight:600;margin:2px 0 6px}
@container (max-width:640px){
.finer-view .f-answers thead{display:none}
.finer-view .f-answers tr{display:grid;grid-template-columns:auto 1fr auto auto;gap:2px 8px;border-bottom:1px solid var(--f-line);padding:6px 4px}
.finer-view .f-answers td{border:0;padding:2px 0}
.finer-view .f-answers td:nth-child(2){grid-column:2/5}
.finer-view .f-answers td:nth-child(6){grid-column:1/3;grid-row:2}
.finer-view .f-answers td:nth-child(5){grid-column:1/5}
.finer-view .f-answers td:nth-child(3){grid-column:3;grid-row:2}
.finer-view .f-answers td:nth-child(4){grid-column:4;grid-row:2}
.finer-view .f-answers td:last-child{grid-column:1/5;width:auto}}
"""
_WATERFALL = """
.finer-view .w-row{border-bottom:1px solid var(--f-grid);padding:4px 0}
.finer-view .w-grid{display:grid;grid-template-columns:11.5em 1fr 5.5em;gap:2px 10px;align-items:center}
.finer-view .w-row>summary{list-style:none}
.finer-view .w-row>summary::-webkit-details-marker{display:none}
.finer-view .w-row>summary .w-name::before{content:"▸";color:var(--f-soft);display:inline-block;width:1em}
.finer-view .w-row[open]>summary .w-name::before{content:"▾"}
.finer-view .w-name{font-weight:600}
.finer-view .w-said{grid-column:2/4;color:var(--f-soft);font-size:13px}
.finer-view .w-bar svg,.finer-view .w-axis svg{height:22px}
.finer-view .w-axis{position:relative;height:18px;font-size:11px;color:var(--f-soft)}
.finer-view .w-axis span{position:absolute;transform:translateX(-50%);white-space:nowrap}
.finer-view .w-axis span.w-mean{color:var(--f-ink);font-weight:600}
.finer-view .w-axis span.w-start{transform:none}.finer-view .w-axis span.w-end{transform:translateX(-100%)}
.finer-view .w-sum{border-top:2px solid var(--f-line);border-bottom:0;font-weight:600}
.finer-view .w-sum .w-said{font-weight:400}
.finer-view .w-evidence{margin:6px 0 8px;padding-left:1.4em;display:grid;grid-template-columns:max-content minmax(0,1fr);gap:4px 14px;align-items:baseline}
.finer-view .w-evidence dt{float:none;width:auto;font-weight:600;font-size:12.5px;color:var(--f-soft)}
.finer-view .w-evidence dd{margin:0;width:auto;font-size:13px}
.finer-view .w-note{border-left:3px solid var(--f-atomic);padding:4px 10px;background:var(--f-card);border-radius:0 6px 6px 0}
.finer-view .w-meanline{stroke:var(--f-ink);stroke-width:1.5;stroke-dasharray:3 3;vector-effect:non-scaling-stroke}
.finer-view .w-zero{stroke:var(--f-line);stroke-width:1;vector-effect:non-scaling-stroke}
.finer-view .w-link{stroke:var(--f-soft);stroke-width:1;vector-effect:non-scaling-stroke}
.finer-view .w-bar rect{stroke:none}
@container (max-width:640px){
.finer-view .w-grid{grid-template-columns:1fr 5.5em}
.finer-view .w-grid>.w-bar,.finer-view .w-grid>.w-axis{grid-column:1/3;grid-row:2}
.finer-view .w-said{grid-column:1/3}
.finer-view .w-evidence{grid-template-columns:minmax(0,1fr);gap:2px}
.finer-view .w-grid>.w-empty{display:none}}
"""
_ATOMS = """
.finer-view .a-pair{display:grid;grid-template-columns:1fr 1fr;gap:10px}
.finer-view .a-pair>div{min-width:0}
.finer-view .a-span{border-radius:2px;text-decoration-thickness:2px;text-underline-offset:3px}
.finer-view .a-matched{text-decoration:underline solid var(--f-matched) 2px}
.finer-view .a-missing{text-decoration:underline dashed var(--f-missing) 2px}
.finer-view .a-extra{text-decoration:underline wavy var(--f-extra) 1.5px}
.finer-view .a-changed{text-decoration:underline dotted var(--f-changed) 3px}
.finer-view .a-chip{display:inline-block;margin:1px 6px 1px 0;padding:0 6px;border:1px solid var(--f-line);border-left-width:4px;border-radius:4px;
font:12.5px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;cursor:default;max-width:100%}
.finer-view .a-chip.k-matched{border-left-color:var(--f-matched)}
.finer-view .a-chip.k-missing{border-left-color:var(--f-missing);border-left-style:dashed}
.finer-view .a-chip.k-extra{border-left-color:var(--f-extra);border-left-style:double}
.finer-view .a-chip.k-changed{border-left-color:var(--f-changed);border-left-style:dotted}
.finer-view .a-chip small{color:var(--f-soft)}
.finer-view .a-ledger th[scope=row]{white-space:nowrap;vertical-align:top}
.finer-view .a-ledger td{width:22%;vertical-align:top}
@container (max-width:640px){
.finer-view .a-pair{grid-template-columns:1fr}
.finer-view .a-ledger thead{display:none}
.finer-view .a-ledger tr{display:block;border-bottom:1px solid var(--f-line);padding:4px 0}
.finer-view .a-ledger th,.finer-view .a-ledger td{display:block;width:auto;border:0;padding:1px 0}
.finer-view .a-ledger td:empty{display:none}
.finer-view .a-ledger td::before{content:attr(data-kind) " ";color:var(--f-soft);font-size:12px}}
"""
_MEMORY = """
.finer-view .m-row{display:grid;grid-template-columns:7.5em 1fr;gap:2px 12px;padding:7px 0;border-bottom:1px solid var(--f-grid)}
.finer-view .m-track{height:12px;background:var(--f-card);border-radius:3px;overflow:hidden;margin-top:3px}
.finer-view .m-track i{display:block;height:100%}
.finer-view .m-list{list-style:none;margin:6px 0;padding:0}
.finer-view .m-gate ul{list-style:none;margin:0;padding:0}.finer-view .m-gate td,.finer-view .m-gate th{vertical-align:top}
.finer-view .m-gate td.m-count{white-space:nowrap}
.finer-view blockquote{margin:4px 0;padding:6px 12px;border-left:3px solid var(--f-memory);background:var(--f-card);white-space:pre-wrap;max-height:18em;
overflow:auto;color:inherit;border-radius:0 6px 6px 0}
@container (max-width:480px){.finer-view .m-row{grid-template-columns:1fr}}
"""
_REPORT = """
.finer-view .r-cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(160px,100%),1fr));gap:10px;margin:10px 0}
.finer-view .r-card{border:1px solid var(--f-line);border-radius:8px;padding:10px 12px;display:flex;flex-direction:column;gap:2px}
.finer-view .r-card b{font-size:24px;line-height:1.15;font-variant-numeric:tabular-nums}
.finer-view .r-card small{color:var(--f-soft);font-size:12px}
.finer-view .r-changes td{vertical-align:top}
.finer-view .r-changes th{white-space:nowrap}
.finer-view .r-changes td:nth-child(n+2){width:47%}
.finer-view .r-facts th{width:16em;vertical-align:top}
@container (max-width:640px){.finer-view .r-facts th{width:9em}.finer-view .r-changes tr{display:block;border-bottom:1px solid var(--f-line)}
.finer-view .r-changes td{display:block;width:auto;border:0;padding:2px 0;text-align:left}.finer-view .r-changes thead{display:none}}
"""
STYLE = tag(
    "style", Markup((_THEMES + _BASE + _CURVES + _GROUP + _WATERFALL + _ATOMS + _MEMORY + _REPORT).replace("\n", ""))
)
"""The style sheet of every fragment, as one element; the same text everywhere, so that ``page`` can drop the repeats."""
