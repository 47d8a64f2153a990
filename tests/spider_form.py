"""Spider's parsed form of a query, for tests: the official counting over it, and a way to draw queries of its grammar.

The form and the counting are those of Spider's evaluation (Yu et al., 2018): a condition is ``[not, operator, value
unit, value, value]`` with connectors in between, a value unit ``[operator, column unit, column unit]``, a column unit
``[aggregate, column, distinct]``. A drawn query is a pair of this form and its text, written side by side, so that
neither is read off the other. Not covered: what Spider's evaluation does besides hardness.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

OPERATORS = ("not", "between", "=", ">", "<", ">=", "<=", "!=", "in", "like", "is", "exists")
AGGREGATES = ("none", "max", "min", "count", "sum", "avg")
ARITHMETIC = ("none", "-", "+", "*", "/")
SET_OPERATIONS = ("intersect", "union", "except")
LIKE = OPERATORS.index("like")


def official_hardness(form: dict[str, Any]) -> str:
    """The class that Spider's three counts over the parsed form give."""
    clauses, nested, others = _component1(form), _component2(form), _others(form)
    if clauses <= 1 and others == 0 and nested == 0:
        return "easy"
    if nested == 0 and ((others <= 2 and clauses <= 1) or (clauses <= 2 and others < 2)):
        return "medium"
    if (
        (others > 2 and clauses <= 2 and nested == 0)
        or (2 < clauses <= 3 and others <= 2 and nested == 0)
        or (clauses <= 1 and others == 0 and nested <= 1)
    ):
        return "hard"
    return "extra"


def _all_conditions(form: dict[str, Any]) -> list[list[Any]]:
    return [form["from"]["conds"], form["where"], form["having"]]


def _component1(form: dict[str, Any]) -> int:
    count = sum(len(form[name]) > 0 for name in ("where", "groupBy", "orderBy")) + (form["limit"] is not None)
    count += max(len(form["from"]["table_units"]) - 1, 0)
    for conditions in _all_conditions(form):
        count += conditions[1::2].count("or") + sum(condition[1] == LIKE for condition in conditions[::2])
    return count


def _component2(form: dict[str, Any]) -> int:
    values = [value for conditions in _all_conditions(form) for condition in conditions[::2] for value in condition[3:5]]
    return sum(isinstance(value, dict) for value in values) + sum(form[name] is not None for name in SET_OPERATIONS)


def _others(form: dict[str, Any]) -> int:
    units = form["select"][1] + form["where"][::2] + form["groupBy"] + form["having"]
    if form["orderBy"]:
        units = units + [column for unit in form["orderBy"][1] for column in unit[1:] if column]
    # The official test looks at each unit's first place: an aggregate, a NOT, or a letter of a connector in HAVING.
    aggregates = sum(unit[0] != 0 for unit in units)
    plural = (aggregates, len(form["select"][1]), len(form["where"]), len(form["groupBy"]))
    return sum(count > 1 for count in plural)


_name = st.sampled_from(["a", "b", "c"])
_rarely = st.sampled_from([False, False, True])


@st.composite
def _column_unit(draw: Any) -> tuple[list[Any], str]:
    aggregate, name = draw(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5])), draw(_name)
    return [aggregate, name, False], name if aggregate == 0 else f"{AGGREGATES[aggregate]}({name})"


@st.composite
def _value_unit(draw: Any) -> tuple[list[Any], str]:
    (left, left_text), sign = draw(_column_unit()), draw(st.sampled_from([0, 0, 1, 2, 3, 4]))
    if sign == 0:
        return [0, left, None], left_text
    right, right_text = draw(_column_unit())
    return [sign, left, right], f"{left_text} {ARITHMETIC[sign]} {right_text}"


