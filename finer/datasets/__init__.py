"""Questions, databases and verified traces from the starter data, Spider, BIRD or a folder, all read into one form.

One file a layout: ``folder`` (the starter data and a folder of one's own), ``spider``, ``bird``; ``fetch`` gets the
public copies of the latter two. Every fault names the file, the place in it, what was expected and how to mend it.
"""

from __future__ import annotations

from pathlib import Path

from finer.datasets.dataset import Database, Dataset
from finer.datasets.fetch import cache_folder, fetched
from finer.datasets.folder import QUESTION_FILES, is_folder, load_folder
from finer.schema import DataError, MissingDataError

__all__ = ["DATA_FOLDER", "Database", "Dataset", "cache_folder", "load_dataset"]

DATA_FOLDER = Path(__file__).resolve().parent.parent.parent / "data"


def load_dataset(name: str | Path = "starter", split: str | None = None, data: str | Path | None = None) -> Dataset:
    """Load ``starter``, ``spider``, ``bird``, or a folder: of your own, or in Spider's or BIRD's layout.

    ``data`` is the folder that holds Spider's or BIRD's files in their own layout; without it they are fetched once.
    ``split`` keeps the questions of one split: of the starter data and a folder of your own by default all; of Spider
    (``dev``, ``train``) and BIRD (``dev``, ``mini_dev``, ``train``) by default ``dev``.

    MissingDataError where a file is missing, DataError where one cannot be read; both say how to mend it. A missing
    database of Spider or BIRD is no error: ``Dataset.missing`` says why its questions cannot run.
    """
    if name in ("spider", "bird"):
        return _load_benchmark(str(name), split, data)
    if data is not None:
        raise DataError(f"data={str(data)!r} goes with 'spider' or 'bird', not with {str(name)!r}; leave it out, or name one of them")
    folder = DATA_FOLDER / "starter" if name == "starter" else Path(name)
    if not is_folder(folder):
        return _load_other(folder, name, split)
    dataset = load_folder(folder, str(name))
    return dataset if split is None else dataset.split(split)


def _load_benchmark(name: str, split: str | None, data: str | Path | None) -> Dataset:
    folder = fetched(name) if data is None else Path(data)
    if not folder.is_dir():
        raise MissingDataError(f"no folder {str(folder)!r}; give data= (--data) the folder that holds the files of {name}")
    if name == "spider":
        from finer.datasets.spider import load_spider  # it loads the parser of SQL, which the others do not need

        return load_spider(folder, split or "dev")
    from finer.datasets.bird import load_bird

    return load_bird(folder, split)


def _load_other(folder: Path, name: str | Path, split: str | None) -> Dataset:
    """A folder that is in Spider's or BIRD's layout."""
    from finer.datasets.bird import is_bird, load_bird
    from finer.datasets.spider import is_spider, load_spider

    if name == "starter":
        raise MissingDataError(f"the starter data is not in {str(folder)!r}; install from a checkout of the repository: pip install -e .")
    if is_spider(folder):
        return load_spider(folder, split or "dev", str(name))
    if is_bird(folder):
        return load_bird(folder, split, str(name))
    raise MissingDataError(
        f"unknown dataset {str(name)!r}: give 'starter', 'spider' or 'bird', or a folder that holds {', '.join(QUESTION_FILES[:-1])} "
        f"or {QUESTION_FILES[-1]}, and databases/"
    )
