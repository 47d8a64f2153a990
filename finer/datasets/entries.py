"""The entries of a data file (.jsonl, .json or .csv), each with its place, so that a complaint can name it."""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finer.schema import DataError, MissingDataError


class Entry:
    """The fields of one question or trace, and where they stand."""

    def __init__(self, path: Path, place: str, values: dict[str, Any], columns: tuple[str, ...] = ()) -> None:
        """``columns``: the names in a CSV's header."""
        self.path, self.place, self.values, self.columns = path, place, values, columns

    def fault(self, message: str) -> DataError:
        """The error to raise; it begins with the file and the place."""
        return DataError(f"{self.path}, {self.place}: {message}")

    def lacking(self, name: str, form: str) -> DataError:
        """The error to raise for a field that must be there; of a CSV it tells a column that is missing from one that is empty here."""
        if not self.columns:
            return self.fault(f"the field {name!r} is missing; add it as {form}")
        if name in self.columns:
            return self.fault(f"the column {name!r} is empty; fill it in, or delete the line")
        near = difflib.get_close_matches(name, self.columns, n=1, cutoff=0.6)
        mend = f"rename {near[0]!r} to it" if near else f"rename the column that holds it to {name!r}"
        return DataError(f"{self.path}, line 1: the header has no column {name!r}, only {', '.join(map(repr, self.columns))}; {mend}")

    def take(self, name: str, kind: type, default: Any = None) -> Any:
        """The value of a field; a field without a default must be there."""
        value = self.values.get(name, default)
        if value is None:
            raise self.lacking(name, f"a {kind.__name__}")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.fault(f"{name!r} must be a {kind.__name__}, not {value!r:.60}")
        return value

    def texts(self, name: str, default: Any = None) -> tuple[str, ...]:
        """A field that holds a list of texts, or one text."""
        value = self.values.get(name, default)
        if value is None:
            raise self.lacking(name, "a list of texts, or one text")
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(text, str) for text in values):
            raise self.fault(f"{name!r} must be a list of texts, not {value!r:.60}")
        return tuple(values)


def read_entries(path: Path) -> list[Entry]:
    """Every entry of a file, by its ending.

    MissingDataError where there is no file, DataError that names the place where it is not what its ending says.
    """
    readers = {".jsonl": _json_lines, ".json": _json_list, ".csv": _csv_rows}
    return list(readers[path.suffix](path, read_text(path)))


def read_text(path: Path) -> str:
    """A text file in UTF-8, with or without a byte order mark."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise MissingDataError(f"no file {str(path)!r}; check the folder") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error


def read_json(path: Path) -> Any:
    """The value of a JSON file."""
    return _parsed_json(path, read_text(path))


def _parsed_json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        mend = "the file may have been cut short; fetch or write it again"
        raise DataError(f"{path}, line {error.lineno}: no JSON ({error.msg} at column {error.colno}); {mend}") from error


def _json_lines(path: Path, text: str) -> Iterator[Entry]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            fault = f"no JSON ({error.msg} at character {error.pos}); write one object a line"
            raise DataError(f"{path}, line {number}: {fault}") from error
        yield _object(path, f"line {number}", values)


def _json_list(path: Path, text: str) -> Iterator[Entry]:
    values = _parsed_json(path, text)
    if not isinstance(values, list):
        raise DataError(f"{path}: expected a list of objects [{{…}}, …], not a {type(values).__name__}; put the objects into a list")
    for number, value in enumerate(values):
        yield _object(path, f"element {number}", value)


def _object(path: Path, place: str, values: Any) -> Entry:
    entry = Entry(path, place, values)
    if not isinstance(values, dict):
        raise entry.fault(f"expected an object {{…}}, not {json.dumps(values):.60}")
    return entry


def _csv_rows(path: Path, text: str) -> Iterator[Entry]:
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    before = 1
    try:
        for row in rows:
            yield _csv_entry(path, before + 1, row)
            before = rows.line_num
    except csv.Error as error:
        raise DataError(f"{path}, line {rows.line_num}: no CSV ({error}); quote every field that holds a comma or a line break") from error


def _delimiter(text: str) -> str:
    """What parts the fields of the header: a comma, or the semicolon or tab that spreadsheets write in some countries."""
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _csv_entry(path: Path, line: int, row: dict[str | None, Any]) -> Entry:
    """CSV knows only text: numbers, truths and lists are read from it; an empty field is one that is not there."""
    entry = Entry(path, f"line {line}", {}, tuple(name.strip() for name in row if name is not None))
    if None in row:
        raise entry.fault(f"more fields than the header names ({row[None]!r:.60}); quote every field that holds a comma")
    entry.values.update({name.strip(): value.strip() for name, value in row.items() if value and value.strip()})
    for name in ("index", "question_id"):
        if name in entry.values:
            entry.values[name] = _whole_number(entry, name)
    if "meant_empty" in entry.values:
        entry.values["meant_empty"] = entry.values["meant_empty"].strip().lower() in ("true", "1", "yes")
    if "tables" in entry.values:
        entry.values["tables"] = [table.strip() for table in entry.values["tables"].split(",")]
    return entry


def _whole_number(entry: Entry, name: str) -> int:
    try:
        return int(entry.values[name])
    except ValueError:
        raise entry.fault(f"{name!r} must be a whole number, not {entry.values[name]!r:.60}") from None
