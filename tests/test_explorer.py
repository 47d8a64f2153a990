"""What a report carries to be searched: which answers, how many bytes, and that no text in it can leave its element."""

from __future__ import annotations

import json
import random
import re

import pytest
import render_samples as samples
from hostile_texts import HOSTILE, group_of, recorded

from finer.explorer import evenly, explorer_data
from finer.render.explorer import explorer
from finer.report import report_html
from finer.runs import Run, RunWriter


def carried(html: str) -> dict:
    return json.loads(re.search(r'class="x-data">(.*?)</script>', html, re.DOTALL).group(1))


def test_every_answer_of_a_short_run_is_there_and_says_so(tmp_path):
    run = recorded(tmp_path, [samples.group(step, step) for step in range(1, 4)])
    data = explorer_data(run)
    assert data["said"] == "All 12 answers of the run." and data["shown"] == 12
    first = data["groups"][0]["answers"][1]
    rollout = run.group(1).rollouts[1]
    assert data["texts"][first[5]] == rollout.sql and data["texts"][first[1]] == rollout.breakdown.status
    assert sum((value or 0) * weight for _, value, weight, _ in first[7]) == pytest.approx(rollout.breakdown.total, abs=1e-4)


def test_places_of_operations_lie_in_the_texts_shown(tmp_path):
    data = explorer_data(recorded(tmp_path, [samples.group(1, 1)]))
    group = data["groups"][0]
    wrong = next(one for one in group["answers"] if data["texts"][one[5]] == samples.WRONG)
    missing = next(one for one in wrong[8] if one[0] == "−")
    start, end = missing[2]
    assert data["texts"][group["gold"]][start:end] == "b.year >= 2010" and missing[3] == 0


def test_a_longer_run_is_thinned_evenly_and_the_page_says_so(tmp_path):
    run = recorded(tmp_path, [samples.group(step, step) for step in range(1, 10)])
    data = explorer_data(run, most=12)
    assert [one["id"] for one in data["groups"]] == [1, 5, 9]
    assert data["said"].startswith("12 of the run's 36 answers: 3 of 9 groups, each whole, taken at even distances")


SIZES = {
    "nothing": ([], 10, []),
    "all fit": ([(1, 4), (2, 4)], 8, [1, 2]),
    "one group is larger than the page": ([(1, 8), (2, 8)], 4, [2]),
    "ends are kept": ([(place, 1) for place in range(100)], 3, [0, 50, 99]),
}


@pytest.mark.parametrize(("sizes", "most", "ids"), SIZES.values(), ids=SIZES.keys())
def test_which_groups_are_taken(sizes, most, ids):
    assert evenly(sizes, most) == ids


def test_the_data_stay_within_the_bytes(tmp_path):
    random.seed(1)
    noise = ["".join(random.choices("abcdefgh ", k=3000)) for _ in range(20)]
    run = recorded(tmp_path, [group_of(step, breakdown={"thought": noise[step]}) for step in range(1, 20)])
    data = explorer_data(run, most_bytes=30_000)
    assert 0 < data["shown"] < 76 and "so that the page stays under 10 MB" in data["said"]
    assert len(json.dumps(data, ensure_ascii=False).encode()) <= 30_000


@pytest.mark.parametrize("nasty", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_text_leaves_the_json(tmp_path, nasty):
    member = group_of(1, completion=nasty, breakdown={"thought": nasty, "sql": ""}, question={"text": nasty})
    html = explorer(explorer_data(recorded(tmp_path, [member])))
    inside = re.search(r'class="x-data">(.*?)</script>', html, re.DOTALL).group(1)
    assert not re.search("[<>&\u2028\u2029\u202e\x1b\udcff]", inside)
    assert html.count("</script>") == 2 and html.encode("utf-8")
    shown = carried(html)["texts"]
    assert any(text.startswith((nasty[:1], "\\", "?")) for text in shown)


def test_a_run_that_has_just_begun_has_nothing_to_search(tmp_path):
    with RunWriter.create(tmp_path / "new", {}):
        assert carried(report_html(Run(tmp_path / "new")))["groups"] == []
