"""A run in a thread: what start hands back, and when. Run with: pytest tests/test_background.py"""

from __future__ import annotations

import threading

import pytest

from finer.background import start_in_thread
from finer.errors import RunStoreError
from finer.run_writer import RunWriter

CONFIG = {"dataset": "starter"}


def writes(folder, *told_before, go=None):
    """A training that says something before its store is there, as one does that leaves questions out."""

    def train(on_event):
        for word in told_before:
            on_event(word)
        with RunWriter.create(folder, CONFIG) as writer:
            on_event("the store is there")
            if go is not None:
                go.wait(10)
            writer.set_status("finished")

    return train


@pytest.mark.parametrize("told_before", [(), ("252 of 576 questions are left out",), ("prompts: 10 of 300", "prompts: 200 of 300")], ids=len)
def test_start_returns_with_the_store_however_much_is_told_before_it(tmp_path, told_before):
    go = threading.Event()
    training = start_in_thread(writes(tmp_path / "run", *told_before, go=go), tmp_path / "run")
    assert training.alive and training.run.status == "running"
    go.set()
    assert training.wait().status == "finished"


def test_a_file_that_a_killed_run_left_empty_is_in_nobodys_way(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.sqlite").write_bytes(b"")
    go = threading.Event()
    training = start_in_thread(writes(tmp_path / "run", "a word before", go=go), tmp_path / "run")
    assert training.alive
    go.set()
    assert training.wait().status == "finished"


def test_start_raises_what_training_raises_before_the_store(tmp_path):
    def train(on_event):
        on_event("about to fail")
        raise RunStoreError("no room")

    with pytest.raises(RunStoreError, match="no room"):
        start_in_thread(train, tmp_path / "run")


def test_a_run_that_is_there_already_is_not_taken_for_the_new_one(tmp_path):
    """The refusal comes after the first words, and is raised all the same."""
    with RunWriter.create(tmp_path / "run", CONFIG):
        pass
    with pytest.raises(RunStoreError):
        start_in_thread(writes(tmp_path / "run", "252 of 576 questions are left out"), tmp_path / "run")
