"""Trains one run in two processes, as ``accelerate launch`` would start them. A script, so that everything heavy is imported once: both are forks of this one.

``python two_processes.py FOLDER SETTINGS.toml`` trains, or goes on with what FOLDER holds; it prints each process's exit code. Beside the run's
store each leaves ``tokens-RANK.json``, the answers that it sampled, and ``memory-RANK.json``, what its memory held at the end.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

from trl import GRPOTrainer  # noqa: F401 - imported before the forks

from finer import cpu_generation, grpo
from finer.config import read_config
from finer.errors import FinerError
from finer.memory import Memory


def main(folder: Path, settings: str) -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ |= {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    children = [_fork(rank, folder, settings) for rank in range(2)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    print("ended with", *codes, flush=True)
    return max(codes)


def _fork(rank: int, folder: Path, settings: str) -> int:
    child = os.fork()
    if child:
        return child
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
    code = 1
    try:
        _train(rank, folder, settings)
        code = 0
    except FinerError as error:
        print(f"process {rank}: {error}", flush=True)
        code = 2
    except BaseException:  # noqa: BLE001 - a fork that raised would go on as its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _train(rank: int, folder: Path, settings: str) -> None:
    sampled, scorers = [], []
    generate, scorer = cpu_generation.generate, grpo._scorer

    def noted(model: Any, prompts: Any, most: int, ends: Any, temperature: float = 1.0, *cuts: Any) -> list[list[int]]:
        found = generate(model, prompts, most, ends, temperature, *cuts)
        if temperature:  # the greedy answers are an evaluation's
            sampled.append(found)
        return found

    cpu_generation.generate = noted
    grpo._scorer = lambda *given: scorers.append(scorer(*given)) or scorers[0]
    if (folder / "run.sqlite").exists():
        grpo.resume(folder, say)
    else:
        grpo.train(read_config(settings), folder, say)
    (folder / f"tokens-{rank}.json").write_text(json.dumps(sampled))
    (folder / f"memory-{rank}.json").write_text(json.dumps(held(scorers[0].memory)))


def say(line: str) -> None:
    print(line, flush=True)


def held(memory: Memory) -> dict[str, Any]:
    """What a memory holds, to the last bit."""
    thoughts = [[trace.trace_id, trace.thought] for trace in memory.traces]
    return {"traces": thoughts, "vectors": hashlib.sha256(memory.vectors().tobytes()).hexdigest(), "gate": repr(memory.gate_counts)}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
