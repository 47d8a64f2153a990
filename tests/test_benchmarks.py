"""Benchmarks that train still run: each once, as short as it can be. Run with: pytest -m stress tests/test_benchmarks.py"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SHORT = {
    "step_time.py": (["2"], "filled: 200 tokens of prompt, 80 of answer"),
    "store_cost.py": (["2"], "together"),
    "beside_trl.py": (["1"], "ours, TRL's rollouts"),
    "warm_start.py": (["1"], "tokens a CPU second"),
}


@pytest.mark.stress
@pytest.mark.parametrize("script", SHORT)
def test_a_benchmark_that_trains_prints_its_figures(script):
    arguments, said = SHORT[script]
    done = subprocess.run([sys.executable, f"benchmarks/{script}", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert said in done.stdout