@st.composite
def _output(draw: Any) -> tuple[list[Any], str]:
    """An output column in the three shapes the grammar has: agg(unit), unit without a leading aggregate, (unit)."""
    aggregate = draw(st.sampled_from([0, 0, 1, 2, 3, 4, 5]))
    unit, text = draw(_value_unit())
    if aggregate:
        name = draw(_name)
        return [aggregate, [0, [0, name, False], None]], f"{AGGREGATES[aggregate]}({name})"
    return [0, unit], f"({text})" if unit[1][0] or draw(_rarely) else text


@st.composite
def _condition(draw: Any, depth: int) -> tuple[list[Any], str]:
    (unit, text), operator = draw(_value_unit()), draw(st.sampled_from([1, 2, 3, 7, 8, LIKE]))
    negated = operator in (1, 8, LIKE) and draw(_rarely)
    query, query_text = draw(spider_queries(depth - 1)) if depth and operator != LIKE and draw(_rarely) else (1, "1")
    value_text = f"({query_text})" if operator == 8 or query != 1 else "'x'" if operator == LIKE else query_text
    tail = " AND 9" if operator == 1 else ""
    written = f"{text} {'NOT ' if negated else ''}{OPERATORS[operator].upper()} {value_text}{tail}"
    return [negated, operator, unit, query, 9.0 if operator == 1 else None], written


@st.composite
def _conditions(draw: Any, depth: int, most: int = 3) -> tuple[list[Any], str]:
    form, text = [], ""
    for position in range(draw(st.integers(1, most))):
        connector = draw(st.sampled_from(["and", "or"])) if position else ""
        condition, written = draw(_condition(depth))
        form += [connector, condition] if connector else [condition]
        text += f" {connector.upper()} {written}" if connector else written
    return form, text


@st.composite
def _from(draw: Any, depth: int) -> tuple[dict[str, Any], str]:
    if depth and draw(_rarely):
        query, text = draw(spider_queries(depth - 1))
        return {"table_units": [["sql", query]], "conds": []}, f"({text})"
    units, conditions, text = [["table_unit", 0]], [], "t0"
    for number in range(1, draw(st.integers(1, 3))):
        units.append(["table_unit", number])
        text += f" JOIN t{number}"
        if draw(st.booleans()):
            on, written = draw(_conditions(depth, 2))
            conditions += [*(["and"] if conditions else []), *on]
            text += f" ON {written}"
    return {"table_units": units, "conds": conditions}, text


@st.composite
def spider_queries(draw: Any, depth: int = 1) -> tuple[dict[str, Any], str]:
    """A query of Spider's grammar: its parsed form and its text."""
    outputs = draw(st.lists(_output(), min_size=1, max_size=3))
    source, source_text = draw(_from(depth))
    form: dict[str, Any] = {"select": [False, [unit for unit, _ in outputs]], "from": source, "limit": None}
    text = f"SELECT {', '.join(written for _, written in outputs)} FROM {source_text}"
    form["where"], where = draw(_conditions(depth)) if draw(st.booleans()) else ([], "")
    form["having"], having = draw(_conditions(depth)) if draw(_rarely) else ([], "")
    groups = draw(st.lists(_name, max_size=2))
    form["groupBy"] = [[0, name, False] for name in groups]
    orders = draw(st.lists(_value_unit(), max_size=2))
    form["orderBy"] = ["asc", [unit for unit, _ in orders]] if orders else []
    text += f" WHERE {where}" if where else ""
    text += f" GROUP BY {', '.join(groups)}" if groups else ""
    text += f" HAVING {having}" if having else ""
    text += f" ORDER BY {', '.join(written for _, written in orders)}" if orders else ""
    if draw(_rarely):
        form["limit"], text = 1, text + " LIMIT 1"
    return _with_set_operation(draw, form, text, depth)


def _with_set_operation(draw: Any, form: dict[str, Any], text: str, depth: int) -> tuple[dict[str, Any], str]:
    form |= dict.fromkeys(SET_OPERATIONS)
    if depth and draw(_rarely):
        name = draw(st.sampled_from(SET_OPERATIONS))
        form[name], right = draw(spider_queries(depth - 1))
        text += f" {name.upper()} {right}"
    return form, text
