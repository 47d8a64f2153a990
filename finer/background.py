"""A run in a background thread of this process, so that a notebook's buttons stay alive while it trains.

Not covered: what trains (``grpo``, ``warmstart``), and a run in a process of its own (``widgets.start``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from finer.runs import Run
from finer.runs_schema import holds_nothing, store_path


class Training:
    """A run that trains in a thread."""

    def __init__(self, run: Run, thread: threading.Thread, failures: list[BaseException]):
        self.run, self._thread, self._failures = run, thread, failures

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def wait(self) -> Run:
        """Waits for the end; raises what the training raised."""
        self._thread.join()
        if self._failures:
            raise self._failures[0]
        return self.run


def start_in_thread(train: Callable[[Callable[[str], None]], Any], folder: str | Path) -> Training:
    """Calls ``train(on_event)`` in a thread; returns as soon as the store in ``folder`` is there to be looked at.

    ``on_event`` is what tells that: by its next word at the latest. Raises what ``train`` raises before it.
    """
    ready, failures = threading.Event(), []
    store = store_path(folder)

    def is_there() -> bool:
        return store.exists() and not holds_nothing(store)  # a run that was killed before it began leaves an empty file

    was_there = is_there()  # then train refuses it, maybe after a few words

    def heard(_: str) -> None:
        if not was_there and is_there():
            ready.set()

    def work() -> None:
        try:
            train(heard)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the caller's thread
            failures.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=work, name="finer-training", daemon=True)
    thread.start()
    ready.wait()
    if failures:
        raise failures[0]
    return Training(Run(folder), thread, failures)
