"""Kinds of questions over several tables. Each takes ``Words`` and returns an ``Ask``; LookupError: this world cannot ask it."""

from __future__ import annotations

from dataclasses import dataclass

from domain import Bridge, Column, Relation, Table
from kinds import AGGREGATES
from phrases import Ask, Words, article, literal, quote


@dataclass(frozen=True)
class Link:
    """A child table, its parent and the SQL that joins them."""

    relation: Relation
    child: Table
    parent: Table
    label: Column
    """The parent's label."""
    on: str
    parent_key: str

    @property
    def joined(self) -> str:
        return f"{self.child.name} JOIN {self.parent.name} ON {self.on}"

    @property
    def tables(self) -> tuple[str, str]:
        return self.child.name, self.parent.name


def _link(words: Words) -> Link:
    relation = words.pick(words.world.asked_relations or _nothing("no relation"))
    child, (parent, key) = words.world.table(relation.child), words.world.parent(relation)
    on = f"{child.name}.{quote(relation.column)} = {parent.name}.{quote(key)}"
    return Link(relation, child, parent, words.world.label(parent), on, key)


def _nothing(reason: str):
    raise LookupError(reason)


def _of(table: Table, column: Column) -> str:
    return f"{table.name}.{quote(column.name)}"


def _sometimes(words: Words, table: Table, share: float):
    return words.conditions(table, qualified=True) if words.rng.random() < share else None


def _after(condition) -> str:
    return f" {condition.text}" if condition else ""


def children_of(words: Words) -> Ask:
    link = _link(words)
    shown, value = words.shown(link.child), words.value(link.parent, link.label)
    condition = _sometimes(words, link.child, 0.25)
    plural, by, after = link.child.plural, link.relation.by, _after(condition)
    told = words.pick((f"«{by}» «{value}»", f"«{by}» the «{link.parent.singular}» «{value}»"))
    text = words.pick((
        f"Show the «{shown.phrase}» of all «{plural}» {told}{after}.", f"For the «{plural}» {told}{after}, what is the «{shown.phrase}»?",
        f"List the «{shown.phrase}» of the «{plural}» {told}{after}.", f"What «{plural}» {told}{after} are there? Give the «{shown.phrase}».",
        f"I want the «{shown.phrase}» of each «{link.child.singular}» {told}{after}."))
    where = f"{_of(link.parent, link.label)} = {literal(value)}" + (f" AND {condition.sql}" if condition else "")
    return Ask(text, f"SELECT {_of(link.child, shown)} FROM {link.joined} WHERE {where}", "children of", link.tables)


def count_children_of(words: Words) -> Ask:
    link = _link(words)
    value, condition = words.value(link.parent, link.label), _sometimes(words, link.child, 0.3)
    plural, by, after = link.child.plural, link.relation.by, _after(condition)
    text = words.pick((
        f"How many «{plural}» «{by}» «{value}» are there{after}?", f"Count the «{plural}» «{by}» «{value}»{after}.",
        f"What is the number of «{plural}» «{by}» the «{link.parent.singular}» «{value}»{after}?", f"«{value}»: how many «{plural}»{after}?"))
    where = f"{_of(link.parent, link.label)} = {literal(value)}" + (f" AND {condition.sql}" if condition else "")
    return Ask(text, f"SELECT COUNT(*) FROM {link.joined} WHERE {where}", "count children of", link.tables)


def children_with_parent(words: Words) -> Ask:
    link = _link(words)
    shown, condition = words.shown(link.child), words.conditions(link.child, qualified=True)
    child, parent = link.child, link.parent
    text = words.pick((
        f"Show the «{shown.phrase}» of the «{child.plural}»{_after(condition)} together with the «{link.label.phrase}» of the «{parent.singular}».",
        f"List each of the «{child.plural}»{_after(condition)}: its «{shown.phrase}» and the «{parent.singular}»'s «{link.label.phrase}».",
        f"For «{child.plural}»{_after(condition)}, give the «{shown.phrase}» and the «{parent.singular}» they are «{link.relation.by}»."))
    sql = f"SELECT {_of(child, shown)}, {_of(parent, link.label)} FROM {link.joined} WHERE {condition.sql}"
    return Ask(text, sql, "children with parent", link.tables)


