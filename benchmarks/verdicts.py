"""Verdicts a second on Spider's dev questions, beside the published shape and SQLite's own time.

    python benchmarks/verdicts.py FOLDER [ROUNDS]

FOLDER holds ``spider/`` (Spider's own layout) and ``predictions/spider_dev/*.jsonl`` (``index`` and ``sql`` a line).

Three sides judge the same distinct texts by ``spider-ex``, in turn, ROUNDS times; nothing is kept between two rounds:

- ours: a ``Judge`` of its own, processes and all;
- published: an HTTP service on this machine that runs one query a request, and a client that asks in a serial loop, the
  gold with every prediction, a connection a request, as a plain ``post`` makes it; the comparison is ours;
- tuned: the same service given what such code often lacks: one connection kept alive, each gold asked for once;
- floor: SQLite alone, in this process, one open connection a database, every row fetched, nothing compared.

Beside the time by the clock stands the processor time of a side, its own processes included: it hardly depends on what
else the machine is busy with.

The target is 3 times the published shape, and at most 15 seconds for all predictions.
"""

from __future__ import annotations

import http.client
import http.server
import json
import resource
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from finer.datasets import Dataset, load_dataset
from finer.judge import Judge, Pair
from finer.metrics import rule
from finer.records import Execution

RULE = rule("spider-ex")


class Service(http.server.BaseHTTPRequestHandler):
    """POST {"path", "sql", "seconds"}; answers {"status", "rows"}."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(run_query(asked), default=repr).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a line a request on the terminal would count against it."""


def run_query(asked: dict) -> dict:
    """One query on a connection of its own, with a bound on its time."""
    connection = sqlite3.connect(f"file:{asked['path']}?mode=ro", uri=True)
    try:
        connection.text_factory = lambda raw: raw.decode("utf-8", "ignore")
        deadline = time.monotonic() + asked["seconds"]
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 5000)
        rows = connection.execute(asked["sql"]).fetchall()
        return {"status": "ok" if rows else "empty", "rows": rows}
    except (sqlite3.Error, sqlite3.Warning) as error:
        return {"status": "error", "rows": [], "error": str(error)}
    finally:
        connection.close()


def serve() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    print(server.server_port, flush=True)
    server.serve_forever()


def published(dataset: Dataset, pairs: list[Pair], tuned: bool = False) -> list[bool]:
    service = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        client = http.client.HTTPConnection("127.0.0.1", int(service.stdout.readline()))
        golds: dict[tuple[str, str], Execution] = {}
        return [ask_both(client, dataset, golds if tuned else {}, question, sql, tuned) for question, sql in pairs]
    finally:
        service.kill()
        service.wait()


def ask_both(client: http.client.HTTPConnection, dataset: Dataset, golds: dict, question, sql: str, tuned: bool) -> bool:
    gold_sql = RULE.prepare_gold(question.gold[0])
    key = (question.db_id, gold_sql)
    if key not in golds:
        golds[key] = ask(client, dataset, *key, tuned)
    found = ask(client, dataset, question.db_id, RULE.prepare_prediction(sql), tuned)
    return found.ran and golds[key].ran and RULE.compare(gold_sql, golds[key], found).equal


def ask(client: http.client.HTTPConnection, dataset: Dataset, db_id: str, sql: str, keep: bool) -> Execution:
    client.request("POST", "/", json.dumps({"path": str(dataset.databases[db_id].path), "sql": sql, "seconds": 60}))
    answer = json.loads(client.getresponse().read())
    if not keep:
        client.close()  # it opens again with the next request
    return Execution(answer["status"], tuple(map(tuple, answer["rows"])))


def ours(dataset: Dataset, pairs: list[Pair]) -> list[bool]:
    with Judge(dataset.databases, rule=RULE) as judge:
        return [bool(verdict.correct) for verdict in judge.judge_many(pairs)]


def floor(dataset: Dataset, pairs: list[Pair]) -> list[bool]:
    texts = {(question.db_id, RULE.prepare_gold(question.gold[0])) for question, _ in pairs}
    texts |= {(question.db_id, RULE.prepare_prediction(sql)) for question, sql in pairs}
    connections = {db_id: sqlite3.connect(f"file:{dataset.databases[db_id].path}?mode=ro&immutable=1", uri=True) for db_id, _ in texts}
    for db_id, sql in sorted(texts):
        connections[db_id].text_factory = bytes
        try:
            connections[db_id].execute(sql).fetchall()
        except (sqlite3.Error, sqlite3.Warning):
            pass  # an error is its answer, and took its time
    for connection in connections.values():
        connection.close()
    return []


def read_pairs(folder: Path, dataset: Dataset) -> list[Pair]:
    questions = {question.index: question for question in dataset.questions}
    lines = [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(questions[line["index"]], line["sql"]) for line in lines]


def main(folder: Path, rounds: int) -> None:
    dataset = load_dataset("spider", split="dev", data=folder / "spider")
    every = read_pairs(folder / "predictions" / "spider_dev", dataset)
    distinct = list({(q.db_id, q.gold, RULE.prepare_prediction(sql)): (q, sql) for q, sql in every}.values())
    sides: dict[str, Callable[[Dataset, list[Pair]], list[bool]]] = {
        "ours": ours, "published": published, "tuned": lambda *given: published(*given, tuned=True), "floor": floor}  # fmt: skip
    seconds: dict[str, list[float]] = {name: [] for name in [*sides, "all"]}
    processor: dict[str, list[float]] = {name: [] for name in [*sides, "all"]}
    for _ in range(rounds):
        answers = {name: timed(seconds[name], processor[name], side, dataset, distinct) for name, side in sides.items()}
        assert answers["ours"] == answers["published"] == answers["tuned"], "the sides disagree"
        timed(seconds["all"], processor["all"], ours, dataset, every)
    middle = {name: statistics.median(taken) for name, taken in seconds.items()}
    for name in sides:
        spread = f"{min(seconds[name]):.2f} to {max(seconds[name]):.2f} s"
        rate = f"{len(distinct) / middle[name]:8.0f} verdicts a second  ({len(distinct)} distinct in {middle[name]:.2f} s; {spread}"
        print(f"{name:10} {rate}; {statistics.median(processor[name]):.2f} s of processor)")
    for peer in ("published", "tuned"):
        ratios = [theirs / mine for theirs, mine in zip(seconds[peer], seconds["ours"], strict=True)]
        print(f"ours / {peer}: {statistics.median(ratios):.1f} times ({min(ratios):.1f} to {max(ratios):.1f} over {rounds} rounds)")
    print(f"all {len(every)} predictions, gold included, cold: {middle['all']:.2f} s (at most {max(seconds['all']):.2f} s)")


def timed(taken: list[float], processor: list[float], side: Callable, *arguments: object) -> list[bool]:
    began, worked = time.perf_counter(), processor_seconds()
    found = side(*arguments)
    taken.append(time.perf_counter() - began)
    processor.append(processor_seconds() - worked)
    return found


def processor_seconds() -> float:
    """What this process and those it has waited for have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    elif len(sys.argv) > 1:
        main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
    else:
        sys.exit(__doc__)
