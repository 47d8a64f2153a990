"""Records for the tests of render, report and widgets: one mixed group with every kind of answer, and a run's metrics."""

from __future__ import annotations

from finer.records import Group, Question, RewardBreakdown, RewardPart, Rollout

GOLD = "SELECT a.name FROM author AS a JOIN book AS b ON b.author_id = a.author_id WHERE b.year >= 2010"
WRONG = "SELECT author.name\nFROM author\nJOIN book ON author.author_id = book.author_id\nWHERE book.year > 2010"
THOUGHT = "Tables author and book, joined on author_id; books from 2010 on; output the name."
WEIGHTS = {"format": 0.05, "execution": 0.5, "atomic": 0.35, "memory": 0.1}

NEIGHBOURS = [
    {
        "trace_id": 12,
        "db_id": "clinic",
        "thought": "Join doctor and visit.",
        "similarity": 0.84,
        "source": "starter",
        "step": 0,
    },
    {
        "trace_id": 655,
        "db_id": "museum",
        "thought": "Join artist and work.",
        "similarity": 0.71,
        "source": "policy",
        "step": 9,
    },
]


def question(index: int = 17, text: str = "Which authors wrote a book since 2010?") -> Question:
    return Question(index, "library", text, (GOLD,), difficulty="medium", split="train")


def atom(sql: str, clause: str, text: str, source: str) -> dict:
    """An atom as evidence holds it, with the span of ``source`` in ``sql``."""
    start = sql.index(source)
    return {"clause": clause, "text": text, "scope": "", "span": [start, start + len(source)]}


def atomic_evidence() -> dict:
    """Two atoms matched, one missing, one extra: overlap 2/4."""
    shared = [("FROM", "author", "FROM author AS a", "FROM author"), ("SELECT", "author.name", "a.name", "author.name")]
    matched = [[atom(WRONG, clause, text, mine), atom(GOLD, clause, text, gold)] for clause, text, gold, mine in shared]
    return {
        "summary": "2 operations shared, 1 missing, 1 extra",
        "overlap": 0.5,
        "gold": GOLD,
        "matched": matched,
        "missing": [atom(GOLD, "WHERE", "book.year >= 2010", "b.year >= 2010")],
        "extra": [atom(WRONG, "WHERE", "book.year > 2010", "book.year > 2010")],
    }


def rollout(position: int, status: str, values: tuple, sql: str = GOLD, thought: str = THOUGHT, **where) -> Rollout:
    """A rollout paid ``values`` for format, execution, atomic and memory; ``where`` sets step, group_id, advantage."""
    evidence = {
        "format": {"summary": "one thought, one query"},
        "execution": {
            "summary": "all rows equal on 4 instances"
            if status == "correct"
            else "row (3, 'Ada') is missing on instance 2"
        },
        "atomic": atomic_evidence() if sql == WRONG else {"summary": "the same operations"},
        "memory": {"summary": "cosine 0.81 to the centroid", "snapshot": 642, "neighbours": NEIGHBOURS},
    }
    parts = tuple(
        RewardPart(name, value, WEIGHTS[name], evidence[name]) for name, value in zip(WEIGHTS, values, strict=True)
    )
    breakdown = RewardBreakdown("finer", status, parts, thought, sql)
    step, group_id = where.get("step", 14), where.get("group_id", 3)
    identity = (100 * group_id + position, step, group_id, position)
    return Rollout(*identity, f"<think>\n{thought}\n</think>\n{sql}", breakdown, where.get("advantage"), 88)


def group(group_id: int = 3, step: int = 14) -> Group:
    """Four answers to one question: one right, one wrong, one that fails, one refused; advantages by TRL's formula."""
    answers = [
        ("correct", (1, 1, 1, 1), GOLD),
        ("wrong", (1, 0.1, 0.5, 0.8), WRONG),
        ("error", (1, 0, 0.4, 0.5), GOLD.replace("year", "yeer")),
        ("refused", (1, 0, None, None), "DROP TABLE author"),
    ]
    totals = [1.0, 0.355, 0.24, 0.05]
    mean = sum(totals) / 4
    spread = (sum((total - mean) ** 2 for total in totals) / 3) ** 0.5
    members = [
        rollout(place, *answer, step=step, group_id=group_id, advantage=(total - mean) / (spread + 1e-4))
        for place, (answer, total) in enumerate(zip(answers, totals, strict=True))
    ]
    return Group(group_id, step, question(), "the prompt", tuple(members))


def silent_group(group_id: int, step: int) -> Group:
    """Four answers that were paid the same: no signal."""
    members = [
        rollout(place, "correct", (1, 1, 1, 1), step=step, group_id=group_id, advantage=0.0) for place in range(4)
    ]
    return Group(group_id, step, question(18, "How many books are there?"), "the prompt", tuple(members))


def metrics(step: int) -> dict[str, float]:
    """One step's metrics under TRL's names."""
    share = step / (step + 10)
    values = {
        "reward": 0.4 + 0.4 * share,
        "reward_std": 0.2,
        "frac_reward_zero_std": 0.25,
        "completions/mean_length": 90 - step,
    }
    for name in WEIGHTS:
        values[f"rewards/{name}/mean"], values[f"rewards/{name}/std"] = 0.5 + 0.4 * share, 0.1
    return values


def curves(steps: int) -> dict[str, list[tuple[int, float]]]:
    """Metrics of ``steps`` steps, as the store's reader hands them out."""
    return {name: [(step, metrics(step)[name]) for step in range(1, steps + 1)] for name in metrics(1)}