def children_through_parent(words: Words) -> Ask:
    link = _link(words)
    shown, condition = words.shown(link.child), words.condition(link.parent, qualified=True, roles=("category", "number", "date", "flag"))
    child, parent, by = link.child, link.parent, link.relation.by
    text = words.pick((
        f"Give the «{shown.phrase}» of the «{child.plural}» «{by}» «{parent.plural}» {condition.text}.",
        f"Which «{child.plural}» are «{by}» «{parent.plural}» {condition.text}? Show the «{shown.phrase}».",
        f"Find the «{shown.phrase}» of every «{child.singular}» «{by}» «{parent.plural}» {condition.text}."))
    return Ask(text, f"SELECT {_of(child, shown)} FROM {link.joined} WHERE {condition.sql}", "children through parent", link.tables)


def parents_through_children(words: Words) -> Ask:
    link = _link(words)
    condition = words.conditions(link.child, qualified=True)
    child, parent, have = link.child, link.parent, link.relation.have
    text = words.pick((
        f"Which «{parent.plural}» «{have}» «{child.plural}» {condition.text}? List each once.",
        f"Find the different «{parent.plural}» that «{have}» «{child.plural}» {condition.text}.",
        f"Show, without repeats, the «{link.label.phrase}» of «{parent.plural}» that «{have}» «{child.plural}» {condition.text}."))
    sql = f"SELECT DISTINCT {_of(parent, link.label)} FROM {parent.name} JOIN {child.name} ON {link.on} WHERE {condition.sql}"
    return Ask(text, sql, "parents through children", link.tables)


def aggregate_of_children(words: Words) -> Ask:
    link = _link(words)
    number, function = words.column(link.child, "number"), words.pick(list(AGGREGATES))
    if function == "SUM" and not number.additive:
        function = "AVG"
    said, child, parent, by = words.pick(AGGREGATES[function]), link.child, link.parent, link.relation.by
    if words.rng.random() < 0.5:
        value = words.value(parent, link.label)
        whom, where = f"«{value}»", f"{_of(parent, link.label)} = {literal(value)}"
    else:
        condition = words.condition(parent, qualified=True, roles=("category", "number", "flag"))
        whom, where = f"«{parent.plural}» {condition.text}", condition.sql
    text = words.pick((
        f"What is the {said} «{number.phrase}» of «{child.plural}» «{by}» {whom}?", f"Find the {said} «{number.phrase}» for «{child.plural}» «{by}» {whom}.",
        f"Looking at the «{child.plural}» «{by}» {whom}, what is the {said} «{number.phrase}»?"))
    return Ask(text, f"SELECT {function}({_of(child, number)}) FROM {link.joined} WHERE {where}", "aggregate of children", link.tables)


def per_parent(words: Words) -> Ask:
    link = _link(words)
    child, parent, have = link.child, link.parent, link.relation.have
    text = words.pick((
        f"For each «{parent.singular}» that «{have}» «{child.plural}», show the «{link.label.phrase}» and how many.",
        f"How many «{child.plural}» does each «{parent.singular}» have? Skip those with none.",
        f"Count the «{child.plural}» per «{parent.singular}», leaving out «{parent.plural}» without any; show «{link.label.phrase}» and count."))
    sql = (f"SELECT {_of(parent, link.label)}, COUNT(*) FROM {parent.name} JOIN {child.name} ON {link.on} "
           f"GROUP BY {parent.name}.{quote(link.parent_key)}")
    return Ask(text, sql, "per parent", link.tables)


def per_parent_with_zero(words: Words) -> Ask:
    link = _link(words)
    child, parent = link.child, link.parent
    key = words.world.key(child) or _nothing("no key")
    text = words.pick((
        f"For every «{parent.singular}», even those without «{child.plural}», show the «{link.label.phrase}» and the number of «{child.plural}».",
        f"How many «{child.plural}» does each «{parent.singular}» have? Include zeros.",
        f"List all «{parent.plural}» with their count of «{child.plural}», zero included."))
    sql = (f"SELECT {_of(parent, link.label)}, COUNT({_of(child, key)}) FROM {parent.name} LEFT JOIN {child.name} ON {link.on} "
           f"GROUP BY {parent.name}.{quote(link.parent_key)}")
    return Ask(text, sql, "per parent with zero", link.tables)


