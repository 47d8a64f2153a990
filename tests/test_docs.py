"""What the documents point to is there: links, files, commands; and the lesson fills its fifty minutes. Run: pytest tests/test_docs.py"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from finer.cli import build_parser

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "data/README.md", ROOT / "tests/metrics/README.md"])
LINK = re.compile(r"\]\(([^)\s]+)\)")
FILE = re.compile(r"`((?:finer|widgets|tests|benchmarks|data|docs|notebooks)/[\w./-]+)`")
COMMAND = re.compile(r"`(?:\.venv/bin/)?finer ([a-z][a-z-]+)\b|^ {4}(?:\$ |\.venv/bin/)?finer ([a-z][a-z-]+)\b", re.MULTILINE)

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@pages
def test_every_link_leads_somewhere(page):
    linked = [target.partition("#")[0] for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in linked if target and not (page.parent / target).exists()] == []


@pages
def test_every_file_that_is_named_is_there(page):
    assert [name for name in FILE.findall(page.read_text(encoding="utf-8")) if not (ROOT / name).exists()] == []


@pages
def test_every_command_that_is_named_exists(page):
    named = {one or other for one, other in COMMAND.findall(page.read_text(encoding="utf-8"))}
    assert named - set(build_parser()[1]) == set()


def test_the_lesson_fills_its_fifty_minutes():
    """The minutes of the plan, and those in the headings of its parts."""
    text = (ROOT / "docs/teaching.md").read_text(encoding="utf-8")
    plan = [int(minutes) for minutes in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)]
    assert sum(plan) == 50
    assert [int(minutes) for minutes in re.findall(r"^### .*\((\d+) minutes\)", text, re.MULTILINE)] == plan


def test_the_glossary_is_in_order():
    terms = re.findall(r"^\| \*\*(.+?)\*\*", (ROOT / "docs/glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(terms) > 50 and terms == sorted(terms, key=str.lower)
