"""The processes of one training: which one this is, what the others found, and an end for all where one fails.

``accelerate launch`` starts several, each with its share of a step's answers (``docs/several-gpus.md``). Every rank runs the same code; the
first one alone writes the run. With one process, the usual case, everything here is trivial and nothing is imported. Not covered: how
gradients come together (accelerate and TRL do that).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Self, TypeVar

from finer.errors import FinerError

Found = TypeVar("Found")


def count() -> int:
    """How many processes train together.

    >>> count(), index()
    (1, 0)
    """
    return int(os.environ.get("WORLD_SIZE", "1")) if "LOCAL_RANK" in os.environ else 1


def index() -> int:
    """Which of them this is, from 0."""
    return int(os.environ.get("RANK", "0")) if count() > 1 else 0


def is_first() -> bool:
    """Is this the one that writes the run and talks to the person?"""
    return index() == 0


def gathered(value: Found) -> list[Found]:
    """The value of every rank, in their order; each has to call it. A value is anything that can be pickled.

    >>> gathered("mine")
    ['mine']
    """
    if count() == 1:
        return [value]
    from accelerate.utils import gather_object

    _join()
    return gather_object([value])


def of_first(value: Found) -> Found:
    """The first rank's value, on every rank."""
    return gathered(value)[0]


def agreed(work: Callable[[], Found]) -> Found:
    """What ``work`` gives here, once it is done everywhere; where it fails on one rank its error is raised on all.

    Without this, the others would wait for a rank that is gone.
    """
    if count() == 1:
        return work()
    found, error = None, None
    try:
        found = work()
    except Exception as raised:  # noqa: BLE001 - whatever it is, the others have to hear of it before it goes on its way
        error = raised
    for rank, (kind, told) in enumerate(gathered(_as_told(error))):
        if error is None and kind is not None:
            raise kind(told if rank == 0 else f"{told} (in process {rank} of {count()})")
    if error is not None:
        raise error
    return found  # type: ignore[return-value]


def _as_told(error: Exception | None) -> tuple[type[Exception] | None, str]:
    """An error as it travels: ours by their kind and words, any other as a FinerError with its name."""
    if error is None:
        return None, ""
    return (type(error), str(error)) if isinstance(error, FinerError) else (FinerError, f"{type(error).__name__}: {error}")


def _join() -> None:
    """Starts the processes' group; TRL's trainer takes over the one that is there."""
    import torch
    from accelerate import PartialState

    if not torch.distributed.is_initialized():
        PartialState(cpu=not torch.cuda.is_available())
        _let_torch_know_numbered_cpus()


def _let_torch_know_numbered_cpus() -> None:
    """accelerate calls a process's CPU "cpu:0", and a trainer that goes on loads its optimizer to that place, which ``torch.load`` refuses."""
    from torch.serialization import register_package

    register_package(0, lambda storage: None, lambda storage, place: storage if place.startswith("cpu:") else None)


class NoWriter:
    """In the place of the run's writer on every rank but the first: it writes nothing, and nobody asks it for anything."""

    next_rollout_id = next_group_id = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def take_requests(self) -> list[Any]:
        """None: they are the first rank's to take."""
        return []

    def _nothing(self, *_: Any, **__: Any) -> None:
        pass

    write_step = write_event = write_evaluation = finish_request = set_status = _nothing
