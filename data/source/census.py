"""Count what the golds use: the table in ``data/README.md``. ``python data/source/census.py`` prints it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import sqlglot
from sqlglot import exp

STARTER = Path(__file__).resolve().parent.parent / "starter"
SPLITS = ("train", "dev", "unseen")


def _has(*kinds):
    return lambda tree: tree.find(*kinds) is not None


def _joins(tree, side: str) -> bool:
    return any(join.side == side for join in tree.find_all(exp.Join))


def _tables(select: exp.Select) -> list[str]:
    sources = [select.args.get("from_"), *(select.args.get("joins") or ())]
    return [source.this.name for source in sources if source and isinstance(source.this, exp.Table)]


def _joins_itself(tree) -> bool:
    return any(len(names) > len(set(names)) for names in map(_tables, tree.find_all(exp.Select)))


def _three_tables(tree) -> bool:
    return any(len(_tables(select)) >= 3 for select in tree.find_all(exp.Select))


def _nested(tree) -> bool:
    return any(select.find_ancestor(exp.Where, exp.Having, exp.Join) for select in tree.find_all(exp.Select))


def _correlated(tree) -> bool:
    for select in tree.find_all(exp.Select):
        if select.find_ancestor(exp.Select) and not select.find_ancestor(exp.CTE):
            own = {source.alias_or_name for source in select.find_all(exp.Table)}
            if any(column.table and column.table not in own for column in select.find_all(exp.Column)):
                return True
    return False


def _negated(tree, kind) -> bool:
    return any(isinstance(node.parent, exp.Not) for node in tree.find_all(kind))


def _distinct(tree) -> bool:
    return any(isinstance(node.parent, (exp.Select, exp.Count)) for node in tree.find_all(exp.Distinct))


def _dates(tree) -> bool:
    return "strftime" in tree.sql("sqlite").lower() or "date(" in tree.sql("sqlite").lower() or any(
        len(text.this) == 10 and text.this[4] == text.this[7] == "-" for text in tree.find_all(exp.Literal) if text.is_string)


USES = {
    "inner join": lambda tree: any(not join.side for join in tree.find_all(exp.Join)),
    "left join": lambda tree: _joins(tree, "LEFT"),
    "a table joined to itself": _joins_itself,
    "three tables or more (many-to-many)": _three_tables,
    "GROUP BY": _has(exp.Group),
    "HAVING": _has(exp.Having),
    "DISTINCT": _distinct,
    "ORDER BY": _has(exp.Order),
    "LIMIT": _has(exp.Limit),
    "nested subquery": _nested,
    "correlated subquery": _correlated,
    "IN": lambda tree: any(not isinstance(node.parent, exp.Not) for node in tree.find_all(exp.In)),
    "NOT IN": lambda tree: _negated(tree, exp.In),
    "EXISTS or NOT EXISTS": _has(exp.Exists),
    "set operation": _has(exp.SetOperation),
    "CTE": _has(exp.CTE),
    "window function": _has(exp.Window),
    "CASE": _has(exp.Case),
    "dates": _dates,
    "LIKE": _has(exp.Like),
    "NULL handling": lambda tree: tree.find(exp.Coalesce) is not None or any(isinstance(n.expression, exp.Null) for n in tree.find_all(exp.Is)),
    "arithmetic": _has(exp.Add, exp.Sub, exp.Mul, exp.Div),
}


def census() -> list[tuple[str, list[int]]]:
    """Each use with how many golds of each split (train, dev, unseen) have it."""
    counts: Counter = Counter()
    for line in map(json.loads, (STARTER / "questions.jsonl").read_text().splitlines()):
        tree = sqlglot.parse_one(line["gold"][0], read="sqlite")
        counts.update((name, line["split"]) for name, uses in USES.items() if uses(tree))
        counts["questions", line["split"]] += 1
        counts["with an evidence line", line["split"]] += bool(line["evidence"])
        counts[f"difficulty {line['difficulty']}", line["split"]] += 1
    names = ["questions", *USES, "with an evidence line", *(f"difficulty {d}" for d in ("easy", "medium", "hard", "extra"))]
    return [(name, [counts[name, split] for split in SPLITS]) for name in names]


def table() -> str:
    """The census as a Markdown table."""
    lines = ["| the gold uses | " + " | ".join(SPLITS) + " | all |", "|---|---|---|---|---|"]
    lines += [f"| {name} | " + " | ".join(map(str, found)) + f" | {sum(found)} |" for name, found in census()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
