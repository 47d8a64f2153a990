"""The static views: what they say, that hostile text stays text, and that the HTML is whole and needs nothing else."""

from __future__ import annotations

import dataclasses
import html
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
import render_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from finer.records import AtomicOverlap, RewardBreakdown, RewardPart
from finer.render import atom_ledger, curves, group_table, memory_gate, memory_matches, page, waterfall
from finer.render.atoms import marked
from finer.render.charts import Point, nice_ticks, thin
from finer.render.markup import Markup, plain, tag, text
from finer.render.style import STYLE
from finer.render.waterfall import advantage_sum, stages, ungated_total

VOID = {"meta", "br", "hr", "col"}


class Reader(HTMLParser):
    """Reads a page as a browser would: its text, its elements, and whether every element is closed in order."""

    def __init__(self, source: str):
        super().__init__(convert_charrefs=True)
        self.open, self.seen, self.words, self.attributes = [], [], [], []
        self.feed(source)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, name, attributes):
        self.seen.append(name)
        self.attributes += attributes
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open and self.open.pop() == name, f"</{name}> closes nothing"

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def all_views() -> dict[str, str]:
    group = samples.group()
    wrong = group.rollouts[1]
    evaluations = [SimpleNamespace(step=0, split="dev", metric="strict", value=0.4, n=50)]
    return {
        "curves": curves(samples.curves(30), evaluations),
        "group": group_table(group),
        "waterfall": waterfall(wrong, group),
        "atoms": atom_ledger(wrong, group.question),
        "memory": memory_matches(wrong),
    }


HOSTILE = {
    "script": ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    "attribute": ('" onmouseover="alert(1)', "&quot; onmouseover=&quot;alert(1)"),
    "markdown and rich markup": ("[b]**x**[/b]", "[b]**x**[/b]"),
    "ansi colour": ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
    "right-to-left override": ("abc\u202edef", "abc\\u202edef"),
    "zero width": ("a\u200bb", "a\\u200bb"),
    "lone surrogate": ("a\udc80b", "a\\udc80b"),
    "nul": ("a\x00b", "a\\x00b"),
    "carriage return": ("a\rb", "a\\x0db"),
    "line breaks stay": ("a\n\tb", "a\n\tb"),
    "joiner stays": ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
    "entity": ("&lt;", "&amp;lt;"),
}


