"""Sampled answers to training questions: how many were right, and those of them that show another right way to write the query.

FINER-SQL (arXiv 2605.03465) samples 30 answers a training question and gives those that are right to the atomic reward as further
references. Here an answer counts as right on every instance of the database, and is kept where its operations differ from those of
the golds and of the answers kept before it; a reference judges nothing. The counts serve as a pass rate, by which a run can leave
out what its policy always or never gets right.

The file is JSON lines: what was asked of which policy, then an object a question. It grows by whole lots of questions; the same command
goes on where it broke off. Not covered: what a run does with it (``selection``, ``rewards.atomic``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from finer.atoms import atomic_overlap
from finer.datasets import Dataset
from finer.errors import FinerError
from finer.evaluate import MAX_COMPLETION_TOKENS
from finer.judge import Judge
from finer.policy import Policy
from finer.prompt import parse_completion
from finer.records import Question
from finer.schema import Schema
from finer.shown import Shown

QUESTIONS_A_LOT = 16
MOST_REFERENCES = 8
"""Of one question: each is compared with every answer that is scored."""
ABOUT = "about"
Progress = Callable[[int, int], None]


class EnrichError(FinerError):
    """A file of sampled answers that cannot be read, or is about other questions or another policy."""


@dataclass(frozen=True)
class Enriched:
    """What sampling found out about one question."""

    index: int
    db_id: str
    question: str
    samples: int
    """Answers that were judged: 0 where the gold failed."""
    right: int
    references: tuple[str, ...] = ()
    note: str = ""
    """Why it has no references although answers were right; '' otherwise."""

    @property
    def outcome(self) -> str:
        """'all right', 'all wrong', 'mixed', or '' where nothing was judged."""
        if not self.samples:
            return ""
        return {0: "all wrong", self.samples: "all right"}.get(self.right, "mixed")


def enrich(
    policy: Policy,
    dataset: Dataset,
    path: str | Path,
    samples: int = 8,
    temperature: float = 1.0,
    seed: int = 0,
    max_completion_tokens: int = 0,
    shown: Shown | None = None,
    about: Mapping[str, Any] | None = None,
    on_progress: Progress | None = None,
) -> list[Enriched]:
    """Samples answers to every question whose database is here, and writes what they show to ``path``, lot by lot.

    A file that holds the first lots of the same questions under the same settings is gone on with, and comes out as it would have in
    one go. ``about``: more to note of the policy. EnrichError for a file that is about something else.
    """
    length = max_completion_tokens or MAX_COMPLETION_TOKENS[policy.spec.style]
    shown = shown or Shown(dataset.databases)
    told = {"policy": policy.spec.name, "dataset": dataset.name, "samples": samples, "temperature": temperature, "seed": seed,
            "max_completion_tokens": length, "columns": shown.label, **(about or {})}  # fmt: skip
    questions = [question for question in dataset.questions if dataset.databases[question.db_id].instances]
    found = _begin(Path(path), told, questions)
    with Judge(dataset.databases) as judge, Path(path).open("a", encoding="utf-8") as file:
        for start in range(len(found), len(questions), QUESTIONS_A_LOT):
            lot = questions[start : start + QUESTIONS_A_LOT]
            prompts = [policy.messages(question, dataset.databases[question.db_id].schema, shown.of(question)) for question in lot]
            answers = policy.sample(prompts, samples, length, temperature, seed=seed + start)
            some = [_judged(question, one.completions, dataset, judge) for question, one in zip(lot, answers, strict=True)]
            file.write("".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in some))
            file.flush()
            found += some
            if on_progress:
                on_progress(len(found), len(questions))
    return found


def read_enriched(path: str | Path, dataset: Dataset | None = None, whole_lines: bool = False) -> tuple[dict[str, Any], list[Enriched]]:
    """What was asked, and the questions. EnrichError names the line that cannot be read, or that is about another question of ``dataset``.

    ``whole_lines``: pass over a last line that broke off.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        lines = (text.rpartition("\n")[0] if whole_lines else text).split("\n")
    except FileNotFoundError as error:
        raise EnrichError(f"{path} does not exist; `finer enrich --out {path}` writes such a file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise EnrichError(f"{path} cannot be read as text ({error})") from error
    numbered = [(f"{path}, line {number}", line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not numbered:
        raise EnrichError(f"{path} is empty; `finer enrich --out {path}` writes such a file")
    about = _object(*numbered[0]).get(ABOUT)
    if not isinstance(about, dict):
        raise EnrichError(f"{numbered[0][0]}: no file of `finer enrich`, which begins with {{\"{ABOUT}\": …}}")
    rows = [_row(place, _object(place, line)) for place, line in numbered[1:]]
    if dataset is not None:
        known = {question.index: question for question in dataset.questions}
        for (place, _), row in zip(numbered[1:], rows, strict=True):
            _check_same(place, row, known.get(row.index), dataset)
    return about, rows


def with_references(dataset: Dataset, found: Iterable[Enriched]) -> Dataset:
    """The data set with what was found as further references of its questions."""
    by_index = {one.index: one.references for one in found}
    questions = tuple(replace(question, references=by_index.get(question.index, ())) for question in dataset.questions)
    return replace(dataset, questions=questions)


def summary(found: Sequence[Enriched]) -> list[str]:
    """What a person wants to know of it, a line each."""
    counts = Counter(one.outcome or "not judged" for one in found)
    with_some = [one for one in found if one.references]
    lines = ["questions     " + str(len(found)) + "".join(f"; {name} {counts[name]}" for name in ("all right", "mixed", "all wrong", "not judged") if counts[name])]
    right, samples = sum(one.right for one in found), sum(one.samples for one in found)
    lines.append(f"right         {right} of {samples} answers" + (f" ({100 * right / samples:.1f} %)" if samples else ""))
    lines.append(f"references    {sum(len(one.references) for one in found)} for {len(with_some)} questions")
    spread = Counter(len(one.references) for one in found)
    lines.append("by question   " + ", ".join(f"{count} have {number}" for number, count in sorted(spread.items())))
    notes = Counter(one.note for one in found if one.note)
    return lines + [f"without       {count} questions: {note}" for note, count in notes.items()]


def _judged(question: Question, completions: Sequence[str], dataset: Dataset, judge: Judge) -> Enriched:
    """What one question's answers show."""
    sqls = [parse_completion(text).sql for text in completions]
    counts = Counter(sqls)
    verdicts = dict(zip(counts, judge.judge(question, list(counts)), strict=True))
    samples = sum(count for sql, count in counts.items() if verdicts[sql].correct is not None)
    right = [sql for sql, _ in counts.most_common() if verdicts[sql].correct]
    head = (question.index, question.db_id, question.text, samples, sum(counts[sql] for sql in right))
    if right and _is_empty(question, dataset, judge):
        return Enriched(*head, note="the gold gives no row on any instance, so that any query without a row is right")
    return Enriched(*head, references=_different(question, right, dataset.databases[question.db_id].schema))


def _is_empty(question: Question, dataset: Dataset, judge: Judge) -> bool:
    return all(result.status == "empty" for result in judge.gold(dataset.databases[question.db_id], question.gold[0]))


def _different(question: Question, right: Sequence[str], schema: Schema) -> tuple[str, ...]:
    """Right answers whose operations are none of the golds' nor of one before them, the most frequent first."""
    kept: list[str] = []
    for sql in right:
        overlap = atomic_overlap(sql, [*question.gold, *kept], schema).overlap
        if overlap is not None and overlap < 1 and len(kept) < MOST_REFERENCES:
            kept.append(sql)
    return tuple(kept)


def _begin(path: Path, told: dict[str, Any], questions: Sequence[Question]) -> list[Enriched]:
    """Whole lots that are there already; a file that is new gets its first line. What broke off within a line is cut away."""
    if not path.exists() or not path.stat().st_size:
        _rewrite(path, told, [])
        return []
    about, rows = read_enriched(path, whole_lines=True)
    if about != told:
        other = [name for name in {**about, **told} if about.get(name) != told.get(name)]
        raise EnrichError(
            f"{path} was made with another {other[0]} ({about.get(other[0])!r}, and now {told.get(other[0])!r}); name another file with --out, or go on with the same settings"
        )
    rows = rows[: len(rows) // QUESTIONS_A_LOT * QUESTIONS_A_LOT] if len(rows) < len(questions) else rows
    if [row.index for row in rows] != [question.index for question in questions[: len(rows)]]:
        raise EnrichError(f"{path} is about other questions than these; name another file with --out")
    _rewrite(path, told, rows)
    return rows


def _rewrite(path: Path, told: dict[str, Any], rows: Sequence[Enriched]) -> None:
    lines = [json.dumps({ABOUT: told}, ensure_ascii=False), *(json.dumps(asdict(row), ensure_ascii=False) for row in rows)]
    part = path.with_name(path.name + ".part")
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    part.replace(path)


def _object(place: str, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise EnrichError(f"{place} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise EnrichError(f"{place}: wanted is an object, not {type(found).__name__}")
    return found


def _row(place: str, values: dict[str, Any]) -> Enriched:
    kinds = {"index": int, "db_id": str, "question": str, "samples": int, "right": int, "references": list}
    for name, kind in kinds.items():
        if not isinstance(values.get(name), kind) or isinstance(values.get(name), bool):
            raise EnrichError(f"{place}: {name!r} is missing or no {kind.__name__}")
    if not all(isinstance(sql, str) for sql in values["references"]):
        raise EnrichError(f"{place}: 'references' must be a list of queries")
    return Enriched(**{name: values[name] for name in kinds if name != "references"}, references=tuple(values["references"]), note=str(values.get("note", "")))


def _check_same(place: str, row: Enriched, question: Question | None, dataset: Dataset) -> None:
    if question is not None and (question.db_id, question.text) != (row.db_id, row.question):
        raise EnrichError(f"{place}: question {row.index} of {dataset.name!r} is another one ({question.text!r:.80}); give the data set and split that the file was made of")