def aggregate_per_parent(words: Words) -> Ask:
    link = _link(words)
    child, parent, number = link.child, link.parent, words.column(link.child, "number")
    function = words.pick(list(AGGREGATES))
    if function == "SUM" and not number.additive:
        function = "AVG"
    said = words.pick(AGGREGATES[function])
    text = words.pick((
        f"What is the {said} «{number.phrase}» of the «{child.plural}» of each «{parent.singular}»? Show the «{link.label.phrase}» too, first.",
        f"For each «{parent.singular}» with «{child.plural}», give the «{link.label.phrase}» and the {said} «{number.phrase}» of its «{child.plural}».",
        f"Per «{parent.singular}», list «{link.label.phrase}» and {said} «{child.singular}» «{number.phrase}»."))
    sql = (f"SELECT {_of(parent, link.label)}, {function}({_of(child, number)}) FROM {parent.name} JOIN {child.name} ON {link.on} "
           f"GROUP BY {parent.name}.{quote(link.parent_key)}")
    return Ask(text, sql, "aggregate per parent", link.tables)


def parents_with_many(words: Words) -> Ask:
    link = _link(words)
    child, parent, have = link.child, link.parent, link.relation.have
    number, (operator, said) = words.pick((1, 2, 3, 4, 5, 8)), words.pick(((">", "more than"), (">=", "at least")))
    text = words.pick((
        f"Which «{parent.plural}» «{have}» {said} «{number}» «{child.plural}»?", f"List the «{parent.plural}» that «{have}» {said} «{number}» «{child.plural}».",
        f"Find every «{parent.singular}» with {said} «{number}» «{child.plural}».", f"Who or what «{have}» {said} «{number}» «{child.plural}»? Show the «{parent.plural}»."))
    sql = (f"SELECT {_of(parent, link.label)} FROM {parent.name} JOIN {child.name} ON {link.on} "
           f"GROUP BY {parent.name}.{quote(link.parent_key)} HAVING COUNT(*) {operator} {number}")
    return Ask(text, sql, "parents with many", link.tables)


def parent_with_most(words: Words) -> Ask:
    link = _link(words)
    child, parent, have = link.child, link.parent, link.relation.have
    number = words.pick((1, 1, 3, 5))
    label = link.label.phrase
    text = words.pick((
        f"Which «{parent.singular}» has the most «{child.plural}»? Ties by «{label}».", f"Who or what are first among «{parent.plural}» by number of «{child.plural}», ties by «{label}»?",
        f"Find the «{parent.singular}» with the largest number of «{child.plural}» (ties: «{label}»).") if number == 1 else (
        f"Which «{number}» «{parent.plural}» «{have}» the most «{child.plural}»? Ties by «{label}».",
        f"Name the top «{number}» «{parent.plural}» by number of «{child.plural}», ties by «{label}».",
        f"Show the «{number}» «{parent.plural}» with the most «{child.plural}»; break ties by «{label}»."))
    sql = (f"SELECT {_of(parent, link.label)} FROM {parent.name} JOIN {child.name} ON {link.on} "
           f"GROUP BY {parent.name}.{quote(link.parent_key)} ORDER BY COUNT(*) DESC, {_of(parent, link.label)} LIMIT {number}")
    return Ask(text, sql, "parent with most", link.tables)


def without_children(words: Words) -> Ask:
    link = _link(words)
    child, parent = link.child, link.parent
    text = words.pick((
        f"Which «{parent.plural}» have no «{child.plural}» at all?", f"Find the «{parent.plural}» without any «{child.plural}».",
        f"Are there «{parent.plural}» for which no «{child.singular}» is recorded? List them.", f"List every «{parent.singular}» that is missing from the «{child.plural}»."))
    label, link_column = quote(link.label.name), quote(link.relation.column)
    sql = (f"SELECT {label} FROM {parent.name} WHERE NOT EXISTS (SELECT 1 FROM {child.name} WHERE {link.on})" if words.rng.random() < 0.5 else
           f"SELECT {label} FROM {parent.name} WHERE {quote(link.parent_key)} NOT IN (SELECT {link_column} FROM {child.name} WHERE {link_column} IS NOT NULL)")
    return Ask(text, sql, "without children", (parent.name, child.name))


