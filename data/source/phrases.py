"""The parts that questions are built from: names, conditions and openings, each with its SQL.

Words taken from a domain or its rows stand between two marks (``«`` and ``»``), so that what is left of a question is its
phrasing: ``phrasing("How many «books» have a «price» over «12»?")`` is ``"How many _ have a _ over _?"``.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from domain import Column, Table
from world import World

from finer.schema import quote

MARKED = re.compile("«([^»]*)»")


def plain(text: str) -> str:
    """The question as a person reads it.

    >>> plain("How many «books» are there?")
    'How many books are there?'
    """
    return text.replace("«", "").replace("»", "")


def phrasing(text: str) -> str:
    """What is left of a marked question without the words of its domain.

    >>> phrasing("How many «books» have a «price» over «12»?")
    'How many _ have a _ over _?'
    """
    return MARKED.sub("_", text)


@dataclass(frozen=True)
class Ask:
    """A question with its right answer."""

    text: str
    """Marked (see the module's docstring)."""
    sql: str
    kind: str
    tables: tuple[str, ...]
    evidence: str = ""


@dataclass(frozen=True)
class Condition:
    """Words that follow a plural ("in the mystery genre") and the SQL that they mean."""

    text: str
    sql: str
    evidence: str = ""


def literal(value) -> str:
    """A value as an SQL literal."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def article(phrase: str) -> str:
    """'a' or 'an' with the marked phrase."""
    return ("an" if phrase[0].lower() in "aeiou" else "a") + f" «{phrase}»"


class Words:
    """Draws names, values and conditions from one world."""

    def __init__(self, world: World, rng: random.Random):
        self.world, self.rng = world, rng

    def pick(self, options):
        return options[self.rng.randrange(len(options))]

    def columns(self, table: Table, *roles: str) -> list[Column]:
        return [column for column in table.columns if column.role in roles]

    def column(self, table: Table, *roles: str, **wanted) -> Column:
        """One column of these roles; LookupError where the table has none."""
        found = [c for c in self.columns(table, *roles) if all(getattr(c, k) == v for k, v in wanted.items())]
        if not found:
            raise LookupError(f"{table.name} has no column of role {roles}")
        return self.pick(found)

    def table_with(self, *roles: str, label: bool = True) -> Table:
        """A table that has columns of all these roles (and a label, unless told otherwise)."""
        found = [t for t in self.world.domain.tables
                 if all(self.columns(t, role) for role in roles) and (self.world.label(t) or not label)]
        if not found:
            raise LookupError(f"no table with columns of roles {roles}")
        return self.pick(found)

    def value(self, table: Table, column: Column):
        values = self.world.values(table, column)
        if not values:
            raise LookupError(f"{table.name}.{column.name} holds no value")
        return self.pick(values)

    def shown(self, table: Table) -> Column:
        """The column that stands for a row when it is listed: its label, or something a person would print."""
        return self.world.label(table) or self.column(table, "date", "category", "number", "text")

    def condition(self, table: Table, qualified: bool = False, roles: tuple[str, ...] = ()) -> Condition:
        """One condition on a table's rows."""
        kinds = roles or ("category", "category", "number", "number", "date", "flag", "label", "null")
        for _ in range(20):
            kind = self.pick(kinds)
            try:
                return getattr(self, f"_{kind}")(table, qualified)
            except LookupError:
                continue
        raise LookupError(f"no condition for {table.name}")

    def conditions(self, table: Table, qualified: bool = False) -> Condition:
        """One condition, or two joined by AND or OR."""
        first = self.condition(table, qualified)
        if self.rng.random() < 0.72:
            return first
        second = self.condition(table, qualified)
        if second.sql.split(" ")[0] == first.sql.split(" ")[0]:
            return first
        if self.rng.random() < 0.75:
            glue = self.pick((" and ", " and ", ", and also "))
            return Condition(first.text + glue + second.text, f"{first.sql} AND {second.sql}")
        return Condition("either " + first.text + " or " + second.text, f"({first.sql} OR {second.sql})")

    def name(self, table: Table, column: Column, qualified: bool) -> str:
        return f"{quote(table.name)}.{quote(column.name)}" if qualified else quote(column.name)

    def _category(self, table: Table, qualified: bool) -> Condition:
        column = self.column(table, "category")
        value, name = self.value(table, column), self.name(table, column, qualified)
        draw = self.rng.random()
        if draw < 0.14:
            other = self.value(table, column)
            if other != value:
                return Condition(self._said(column, f"{value}» or «{other}"), f"{name} IN ({literal(value)}, {literal(other)})")
        if draw < 0.26:
            text = self.pick((f"whose «{column.phrase}» is not «{value}»", f"with any «{column.phrase}» but «{value}»",
                              f"with {article(column.phrase)} other than «{value}»"))
            return Condition(text, f"{name} <> {literal(value)}")
        return Condition(self._said(column, value), f"{name} = {literal(value)}")

    def _said(self, column: Column, value) -> str:
        if column.says and self.rng.random() < 0.6:
            return "«" + column.says.replace("{value}", f"»«{value}»«") + "»"
        return self.pick((f"whose «{column.phrase}» is «{value}»", f"with «{column.phrase}» «{value}»",
                          f"that have «{value}» as «{column.phrase}»", f"with the «{column.phrase}» «{value}»"))

    def _number(self, table: Table, qualified: bool) -> Condition:
        column = self.column(table, "number")
        value, name, phrase = self.value(table, column), self.name(table, column, qualified), column.phrase
        operator = self.pick((">", ">", "<", ">=", "<=", "=", "between"))
        if operator == "between":
            low, high = sorted((value, self.value(table, column)))
            text = self.pick((f"with {article(phrase)} between «{low}» and «{high}»", f"whose «{phrase}» is between «{low}» and «{high}»",
                              f"with {article(phrase)} from «{low}» to «{high}»"))
            return Condition(text, f"{name} BETWEEN {literal(low)} AND {literal(high)}")
        words = {">": ("above", "over", "greater than", "of more than"), "<": ("below", "under", "less than", "of less than"),
                 ">=": ("of at least", "no lower than"), "<=": ("of at most", "no higher than"), "=": ("of exactly", "equal to")}
        said = self.pick(words[operator])
        text = self.pick((f"with {article(phrase)} {said} «{value}»", f"whose «{phrase}» is {said.removeprefix('of ')} «{value}»",
                          f"that have {article(phrase)} {said} «{value}»"))
        return Condition(text, f"{name} {operator} {literal(value)}")

    def _date(self, table: Table, qualified: bool) -> Condition:
        column = self.column(table, "date")
        value, name, phrase = str(self.value(table, column)), self.name(table, column, qualified), column.phrase
        draw = self.rng.random()
        if draw < 0.45:
            text = self.pick((f"with {article(phrase)} in «{value[:4]}»", f"whose «{phrase}» is in «{value[:4]}»",
                              f"whose «{phrase}» falls in the year «{value[:4]}»"))
            return Condition(text, f"strftime('%Y', {name}) = '{value[:4]}'")
        operator, words = self.pick(((">", ("after", "later than")), ("<", ("before", "earlier than")), (">=", ("on or after", "no earlier than"))))
        said = self.pick(words)
        text = self.pick((f"with {article(phrase)} {said} «{value}»", f"whose «{phrase}» is {said} «{value}»"))
        return Condition(text, f"{name} {operator} '{value}'")

    def _flag(self, table: Table, qualified: bool) -> Condition:
        column = self.column(table, "flag")
        return Condition(f"«{column.says}»", f"{self.name(table, column, qualified)} = 1")

    def _label(self, table: Table, qualified: bool) -> Condition:
        column = self.column(table, "label")
        value, name = str(self.value(table, column)), self.name(table, column, qualified)
        words = [word for word in value.split() if word.isalpha() and len(word) > 2]
        if words and self.rng.random() < 0.5:
            word = self.pick(words)
            text = self.pick((f"whose «{column.phrase}» contains «{word}»", f"with «{word}» in the «{column.phrase}»",
                              f"that have «{word}» somewhere in their «{column.phrase}»"))
            return Condition(text, f"{name} LIKE '%{word}%'")
        if not value[0].isalpha():
            raise LookupError("no first letter")
        text = self.pick((f"whose «{column.phrase}» starts with «{value[0]}»", f"whose «{column.phrase}» begins with «{value[0]}»",
                          f"with {article(column.phrase)} starting with «{value[0]}»"))
        return Condition(text, f"{name} LIKE '{value[0]}%'")

    def _null(self, table: Table, qualified: bool) -> Condition:
        optional = [c for c in table.columns if not c.required and c.role in ("number", "date", "category", "text")]
        if not optional:
            raise LookupError(f"{table.name} has no optional column")
        column = self.pick(optional)
        name, phrase = self.name(table, column, qualified), column.phrase
        if self.rng.random() < 0.6:
            text = self.pick((f"without {article(phrase)}", f"with no «{phrase}» on record", f"whose «{phrase}» is missing",
                              f"whose «{phrase}» is not known"))
            return Condition(text, f"{name} IS NULL")
        text = self.pick((f"with a known «{phrase}»", f"whose «{phrase}» is on record", f"whose «{phrase}» is known"))
        return Condition(text, f"{name} IS NOT NULL")

    def evident(self, table: Table, qualified: bool = False) -> Condition:
        """A condition behind a word that only an evidence line explains."""
        column = self.column(table, "number", additive=True)
        value, name = self.value(table, column), self.name(table, column, qualified)
        word, operator = self.pick((("top", ">="), ("large", ">"), ("small", "<"), ("notable", ">="), ("modest", "<="), ("premium", ">")))
        evidence = f"{word} {table.plural} have {column.phrase} {operator} {value}"
        return Condition(word, f"{name} {operator} {literal(value)}", evidence)
