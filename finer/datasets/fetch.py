"""Spider and BIRD from their public copies on the Hugging Face hub, into the user's cache, once.

Spider is the archive that its authors' group put there, at a fixed revision and checked against its SHA-256. BIRD's dev
split is the copy of the PremSQL project, which keeps the databases as plain files; it holds neither ``dev_tables.json``
nor the descriptions of the columns. Mini-dev takes its questions from BIRD's authors and its databases from that copy.
The addresses, the sizes of Spider's archive and its checksum are from the hub's pages. No download could be tried where
this was written; the tests put a stand-in in the hub's place.

The cache is the folder that ``FINER_CACHE`` names, else ``finer`` in ``XDG_CACHE_HOME``, else ``~/.cache/finer``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

from finer.schema import DataError, MissingDataError

SPIDER_REPOSITORY = "xlangai/spider"
SPIDER_REVISION = "33bb2d632e7e53f1f8150777ee7bfeda5c0853ab"
SPIDER_ARCHIVE = "data/spider.zip"
SPIDER_SHA256 = "5ddff97bb1d421282c593e8d30ce0ce107270f4dd4a21d60eba4bf287d5956b1"
BIRD_REPOSITORY = "prem-research/birdbench"
BIRD_REVISION = "03abfc646adfd2ff0ab33ef69df16579446d6572"
MINI_DEV_REPOSITORY = "birdsql/bird_mini_dev"
MINI_DEV_QUESTIONS = "data/mini_dev_sqlite-00000-of-00001.json"
PAGES = {"spider": "https://yale-lily.github.io/spider", "bird": "https://bird-bench.github.io"}


def cache_folder() -> Path:
    """For what can be fetched or computed again: FINER_CACHE, else XDG_CACHE_HOME/finer, else ~/.cache/finer."""
    if own := os.environ.get("FINER_CACHE"):
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "finer"


def fetched(name: str) -> Path:
    """The folder of ``spider`` or ``bird`` in its own layout, fetched first where the cache lacks it.

    MissingDataError that names the official page where it cannot be fetched; nothing half fetched is ever taken for whole.
    """
    folder = cache_folder() / name
    if folder.is_dir():
        return folder
    part = folder.with_name(f"{name}.part")  # what came before an interruption is kept there and not fetched again
    try:
        part.mkdir(parents=True, exist_ok=True)
        _reach_hub()
        whole = _fetch_spider(part) if name == "spider" else _fetch_bird(part)
        whole.rename(folder)
    except DataError:
        raise
    except Exception as error:  # the errors of the hub and of what it stands on share no base
        raise _unfetched(name, error) from error
    shutil.rmtree(part, ignore_errors=True)
    return folder


def _unfetched(name: str, error: Exception) -> MissingDataError:
    title, option = {"spider": ("Spider", "dev.json, tables.json and database/"), "bird": ("BIRD", "dev.json and dev_databases/")}[name]
    reason = (str(error) or type(error).__name__).split("\n")[0]
    return MissingDataError(
        f"{title} could not be fetched ({reason}); get it from {PAGES[name]} on a machine with a network, unpack it, and give the "
        f"folder that holds {option}: --data FOLDER, or load_dataset({name!r}, data=FOLDER)"
    )


def _reach_hub() -> None:
    """Fails at once where there is no network; the hub's own functions try for half a minute."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    get_session().head(constants.ENDPOINT, timeout=10)


def _fetch_spider(part: Path) -> Path:
    from huggingface_hub import hf_hub_download

    place: dict[str, Any] = {"repo_type": "dataset", "revision": SPIDER_REVISION, "local_dir": part}
    plan = hf_hub_download(SPIDER_REPOSITORY, SPIDER_ARCHIVE, dry_run=True, **place)
    _announce("Spider", SPIDER_REPOSITORY, [plan])
    archive = Path(hf_hub_download(SPIDER_REPOSITORY, SPIDER_ARCHIVE, **place))
    with archive.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != SPIDER_SHA256:
        archive.unlink()
        raise DataError(f"{SPIDER_ARCHIVE} of {SPIDER_REPOSITORY} is not the known archive (SHA-256 {found}); get Spider from {PAGES['spider']}")
    unpacked = part / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    _unpack(archive, unpacked)
    for path in sorted(unpacked.rglob("dev.json")):
        if (path.parent / "database").is_dir():
            return path.parent
    raise DataError(f"{SPIDER_ARCHIVE} of {SPIDER_REPOSITORY} holds no dev.json beside database/; get Spider from {PAGES['spider']}")


def _unpack(archive: Path, folder: Path) -> None:
    """All files of a ZIP archive; DataError where one would land outside the folder."""
    with zipfile.ZipFile(archive) as bundle:
        for name in bundle.namelist():
            if not (folder / name).resolve().is_relative_to(folder.resolve()):
                raise DataError(f"{archive.name} holds {name!r}, which leads out of its folder; nothing was unpacked")
        bundle.extractall(folder)


def _fetch_bird(part: Path) -> Path:
    from huggingface_hub import hf_hub_download, snapshot_download

    place: dict[str, Any] = {"repo_type": "dataset", "revision": BIRD_REVISION, "local_dir": part, "allow_patterns": "validation/*"}
    _announce("BIRD dev", BIRD_REPOSITORY, snapshot_download(BIRD_REPOSITORY, dry_run=True, **place))
    snapshot_download(BIRD_REPOSITORY, **place)
    mini_dev = hf_hub_download(MINI_DEV_REPOSITORY, MINI_DEV_QUESTIONS, repo_type="dataset", local_dir=part)
    whole = part / "whole"
    shutil.rmtree(whole, ignore_errors=True)
    whole.mkdir()
    Path(mini_dev).replace(whole / "mini_dev_sqlite.json")
    (part / "validation" / "validation.json").replace(whole / "dev.json")
    (part / "validation" / "dev_databases").replace(whole / "dev_databases")
    return whole


def _announce(title: str, repository: str, plans: list[Any]) -> None:
    megabytes = sum(plan.file_size or 0 for plan in plans) / 1e6
    text = f"fetching {title}: {len(plans)} file{'s' * (len(plans) != 1)}, {megabytes:,.0f} MB, from huggingface.co/datasets/{repository}"
    print(f"{text} into {cache_folder()}", file=sys.stderr, flush=True)