def with_some_child(words: Words) -> Ask:
    link = _link(words)
    condition = words.condition(link.child)
    child, parent, have = link.child, link.parent, link.relation.have
    negative = words.rng.random() < 0.4
    text = words.pick((
        f"Which «{parent.plural}» have no «{child.plural}» {condition.text}?", f"Find «{parent.plural}» with not a single one of the «{child.plural}» {condition.text}.") if negative else (
        f"Which «{parent.plural}» «{have}» at least one of the «{child.plural}» {condition.text}?",
        f"Name the «{parent.plural}» for which there is some «{child.singular}» {condition.text}."))
    column = quote(link.relation.column)
    guard = f" AND {column} IS NOT NULL" if negative else ""
    sql = (f"SELECT {quote(link.label.name)} FROM {parent.name} WHERE {quote(link.parent_key)} {'NOT ' if negative else ''}IN "
           f"(SELECT {column} FROM {child.name} WHERE {condition.sql}{guard})")
    if " OR " in condition.sql:
        raise LookupError("kept simple")
    return Ask(text, sql, "with some child", (parent.name, child.name))


def more_than_average(words: Words) -> Ask:
    link = _link(words)
    child, parent, have = link.child, link.parent, link.relation.have
    text = words.pick((
        f"Which «{parent.plural}» «{have}» more «{child.plural}» than the average among «{parent.plural}» that have any?",
        f"List «{parent.plural}» whose number of «{child.plural}» is above average (counting only those with some)."))
    column = quote(link.relation.column)
    sql = (f"WITH counts AS (SELECT {column}, COUNT(*) AS total FROM {child.name} GROUP BY {column}) "
           f"SELECT {_of(parent, link.label)} FROM {parent.name} JOIN counts ON counts.{column} = {parent.name}.{quote(link.parent_key)} "
           f"WHERE counts.total > (SELECT AVG(total) FROM counts)")
    return Ask(text, sql, "more than average", (parent.name, child.name))


def latest_per_parent(words: Words) -> Ask:
    link = _link(words)
    shown, by = words.world.label(link.child), words.column(link.child, "number", "date", required=True)
    if not shown:
        raise LookupError("the child has no label")
    child, parent = link.child, link.parent
    said = "latest" if by.role == "date" else "highest"
    text = words.pick((
        f"For each «{parent.singular}», show the «{link.label.phrase}» and the «{child.singular}» with the {said} «{by.phrase}» (ties by «{shown.phrase}»).",
        f"Which «{child.singular}» of every «{parent.singular}» has the {said} «{by.phrase}»? Show «{parent.singular}» and «{child.singular}», ties by «{shown.phrase}»."))
    sql = (f"SELECT parent_label, child_label FROM (SELECT {_of(parent, link.label)} AS parent_label, {_of(child, shown)} AS child_label, "
           f"ROW_NUMBER() OVER (PARTITION BY {parent.name}.{quote(link.parent_key)} ORDER BY {_of(child, by)} DESC, {_of(child, shown)}) AS place "
           f"FROM {link.joined}) WHERE place = 1")
    return Ask(text, sql, "latest per parent", link.tables)


def own_pairs(words: Words) -> Ask:
    """A table that refers to itself: employees and their managers."""
    for relation in words.world.domain.relations:
        parent, key = words.world.parent(relation)
        if parent.name == relation.child:
            break
    else:
        raise LookupError("no table refers to itself")
    table, label = parent, words.world.label(parent)
    link = next(c for c in table.columns if c.name == relation.column)
    text = words.pick((
        f"Show each «{table.singular}» with the «{label.phrase}» of its «{link.phrase}».", f"List the «{table.plural}» that have {article(link.phrase)}, each with that «{link.phrase}»'s «{label.phrase}».",
        f"Pair every «{table.singular}» with its «{link.phrase}»; give both «{label.phrase}» columns."))
    name = quote(label.name)
    sql = (f"SELECT one.{name}, other.{name} FROM {table.name} AS one JOIN {table.name} AS other "
           f"ON one.{quote(relation.column)} = other.{quote(key)}")
    return Ask(text, sql, "own pairs", (table.name,))


