"""What a person pins, notes and guesses while reading a run: a small JSON beside it, ``notes.json``.

A note belongs to one answer, by its id and by a fingerprint of its text: after a resume that wrote another answer under
that id, the note is kept and said to be stale. Pinned questions are the rows of the matrix. A guess belongs to one group, by its id
and the texts of its answers; of a group that was written anew it does not count. Every change reads the file
again and replaces it whole, so two notebooks at one run see each other's pins.

Not covered: edited answers, and two changes within the same few milliseconds (the later one then wins).
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from finer.errors import FinerError
from finer.guess import Score
from finer.runs import Run

FILE_NAME = "notes.json"
FORMAT = 1


class NotesError(FinerError):
    """A file of notes that cannot be read or written; the message names it and the mend."""


@dataclass(frozen=True)
class Note:
    """What was kept of one answer."""

    rollout_id: int
    fingerprint: str
    pinned: bool = False
    text: str = ""


class RunNotes:
    """The pins and notes of one run. Raises NotesError, with the file's name, where it cannot be read or written."""

    def __init__(self, run: Run):
        self.run = run
        self.path = run.folder / FILE_NAME

    def all(self) -> dict[int, Note]:
        """Every note by the id of its answer."""
        return {one["rollout_id"]: Note(**one) for one in self._read()["answers"]}

    def pinned(self) -> tuple[int, ...]:
        """The ids of the pinned answers, oldest pin first."""
        return tuple(note.rollout_id for note in self.all().values() if note.pinned)

    def keep(self, rollout_id: int, pinned: bool | None = None, text: str | None = None) -> Note:
        """Pins an answer or notes something of it; None leaves that as it was. A note that says nothing is taken away."""
        kept = self._read()
        notes = {one["rollout_id"]: Note(**one) for one in kept["answers"]}
        note = notes.pop(rollout_id, None) or Note(rollout_id, self.fingerprint(rollout_id))
        note = replace(
            note, pinned=note.pinned if pinned is None else pinned, text=note.text if text is None else text.strip()
        )
        if note.pinned or note.text:
            notes[rollout_id] = note
        self._write({**kept, "answers": [asdict(one) for one in notes.values()]})
        return note

    def is_stale(self, note: Note) -> bool:
        """True where the run holds another answer under that id by now, or none."""
        return self.fingerprint(note.rollout_id) != note.fingerprint

    def fingerprint(self, rollout_id: int) -> str:
        """The first 16 hex digits of the SHA-256 of the answer's text; empty where the run has no such answer."""
        rows = self.run.query("SELECT completion FROM rollouts WHERE rollout_id = ?", (rollout_id,))
        return hashlib.sha256(rows[0][0].encode()).hexdigest()[:16] if rows else ""

    def questions(self) -> list[tuple[str, int, str]]:
        """The pinned questions, oldest first: (db_id, index, text)."""
        return [(one["db_id"], one["question_index"], one["question"]) for one in self._read()["questions"]]

    def pin_question(self, db_id: str, question_index: int, question: str, pinned: bool = True) -> None:
        """Pins a question, or takes the pin away."""
        kept = self._read()
        about = {"db_id": db_id, "question_index": question_index, "question": question}
        others = [one for one in kept["questions"] if one != about]
        self._write({**kept, "questions": others + [about] * pinned})

    def guesses(self) -> dict[int, Score]:
        """How the guessed orders agreed with the pay, by group; without those of groups that a resume has written anew."""
        kept = self._guesses(self._read())
        return {group_id: score for group_id, (mark, score) in kept.items() if mark == self.group_fingerprint(group_id)}

    def keep_guess(self, group_id: int, score: Score) -> None:
        """Keeps the first guess of a group; a later one changes nothing."""
        kept = self._read()
        mark = self.group_fingerprint(group_id)
        guesses = self._guesses(kept)
        if guesses.get(group_id, ("",))[0] != mark:
            guesses[group_id] = (mark, score)
            told = [{"group_id": key, "fingerprint": mark, **asdict(score)} for key, (mark, score) in guesses.items()]
            self._write({**kept, "guesses": told})

    def forget_guesses(self) -> None:
        """Takes every guess away: the tally begins anew."""
        kept = self._read()
        if kept.get("guesses"):
            self._write({**kept, "guesses": []})

    def group_fingerprint(self, group_id: int) -> str:
        """The first 16 hex digits of the SHA-256 of all texts of a group; empty where the run has no such group."""
        rows = self.run.query("SELECT completion FROM rollouts WHERE group_id = ? ORDER BY position", (group_id,))
        return hashlib.sha256("\0".join(row[0] for row in rows).encode()).hexdigest()[:16] if rows else ""

    def _guesses(self, kept: dict[str, Any]) -> dict[int, tuple[str, Score]]:
        held = {one["group_id"]: one for one in kept.get("guesses", [])}
        return {key: (one["fingerprint"], Score(one["right"], one["wrong"], one["tied"])) for key, one in held.items()}

    def _read(self) -> dict[str, Any]:
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            if kept["format"] != FORMAT:
                raise NotesError(
                    f"{self.path} has format {kept['format']!r}; this program reads {FORMAT}. Open it with a newer one."
                )
            [Note(**one) for one in kept["answers"]], [one["question"] for one in kept["questions"]], self._guesses(kept)
            return kept
        except FileNotFoundError:
            return {"format": FORMAT, "answers": [], "questions": []}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NotesError(
                f"{self.path} cannot be read as notes ({error}). Mend it, or move it away to start anew."
            ) from error

    def _write(self, kept: dict[str, Any]) -> None:
        """Whole or not at all: a crash leaves the notes as they were."""
        try:
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{FILE_NAME}.")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(kept, file, ensure_ascii=False, indent=1)
                os.replace(name, self.path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            reason = error.strerror or str(error)
            raise NotesError(
                f"{self.path} cannot be written ({reason}). Copy the run to a folder that you may write to."
            ) from error
