"""Fetching Spider and BIRD, with a stand-in for the hub: nothing here touches a network."""

from __future__ import annotations

import hashlib
import io
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import httpx
import huggingface_hub
import pytest
from benchmark_files import write_bird, write_json, write_spider

from finer.datasets import fetch, load_dataset
from finer.schema import DataError, MissingDataError


class Hub:
    """A folder of repositories in the hub's place; it notes what is asked of it."""

    def __init__(self, home: Path) -> None:
        self.home, self.asked, self.fault = home, [], None

    def head(self, url: str, timeout: float) -> None:
        if self.fault:
            raise self.fault

    def hf_hub_download(self, repository, file, *, local_dir, revision=None, repo_type, dry_run=False):
        assert repo_type == "dataset"
        source = self.home / repository / file
        if dry_run:
            return SimpleNamespace(file_size=source.stat().st_size)
        self.asked.append((repository, file, revision))
        target = Path(local_dir) / file
        target.parent.mkdir(parents=True, exist_ok=True)
        return str(shutil.copy(source, target))

    def snapshot_download(self, repository, *, local_dir, revision, repo_type, allow_patterns, dry_run=False):
        assert allow_patterns == "validation/*"
        files = [path for path in (self.home / repository / "validation").rglob("*") if path.is_file()]
        if dry_run:
            return [SimpleNamespace(file_size=path.stat().st_size) for path in files]
        self.asked.append((repository, "validation/*", revision))
        shutil.copytree(self.home / repository / "validation", Path(local_dir) / "validation", dirs_exist_ok=True)
        return str(local_dir)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    hub = Hub(tmp_path / "hub")
    monkeypatch.setenv("FINER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hub.hf_hub_download)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot_download)
    monkeypatch.setattr("huggingface_hub.utils.get_session", lambda: hub)
    return hub


def put_spider(hub, monkeypatch, names=None):
    """Spider's archive in the stand-in, with its checksum as the known one."""
    folder = write_spider(hub.home / "files")
    archive = hub.home / fetch.SPIDER_REPOSITORY / fetch.SPIDER_ARCHIVE
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as bundle:
        for path in folder.rglob("*"):
            bundle.write(path, f"spider/{path.relative_to(folder)}")
        for name in names or ():
            bundle.writestr(name, "x")
    monkeypatch.setattr(fetch, "SPIDER_SHA256", hashlib.sha256(archive.read_bytes()).hexdigest())
    return archive


def test_spider_is_fetched_once(hub, monkeypatch, tmp_path, capsys):
    put_spider(hub, monkeypatch)
    dataset = load_dataset("spider")
    assert len(dataset.questions) == 3 and dataset.databases["concert"].path.is_relative_to(tmp_path / "cache/spider")
    said = capsys.readouterr().err
    assert "fetching Spider: 1 file, 0 MB, from huggingface.co/datasets/xlangai/spider into" in said
    hub.fault = httpx.ConnectError("no network")
    assert load_dataset("spider").questions == dataset.questions
    assert hub.asked == [("xlangai/spider", "data/spider.zip", fetch.SPIDER_REVISION)]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["spider"], "the archive is not kept"


def test_bird_is_put_into_its_layout(hub, tmp_path):
    folder = write_bird(hub.home / "files")
    source = hub.home / fetch.BIRD_REPOSITORY / "validation"
    source.mkdir(parents=True)
    (folder / "dev.json").rename(source / "validation.json")
    (folder / "dev_databases").rename(source / "dev_databases")
    write_json(hub.home / fetch.MINI_DEV_REPOSITORY / fetch.MINI_DEV_QUESTIONS, [])
    dataset = load_dataset("bird")
    assert len(dataset.questions) == 2 and list(dataset.missing) == ["gone"]
    assert sorted(path.name for path in (tmp_path / "cache/bird").iterdir()) == ["dev.json", "dev_databases", "mini_dev_sqlite.json"]


@pytest.mark.parametrize("name", fetch.PAGES)
def test_without_a_network_the_official_page_is_named(name, hub, tmp_path):
    hub.fault = httpx.ConnectError("[Errno -2] Name or service not known")
    with pytest.raises(MissingDataError) as fault:
        load_dataset(name)
    said = str(fault.value)
    assert "could not be fetched ([Errno -2] Name or service not known)" in said
    assert fetch.PAGES[name] in said and f"--data FOLDER, or load_dataset('{name}', data=FOLDER)" in said
    assert not (tmp_path / "cache" / name).exists()


def test_another_archive_is_refused(hub, monkeypatch, tmp_path):
    archive = put_spider(hub, monkeypatch)
    archive.write_bytes(archive.read_bytes() + b"x")
    with pytest.raises(DataError, match="is not the known archive"):
        load_dataset("spider")
    assert not (tmp_path / "cache/spider").exists()


def test_an_archive_that_leads_out_is_refused(hub, monkeypatch, tmp_path):
    put_spider(hub, monkeypatch, names=["../../outside.txt"])
    with pytest.raises(DataError, match=r"holds '../../outside.txt', which leads out of its folder"):
        load_dataset("spider")
    assert not list(tmp_path.rglob("outside.txt"))


def test_an_archive_without_the_questions_is_refused(hub, monkeypatch):
    archive = put_spider(hub, monkeypatch)
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    archive.write_bytes(empty.getvalue())
    monkeypatch.setattr(fetch, "SPIDER_SHA256", hashlib.sha256(empty.getvalue()).hexdigest())
    with pytest.raises(DataError, match="holds no dev.json beside database/"):
        load_dataset("spider")


PLACES = {
    "its own variable": ({"FINER_CACHE": "/a", "XDG_CACHE_HOME": "/b"}, "/a"),
    "the system's variable": ({"XDG_CACHE_HOME": "/b"}, "/b/finer"),
    "neither": ({"HOME": "/home/ada"}, "/home/ada/.cache/finer"),
}


@pytest.mark.parametrize("name", PLACES)
def test_the_cache_folder(name, monkeypatch):
    variables, expected = PLACES[name]
    for variable in ("FINER_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    assert fetch.cache_folder() == Path(expected)