def _bridge(words: Words) -> tuple[Bridge, Table, Table, Table, str]:
    """A bridge with its left and right tables (drawn in either order) and the words from left to right."""
    bridge = words.pick(words.world.domain.bridges or _nothing("no bridge"))
    table = words.world.table(bridge.table)
    ends = []
    for name in (bridge.left, bridge.right):
        column = next(c for c in table.columns if c.name == name)
        ends.append((words.world.table(column.refers.split(".")[0]), column))
    says = bridge.left_says
    if words.rng.random() < 0.5:
        ends.reverse()
        says = bridge.right_says
    (left, left_column), (right, right_column) = ends
    if not (words.world.label(left) and words.world.label(right)) or left.name == right.name:
        raise LookupError("an end has no label")
    joins = (f"{left.name} JOIN {table.name} ON {left.name}.{quote(left_column.refers.split('.')[1])} = {table.name}.{quote(left_column.name)} "
             f"JOIN {right.name} ON {table.name}.{quote(right_column.name)} = {right.name}.{quote(right_column.refers.split('.')[1])}")
    return table, left, right, joins, says


def across(words: Words) -> Ask:
    bridge, left, right, joins, says = _bridge(words)
    one, two = words.world.label(left), words.world.label(right)
    value = words.value(right, two)
    text = words.pick((
        f"Which «{left.plural}» «{says}» «{value}»? List each once.", f"Find the different «{left.plural}» that «{says}» the «{right.singular}» «{value}».",
        f"«{value}»: which «{left.plural}» «{says}» it? No repeats.", f"Show, without repeats, all «{left.plural}» that «{says}» «{value}»."))
    sql = f"SELECT DISTINCT {_of(left, one)} FROM {joins} WHERE {_of(right, two)} = {literal(value)}"
    return Ask(text, sql, "across", (left.name, bridge.name, right.name))


def count_across(words: Words) -> Ask:
    bridge, left, right, joins, says = _bridge(words)
    two = words.world.label(right)
    value = words.value(right, two)
    key = words.world.key(left) or _nothing("no key")
    text = words.pick((
        f"How many different «{left.plural}» «{says}» «{value}»?", f"Count the distinct «{left.plural}» that «{says}» the «{right.singular}» «{value}»."))
    sql = f"SELECT COUNT(DISTINCT {left.name}.{quote(key.name)}) FROM {joins} WHERE {_of(right, two)} = {literal(value)}"
    return Ask(text, sql, "count across", (left.name, bridge.name, right.name))


def across_condition(words: Words) -> Ask:
    bridge, left, right, joins, says = _bridge(words)
    condition = words.condition(right, qualified=True, roles=("category", "number", "date", "flag"))
    one = words.world.label(left)
    text = words.pick((
        f"Which «{left.plural}» «{says}» «{right.plural}» {condition.text}? List each once.",
        f"Name, without repeats, the «{left.plural}» that «{says}» «{right.plural}» {condition.text}."))
    return Ask(text, f"SELECT DISTINCT {_of(left, one)} FROM {joins} WHERE {condition.sql}", "across condition", (left.name, bridge.name, right.name))


KINDS_JOINED = (
    (children_of, 4), (count_children_of, 4), (children_with_parent, 3), (children_through_parent, 3), (parents_through_children, 3),
    (aggregate_of_children, 3), (per_parent, 3), (per_parent_with_zero, 2), (aggregate_per_parent, 2), (parents_with_many, 3), (parent_with_most, 3),
    (without_children, 3), (with_some_child, 2), (more_than_average, 1), (latest_per_parent, 1), (own_pairs, 1), (across, 3), (count_across, 1),
    (across_condition, 2),
)
