"""Rollouts that another trainer wrote down: TRL's ``completions_*.parquet``, or a flat JSONL of any script.

What a column means is found by its name (``ROLES``) or told by a mapping of role to column. Prompts and completions may be
texts or lists of chat messages. Every other column of numbers is a reward. Nothing is computed here: what a file does not
say stays None or '', and ``Rollouts.notes`` says so.

Not covered: which question of a data set a prompt asks (``matching``), and writing a run (``import_run``).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from finer.errors import FinerError, unknown
from finer.records import ANSWER_STATUSES

ROLES: dict[str, tuple[str, ...]] = {
    "step": ("step", "global_step", "training_step"),
    "prompt": ("prompt", "input"),
    "completion": ("completion", "output", "response"),
    "advantage": ("advantage", "advantages"),
    "total": ("total", "total_reward", "reward", "score"),
    "group": ("group", "group_id", "uid", "prompt_id"),
    "index": ("index", "question_index", "question_id"),
    "question": ("question", "question_text"),
    "gold": ("gold", "gold_sql", "gts", "ground_truth"),
    "db_id": ("db_id", "database"),
    "sql": ("sql", "predicted_sql"),
    "thought": ("thought", "reasoning"),
    "tokens": ("length_tokens", "completion_tokens", "num_tokens"),
    "status": ("status",),
}
"""What a column can be for, and the names by which it is found; the first that is there is taken."""
NEVER_REWARDS = frozenset({"epoch", "seed", "rank", "position", "rollout_id", "id", "timestamp", "time"})
"""Columns of numbers that are no rewards, unless they are named as such."""
MOST_LISTED = 12


class RolloutFileError(FinerError):
    """Rollouts that cannot be read; the message names the file, the place and the mend."""


@dataclass(frozen=True)
class ForeignRollout:
    """One completion as another trainer wrote it down."""

    step: int
    prompt: str
    asked: str
    """Where the question stands: its own column, else the last message of the user, else the prompt."""
    completion: str
    rewards: dict[str, float | None]
    """By column; None: not scored."""
    total: float | None = None
    """A total of its own, where the file has one."""
    advantage: float | None = None
    group: str = ""
    """What the file calls its group; '' where it does not say."""
    index: int | None = None
    question: str = ""
    gold: tuple[str, ...] = ()
    db_id: str = ""
    sql: str | None = None
    thought: str | None = None
    tokens: int = 0
    status: str = ""
    """A verdict in our own words, as our own runs are kept; '' where the file has none."""


@dataclass(frozen=True)
class Rollouts:
    """All rollouts of some files, in their order, and what their columns were taken for."""

    rows: tuple[ForeignRollout, ...]
    columns: dict[str, str]
    """Role to column."""
    rewards: tuple[str, ...]
    """The columns that are rewards."""
    notes: tuple[str, ...]
    """What is missing, or was left out, a sentence each."""
    named: frozenset[str] = frozenset()
    """The roles whose column a person named."""


@dataclass(frozen=True)
class _Layout:
    """Which column plays which role."""

    roles: dict[str, str]
    rewards: tuple[str, ...]


def read_rollouts(source: str | Path, columns: Mapping[str, str] | None = None, rewards: Sequence[str] = ()) -> Rollouts:
    """The rollouts of a file, or of all files in a folder (TRL's output folder, its ``completions``, or one of JSONL).

    ``columns`` maps roles (the keys of ``ROLES``) to columns; ``rewards`` names the columns that are rewards (default: every
    column of numbers that plays no role). Raises RolloutFileError with what to do.
    """
    columns = dict(columns or {})
    for role in columns:
        if role not in ROLES:
            raise RolloutFileError(unknown("role of a column", role, ROLES))
    files = rollout_files(Path(source))
    tables = _without_repeats([(path, _read(path)) for path in files])
    records = [(path, place, record) for path, rows in tables for place, record in rows]
    if not records:
        raise RolloutFileError(f"{source} holds no rollout: its {len(files)} files are empty.")
    guessed = {role: names for role, names in ROLES.items() if role != "total" or files[0].suffix != ".parquet"}  # TRL writes no total
    layout = _layout([record for _, _, record in records], columns, guessed, rewards, source)
    rows = tuple(_rollout(f"{path}, {place}", path, record, layout) for path, place, record in records)
    notes = _notes(layout, records, len(files) - len(tables))
    return Rollouts(rows, layout.roles, layout.rewards, tuple(notes), frozenset(columns))


# --- files -------------------------------------------------------------------------------------------------------------------


def rollout_files(source: Path) -> list[Path]:
    """The files to read, in the order of the numbers in their names."""
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise RolloutFileError(f"{source} does not exist. Give the folder that the trainer wrote to, or one of its files.")
    for folder in (source, source / "completions"):
        for pattern in ("completions_*.parquet", "*.parquet", "*.jsonl"):
            found = sorted(folder.glob(pattern), key=_natural)
            if found:
                return found
    raise RolloutFileError(
        f"{source} holds neither completions_*.parquet nor *.jsonl, and nor does {source / 'completions'}. "
        "TRL writes the former with GRPOConfig(log_completions=True)."
    )


def _natural(path: Path) -> list[tuple[int, str]]:
    """A key by which 9.jsonl comes before 10.jsonl."""
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split(r"(\d+)", path.name)]


def _read(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """(place in the file, record) pairs."""
    if path.suffix == ".parquet":
        return [(f"row {number}", record) for number, record in enumerate(_parquet(path))]
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RolloutFileError(f"{path} cannot be read as text ({error}). Save it as UTF-8, an object a line.") from error
    return [(f"line {number}", _object(path, number, line)) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _parquet(path: Path) -> list[dict[str, Any]]:
    import pandas

    try:
        return pandas.read_parquet(path).to_dict("records")
    except (OSError, ValueError) as error:
        raise RolloutFileError(f"{path} is no parquet file that can be read: {error}") from error


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise RolloutFileError(f"{path}, line {number} is not JSON: {error}. Write one object a line.") from error
    if not isinstance(record, dict):
        raise RolloutFileError(f"{path}, line {number} holds a {type(record).__name__}; write one object a line.")
    return record


def _without_repeats(tables: list[tuple[Path, list]]) -> list[tuple[Path, list]]:
    """Without the files that repeat the one before: TRL logs a batch again while it takes several updates from it."""
    kept, before = [], None
    for path, rows in tables:
        told = repr([{name: value for name, value in record.items() if name not in ROLES["step"]} for _, record in rows])
        if told != before or not rows:
            kept.append((path, rows))
        before = told
    return kept


# --- columns -----------------------------------------------------------------------------------------------------------------


def _layout(
    records: list[dict[str, Any]], columns: dict[str, str], guessed: Mapping[str, Sequence[str]], rewards: Sequence[str], source: str | Path
) -> _Layout:
    there = list(dict.fromkeys(name for record in records for name in record))
    for name in [*columns.values(), *rewards]:
        if name not in there:
            raise RolloutFileError(f"{source}: {unknown('column', name, there)}")
    taken = {*columns.values(), *rewards}
    roles = dict(columns)
    for role, names in guessed.items():
        free = [name for name in names if name in there and name not in taken]
        if role not in roles and free:
            roles[role] = free[0]
            taken.add(free[0])
    _check_enough(roles, there, source)
    numbers = [name for name in there if name not in taken and name not in NEVER_REWARDS and _is_numeric(records, name)]
    return _Layout(roles, tuple(rewards) or tuple(numbers))


def _check_enough(roles: dict[str, str], there: list[str], source: str | Path) -> None:
    for wanted, words in ((("completion", "sql"), "what was answered"), (("prompt", "question", "index"), "what was asked")):
        if not set(wanted) & set(roles):
            listed = ", ".join(there[:MOST_LISTED])
            raise RolloutFileError(
                f"{source}: no column says {words}; there are {listed}. Name it: --column {wanted[0]}=NAME"
            )


def _is_numeric(records: list[dict[str, Any]], name: str) -> bool:
    """Are all values of a column numbers, and is there at least one?"""
    values = [record.get(name) for record in records]
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known)


def _notes(layout: _Layout, records: list, repeated: int) -> Iterator[str]:
    roles = layout.roles
    if repeated:
        yield f"{repeated} files repeat the one before them and were left out"
    if "step" not in roles:
        yield "no column of steps: the number in a file's name is taken, or 1"
    if "completion" not in roles:
        yield "no column of completions: the SQL stands for them, so that nothing is known of their format"
    if not layout.rewards and "total" not in roles:
        yield "no column of rewards: nothing was paid"
    if "advantage" not in roles:
        yield "no column of advantages: they are computed from the totals, group by group"
    if "tokens" not in roles:
        yield "no column of lengths in tokens"
    if "status" in roles:
        strange = {str(record.get(roles["status"])) for _, _, record in records} - set(ANSWER_STATUSES)
        if strange:
            yield f"statuses that mean nothing here ({', '.join(sorted(strange)[:MOST_LISTED])}) are left out; known are {', '.join(ANSWER_STATUSES)}"
        yield "statuses are taken from the file: nothing was judged again"
    infinite = sum(_is_bad(record.get(name)) for _, _, record in records for name in layout.rewards)
    if infinite:
        yield f"{infinite} rewards are infinite and count as not scored"


def _is_bad(value: Any) -> bool:
    return isinstance(value, float) and math.isinf(value)


# --- one rollout -------------------------------------------------------------------------------------------------------------


def _rollout(place: str, path: Path, record: dict[str, Any], layout: _Layout) -> ForeignRollout:
    given = {role: _or_none(record.get(column)) for role, column in layout.roles.items()}
    prompt, question = message_text(given.get("prompt")), message_text(given.get("question"))
    sql, status = given.get("sql"), given.get("status")
    completion = completion_text_of(given["completion"]) if given.get("completion") is not None else message_text(sql)
    row = ForeignRollout(
        _step(place, path, given.get("step")), prompt, question or last_user_text(given.get("prompt")), completion,
        {name: _number(f"{place}, column {name!r}", record.get(name)) for name in layout.rewards},
    )  # fmt: skip
    return replace(
        row,
        total=_number(f"{place}, the total", given.get("total")),
        advantage=_number(f"{place}, the advantage", given.get("advantage")),
        group=message_text(given.get("group")), index=_whole(given.get("index")), question=question,
        gold=_texts(given.get("gold")), db_id=message_text(given.get("db_id")),
        sql=sql if isinstance(sql, str) else None,
        thought=given["thought"] if isinstance(given.get("thought"), str) else None,
        tokens=_whole(given.get("tokens")) or 0,
        status=status if isinstance(status, str) and status in ANSWER_STATUSES else "",
    )  # fmt: skip


def _or_none(value: Any) -> Any:
    """The value; None for a NaN, which is how a table of numbers writes a hole."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _step(place: str, path: Path, value: Any) -> int:
    if value is None:
        numbers = re.findall(r"\d+", path.stem)
        return int(numbers[-1]) if numbers else 1
    step = _whole(value)
    if step is None or step < 0:
        raise RolloutFileError(f"{place}: the step is {value!r}; it must be a whole number of at least 0")
    return step


def _whole(value: Any) -> int | None:
    """A whole number, also as text or as 3.0; None for anything else."""
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return int(value) if value == int(value) else None


def _number(what: str, value: Any) -> float | None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if not isinstance(value, (int, float)):
        raise RolloutFileError(f"{what} holds {str(value)[:60]!r}; a number is wanted, or nothing where it was not scored")
    return float(value)


def _texts(value: Any) -> tuple[str, ...]:
    """A text, or some."""
    if isinstance(value, str):
        return (value,) if value.strip() else ()
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        return tuple(one for one in value if isinstance(one, str) and one.strip())
    return ()


def message_text(value: Any) -> str:
    """A text, or chat messages as the texts of their contents, one below the other.

    >>> message_text([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How many?"}])
    'Be brief.\\nHow many?'
    """
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return _content(value)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return "\n".join(_content(message) for message in value)
    return str(value)


def completion_text_of(value: Any) -> str:
    """The text of a completion: itself, or the content of the last message.

    >>> completion_text_of([{"role": "assistant", "content": "SELECT 1"}])
    'SELECT 1'
    """
    if isinstance(value, str) or not isinstance(value, Iterable) or isinstance(value, Mapping):
        return message_text(value)
    messages = list(value)
    return _content(messages[-1]) if messages else ""


def last_user_text(value: Any) -> str:
    """What the user said last, of chat messages; else the whole prompt."""
    if isinstance(value, Iterable) and not isinstance(value, (str, Mapping)):
        said = [_content(message) for message in value if isinstance(message, Mapping) and message.get("role") == "user"]
        if said:
            return said[-1]
    return message_text(value)


def _content(message: Any) -> str:
    """The text of one message; of a content in pieces, the pieces of text."""
    content = message.get("content") if isinstance(message, Mapping) else message
    if content is None:
        return ""
    if isinstance(content, Iterable) and not isinstance(content, (str, Mapping)):
        return "".join(piece.get("text") or "" for piece in content if isinstance(piece, Mapping))
    return str(content)