@pytest.mark.parametrize(("raw", "shown"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_shown_as_text(raw, shown):
    assert text(raw) == shown


@given(st.text(alphabet=st.characters(), max_size=200))
def test_escaped_text_reads_back_as_the_visible_text(raw):
    shown = text(raw)
    assert not set("<>\"'") & set(shown)
    assert html.unescape(shown) == plain(raw)
    shown.encode("utf-8")


def test_a_long_line_is_cut_with_a_note():
    shown = text("x" * 1_000_000, limit=1000)
    assert shown.endswith("x … (999,000 further characters not shown)")
    assert len(shown) < 1100


def test_tag_escapes_children_and_attributes_unless_they_are_markup():
    assert tag("b", "<", Markup("<i></i>"), None, title='"') == '<b title="&quot;">&lt;<i></i></b>'


@pytest.mark.parametrize("name", all_views().keys())
def test_each_view_is_whole_and_self_contained(name):
    source = all_views()[name]
    reader = Reader(source)
    assert source.count("<style>") <= 2 and "script" not in reader.seen
    assert not re.search(r"https?://|url\(|@import", source)
    assert not any(attribute == "id" for attribute, _ in reader.attributes), "an id could clash with another fragment's"


@pytest.mark.parametrize("name", all_views().keys())
def test_each_view_is_the_same_every_time(name):
    assert all_views()[name] == all_views()[name]


def test_every_drawing_has_a_name_for_a_reader_that_cannot_see():
    for name, source in all_views().items():
        for drawing in re.findall(r"<svg[^>]*>(?:<title>)?", source):
            assert 'role="img"' in drawing and 'aria-label="' in drawing and drawing.endswith("<title>"), name


HOSTILE_TEXT = "<script>alert(1)</script>\x1b[31m\u202e[b]" + "y" * 1_000_000


def hostile_group():
    parts = tuple(
        RewardPart(
            name,
            0.5,
            0.25,
            {"summary": HOSTILE_TEXT, HOSTILE_TEXT[:60]: [HOSTILE_TEXT], "neighbours": hostile_neighbours()},
        )
        for name in ("format", "execution", "atomic", "memory", "<b>own</b>")
    )
    paid = RewardBreakdown(HOSTILE_TEXT[:60], "<odd>", parts, HOSTILE_TEXT, HOSTILE_TEXT)
    member = dataclasses.replace(samples.group().rollouts[0], breakdown=paid, completion=HOSTILE_TEXT)
    asked = dataclasses.replace(
        samples.question(text=HOSTILE_TEXT), gold=(HOSTILE_TEXT,), evidence=HOSTILE_TEXT, db_id="<db>"
    )
    return dataclasses.replace(samples.group(), question=asked, rollouts=(member, member))


def hostile_neighbours():
    return [dict(samples.NEIGHBOURS[0], thought=HOSTILE_TEXT, db_id="<script>", source="<script>")]


def test_nothing_hostile_runs_and_the_page_stays_small():
    group = hostile_group()
    member = group.rollouts[0]
    overlap = AtomicOverlap(None, reason=HOSTILE_TEXT)
    views = (
        group_table(group),
        waterfall(member, group),
        atom_ledger(member, group.question, overlap),
        memory_matches(member),
    )
    source = page(HOSTILE_TEXT[:40], *views)
    reader = Reader(source)
    assert not {"script", "b", "odd", "db"} & (set(reader.seen) - {"b"})
    assert "\x1b" not in source and "\u202e" not in source and "\\u202e" in source
    assert len(source) < 400_000


def test_page_keeps_one_style_sheet():
    source = page("Two views", *all_views().values())
    assert source.count(STYLE) == 1 and source.startswith("<!DOCTYPE html>")
    Reader(source)


# --- curves


def test_curves_say_the_last_values_and_the_accuracy_before_and_after():
    judged = [
        SimpleNamespace(step=step, split="dev", metric="strict", value=value, n=50)
        for step, value in ((0, 0.4), (30, 0.66))
    ]
    said = Reader(curves(samples.curves(30), judged)).text
    for words in (
        "Right on dev (strict, n 50) 66.0% was 40.0%",
        "Total reward 0.70",
        "Part: atomic 0.80",
        "Groups without a signal 25%",
        "60",
    ):
        assert words in said


GAPS = {
    "no step yet": ({}, "No step has been recorded yet"),
    "only missing values": ({"reward": [(1, None), (2, float("nan"))]}, "No step has been recorded yet"),
    "one point": ({"reward": [(1, 0.5)]}, "Total reward 0.50"),
    "a gap": ({"reward": [(1, 0.5), (2, None), (3, 0.75)]}, "Total reward 0.75"),
    "flat": ({"reward": [(1, 0.0), (2, 0.0)]}, "Total reward 0.00"),
    "negative": ({"reward": [(1, -0.5), (2, -0.25)]}, "Total reward −0.25"),
}


@pytest.mark.parametrize(("metrics", "words"), GAPS.values(), ids=GAPS.keys())
def test_curves_with_little_to_draw(metrics, words):
    assert words in Reader(curves(metrics)).text


def test_an_evaluation_that_judged_nothing_is_not_drawn_as_zero():
    unjudged = [SimpleNamespace(step=0, split="dev", metric="strict", value=None, n=0)]
    assert "Right on dev" not in curves(samples.curves(3), unjudged)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_lie_inside_and_are_few(low, width):
    ticks = nice_ticks(low, low + width)
    assert 1 <= len(ticks) <= 9
    assert all(low - width * 1e-6 <= tick <= low + width * (1 + 1e-6) for tick in ticks)


@pytest.mark.parametrize("count", [1, 300, 301, 5000])
def test_a_long_series_is_thinned_and_keeps_its_last_point(count):
    points = [Point(place, place, place, place) for place in range(count)]
    kept = thin(points)
    assert len(kept) <= 300 and kept[-1] == points[-1]


# --- group


def test_group_table_orders_by_total_and_says_the_status_in_words():
    said = Reader(group_table(samples.group())).text
    places = [said.index(words) for words in ("✓ right", "✗ wrong rows", "! SQL error", "⊘ refused")]
    assert places == sorted(places)
    assert "1 of 4 answers right, mean total 0.41, spread 0.41 (mixed)." in said
    assert "▲ +1.43" in said and "▼ −0.14" in said


def test_group_without_signal_says_so():
    assert "all were paid the same, so this group gives no signal" in group_table(samples.silent_group(1, 1))


def test_not_scored_is_not_zero_in_words():
    source = group_table(samples.group())
    assert "atomic not scored, memory not scored" in source


# --- waterfall


def test_where_all_were_paid_the_same_the_plain_difference_is_shown():
    equals = samples.silent_group(3, 1)
    total = equals.rollouts[0].breakdown.total
    assert advantage_sum(equals.rollouts[0], [total] * 4) == (0.0, f"{total:.3f} − {total:.3f} = 0.000")


def test_waterfall_ends_in_the_advantage_as_arithmetic():
    group = samples.group()
    said = Reader(waterfall(group.rollouts[1], group)).text
    value, arithmetic = advantage_sum(group.rollouts[1], [1.0, 0.355, 0.24, 0.05])
    assert arithmetic == "(0.355 − 0.411) / (0.4122 + 0.0001) = −0.136" and arithmetic in said
    assert abs(value - group.rollouts[1].advantage) < 1e-9 and "The trainer used" not in said
    assert "row (3, 'Ada') is missing on instance 2" in said


def test_waterfall_stages_add_up_to_the_total():
    for member in samples.group().rollouts:
        rows = stages(member.breakdown)
        assert [row.name for row in rows] == ["format", "runs", "right", "atomic", "memory"]
        assert abs(sum(row.amount or 0 for row in rows) - member.breakdown.total) < 1e-12


PAID_WITHIN = {0: ("paid within “right”", "paid within “runs”"), 1: ("paid within “runs”", "paid within “right”")}
"""Of a right answer and of a wrong one: what one row of execution says of its pay, and what none says."""


@pytest.mark.parametrize("place", PAID_WITHIN)
def test_waterfall_says_in_which_row_execution_is_paid(place):
    group, (said, unsaid) = samples.group(), PAID_WITHIN[place]
    paid = [text for text in re.findall(r"<dd>([^<]* × [^<]*)</dd>", waterfall(group.rollouts[place], group)) if "within" in text]
    assert len(paid) == 1 and paid[0].endswith(f", {said}") and unsaid not in paid[0]


def test_waterfall_says_when_the_trainer_scaled_otherwise():
    group = samples.group()
    member = dataclasses.replace(group.rollouts[0], advantage=0.5)
    assert "The trainer used +0.500" in waterfall(member, group)


def test_waterfall_shows_what_the_gate_held_back():
    parts = (
        RewardPart("format", 0.0, 1.0, {"summary": "the thought is not closed"}),
        RewardPart("atomic", 0.0, 1.0, {"summary": "held by the gate", "ungated": 0.68}),
    )
    breakdown = RewardBreakdown("paper", "wrong", parts, "", GOLD)
    member = dataclasses.replace(samples.group().rollouts[0], breakdown=breakdown)
    group = dataclasses.replace(samples.group(), rollouts=(member,))
    assert ungated_total(breakdown) == 0.68
    assert "it would have scored 0.68 without the gate" in waterfall(member, group)


GOLD = samples.GOLD

# --- atoms


def test_ledger_links_each_atom_to_both_texts():
    group = samples.group()
    source = atom_ledger(group.rollouts[1], group.question)
    said = Reader(source).text
    assert "2 in both, 1 only in gold, 1 only in the prediction. Overlap: 2 / (2 + 1 + 1) = 0.500" in said
    assert source.count('class="a-span a-matched h1 n1"') == 2 and source.count('class="a-chip k-matched h1 n1"') == 1
    assert ":has(.h1:hover) .n1" in source


def test_ledger_does_the_sum_as_the_recipe_counted():
    group = samples.group()
    old, question = group.rollouts[1], group.question
    evidence = old.breakdown.part("atomic").evidence
    near = {"changed": [[evidence["extra"][0], evidence["missing"][0]]], "overlap": 2.5 / 3, "counting": {"extra": 0.5, "changed": 0.5}}
    strict = {"overlap": 2 / 3.5, "counting": {"extra": 0.5, "changed": None}}
    for more, sum_ in ((near, "Overlap: (2 + 0.5·1) / (2 + 1 + 0.5·0) = 0.833"), (strict, "Overlap: 2 / (2 + 1 + 0.5·1) = 0.571")):
        parts = tuple(dataclasses.replace(p, evidence={**evidence, **more}) if p.name == "atomic" else p for p in old.breakdown.parts)
        said = Reader(atom_ledger(dataclasses.replace(old, breakdown=dataclasses.replace(old.breakdown, parts=parts)), question)).text
        assert sum_ in said and "counts on both sides" not in said


def test_ledger_pairs_what_changed_and_links_it_to_both_texts():
    group = samples.group()
    old, question = group.rollouts[1], group.question
    evidence = old.breakdown.part("atomic").evidence
    evidence = {**evidence, "changed": [[evidence["extra"][0], evidence["missing"][0]]]}
    parts = tuple(dataclasses.replace(p, evidence=evidence) if p.name == "atomic" else p for p in old.breakdown.parts)
    source = atom_ledger(dataclasses.replace(old, breakdown=dataclasses.replace(old.breakdown, parts=parts)), question)
    said = Reader(source).text
    assert "2 in both, 1 changed, 0 only in gold, 0 only in the prediction. Overlap: 2 / (2 + 1 + 1) = 0.500" in said
    assert "≈ changed (gold → prediction)" in said and "book.year >= 2010 → book.year > 2010" in said
    number = re.search(r'class="a-chip k-changed h(\d)', source)[1]
    assert source.count(f'class="a-span a-changed h{number} n{number}"') == 2, "its place in gold and in the prediction"
    assert "a-chip k-missing" not in source and "a-chip k-extra" not in source, "a changed pair is listed once"
    assert 'data-kind="≈"' in source, "a sign beside the colour"


def test_overlapping_spans_light_together_and_point_to_the_shortest():
    from finer.records import Atom

    sql = "SELECT a FROM t"
    marks = [(1, "matched", Atom("SET", "all", span=(0, 15))), (2, "extra", Atom("SELECT", "a", span=(7, 8)))]
    shown = marked(sql, marks)
    assert 'class="a-span a-extra h2 n1 n2"' in shown
    assert Reader(shown).text == "SELECT a FROM t"


@given(st.lists(st.tuples(st.integers(-3, 30), st.integers(-3, 30)), max_size=6))
def test_marking_never_changes_the_text(spans):
    from finer.records import Atom

    sql = "SELECT a < b FROM t -- <é>"
    marks = [(place, "extra", Atom("WHERE", "x", span=span)) for place, span in enumerate(spans)]
    assert html.unescape(re.sub(r"</?span[^>]*>", "", marked(sql, marks))) == sql


NO_ATOMS = {
    "answer without SQL": (dataclasses.replace(samples.group().rollouts[3]), "Operations No overlap: "),
    "recipe without the part": (
        dataclasses.replace(
            samples.group().rollouts[0], breakdown=RewardBreakdown("sparse", "wrong", (), "", "SELECT 1")
        ),
        "recipe sparse has no atomic part",
    ),
}


@pytest.mark.parametrize(("member", "words"), NO_ATOMS.values(), ids=NO_ATOMS.keys())
def test_ledger_says_why_there_is_none(member, words):
    assert words in Reader(atom_ledger(member, samples.question())).text


# --- memory


def test_memory_says_who_wrote_each_neighbour_and_when():
    said = Reader(memory_matches(samples.group().rollouts[1])).text
    assert "0.840 Join doctor and visit. clinic · trace 12 · shipped with the starter data" in said
    assert "museum · trace 655 · written by the policy after step 9" in said
    assert "Scored against a memory of 642 thoughts. The similarity is that to the mean of the nearest ones" in said
    assert "No. Only right answers are offered" in said


def memory_event(kind: str, reason: str = "", collection: str = "verified", rule: str = ""):
    trace = SimpleNamespace(thought=samples.THOUGHT, sql=samples.GOLD)
    return SimpleNamespace(kind=kind, trace=trace, reason=reason, step=14, collection=collection, rule=rule)


INSERTIONS = {
    "inserted": ([memory_event("inserted")], "✓ Yes: taken in after step 14."),
    "refused": ([memory_event("refused", "too like trace 12")], "No, the gate refused it: too like trace 12"),
    "not offered": ([], "No. It was not offered."),
    "failed": ([memory_event("inserted", "", "failed")], "✓ Yes: taken in after step 14, among the failed thoughts."),
}


def test_the_gates_refusals_are_told_by_rule_with_their_share():
    events = [memory_event("inserted"), memory_event("refused", "3 words", rule="length")]
    events += [memory_event("refused", "too close", rule="duplicate")] * 2
    events += [memory_event("inserted", "", "failed"), memory_event("refused", "odd", "failed")]
    said = Reader(memory_gate(events)).text
    assert "What the gate let in, step 14" in said
    right = "thoughts of right answers 4 1 (25 %) 1 (25 %) too few or too many words 2 (50 %) too close to a thought that is there"
    assert right in said and "thoughts of wrong answers 2 1 (50 %) 1 (50 %) for another reason" in said


def test_a_gate_that_was_offered_nothing_says_so():
    assert "No thought was offered to the memory." in Reader(memory_gate([])).text


def test_every_rule_of_the_gate_has_its_words():
    from finer.memory.gate import REFUSAL_KINDS
    from finer.render.memory import RULES

    assert tuple(RULES) == (*REFUSAL_KINDS, "")


def test_the_contrast_shows_both_sides():
    member = samples.group().rollouts[1]
    part = member.breakdown.part("memory")
    evidence = {**part.evidence, "failed_snapshot": 9, "failed_neighbours": [{**samples.NEIGHBOURS[0], "thought": "Guess the key."}]}
    parts = tuple(dataclasses.replace(p, evidence=evidence) if p is part else p for p in member.breakdown.parts)
    said = Reader(memory_matches(dataclasses.replace(member, breakdown=dataclasses.replace(member.breakdown, parts=parts)))).text
    assert "Nearest failed thoughts 0.840 Guess the key." in said and "Set against a memory of 9 thoughts of wrong answers." in said


@pytest.mark.parametrize(("events", "words"), INSERTIONS.values(), ids=INSERTIONS.keys())
def test_memory_says_what_became_of_the_thought(events, words):
    assert words in Reader(memory_matches(samples.group().rollouts[0], events)).text
