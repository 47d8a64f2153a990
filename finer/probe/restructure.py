"""Meaning-preserving rewrites across clauses: join order and form, derived and common tables, IN, EXISTS and joins.

Same form as in ``rewrites``. What is sound only under a key asks the schema for it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from sqlglot import exp

from finer.probe.example import shown  # noqa: F401 -- the examples below use it
from finer.probe.trees import (
    Tree,
    columns_of,
    conjuncts,
    declared,
    has_star,
    is_plain,
    joins,
    places,
    source_of,
    sources,
    table_of,
    together,
)
from finer.schema import Schema


def _inner(select: Tree) -> bool:
    """Are all its joins inner ones with an ON of their own, of which none reads another query?"""
    found = joins(select)
    return bool(found) and all(join.args.get("on") and not join.side and not join.method and join.kind in ("", "INNER") for join in found)


def _names(node: Tree, schema: Schema) -> set[str] | None:
    """The sources, by alias, that a condition speaks of; None where one is not plain."""
    owners = [source_of(column, schema) for column in node.find_all(exp.Column)]
    return None if None in owners else {owner.alias_or_name for owner in owners}


def join_order(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """Inner joins in another order, each condition at the first place where all it speaks of is there.

    >>> shown(join_order, "SELECT name, year FROM book JOIN sale ON sale.book_id = book.book_id")
    'SELECT name, year FROM sale JOIN book ON sale.book_id = book.book_id'
    """
    for copy, select in places(tree, exp.Select):
        if not _inner(select) or has_star(select):
            continue
        conditions = [(part, _names(part, schema)) for join in joins(select) for part in conjuncts(join.args["on"])]
        found = sources(select)
        order = found[::-1] if len(found) == 2 else rng.sample(found, len(found))
        if order == found or any(names is None for _, names in conditions):
            continue
        made = _joined(order, conditions)
        if made:
            select.set("from_", exp.From(this=order[0].copy()))
            select.set("joins", made)
            yield copy


def _joined(order: list[Tree], conditions: list[tuple[Tree, set[str]]]) -> list[exp.Join] | None:
    """The joins in that order; None where one of them would have no condition."""
    there, left, made = {order[0].alias_or_name}, list(conditions), []
    for source in order[1:]:
        there.add(source.alias_or_name)
        ready = [part for part, names in left if names <= there]
        left = [(part, names) for part, names in left if not names <= there]
        if not ready:
            return None
        made.append(exp.Join(this=source.copy(), on=together(ready)))
    return made


def using_and_on(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """ON over columns of one name as USING, and USING as ON.

    >>> shown(using_and_on, "SELECT name, year FROM book JOIN sale ON sale.book_id = book.book_id")
    'SELECT name, year FROM book JOIN sale USING (book_id)'
    """
    for copy, join in places(tree, exp.Join):
        select, condition = join.parent, join.args.get("on")
        others = sources(select)[: sources(select).index(join.this)]
        if join.args.get("using") and len(others) == 1 and not has_star(select):
            sides = [(other.alias_or_name, join.this.alias_or_name, name.name) for other in others for name in join.args["using"]]
            join.set("on", exp.and_(*(exp.EQ(this=exp.column(name, table=one), expression=exp.column(name, table=two)) for one, two, name in sides)))
            join.set("using", None)
            yield copy
        elif isinstance(condition, exp.EQ) and not has_star(select) and _same_name(condition, join, others, schema):
            join.set("on", None)
            join.set("using", [exp.to_identifier(condition.this.name)])
            yield copy


def _same_name(condition: Tree, join: exp.Join, others: list[Tree], schema: Schema) -> bool:
    """An equality of two columns of one name, which exactly one of the tables before has."""
    one, two = condition.this, condition.expression
    if not (isinstance(one, exp.Column) and isinstance(two, exp.Column) and one.name.lower() == two.name.lower()):
        return False
    holders = [other for other in others if one.name.lower() in columns_of(other, schema)]
    owners = [source_of(column, schema) for column in (one, two)]
    return len(holders) == 1 and all(owner is not None for owner in owners) and {id(owner) for owner in owners} == {id(holders[0]), id(join.this)}


def comma_join(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """Inner joins as a list of tables, their conditions in WHERE.

    >>> shown(comma_join, "SELECT name, year FROM book JOIN sale ON sale.book_id = book.book_id")
    'SELECT name, year FROM book, sale WHERE sale.book_id = book.book_id'
    """
    for copy, select in places(tree, exp.Select):
        if _inner(select):
            where = conjuncts(select.args["where"].this) if select.args.get("where") else []
            moved = [part for join in joins(select) for part in conjuncts(join.args["on"])]
            select.set("joins", [exp.Join(this=join.this.copy()) for join in joins(select)])
            select.set("where", exp.Where(this=together([*moved, *where])))
            yield copy


def where_as_on(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """The conditions of WHERE in the last inner join's ON.

    >>> shown(where_as_on, "SELECT name, year FROM book JOIN sale ON sale.book_id = book.book_id WHERE price > 1")
    'SELECT name, year FROM book JOIN sale ON sale.book_id = book.book_id AND price > 1'
    """
    for copy, select in places(tree, exp.Select):
        if _inner(select) and select.args.get("where"):
            last = joins(select)[-1]
            last.set("on", together([*conjuncts(last.args["on"]), *conjuncts(select.args["where"].this)]))
            select.set("where", None)
            yield copy


def _whole(table: Tree) -> exp.Select:
    return exp.select("*").from_(exp.to_table(table.name, dialect="sqlite") if not table.this.args.get("quoted") else exp.Table(this=table.this.copy()))


def derived_table(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A table as a derived table of all its rows.

    >>> shown(derived_table, "SELECT name FROM book")
    'SELECT name FROM (SELECT * FROM book) AS book'
    """
    for copy, node in places(tree, exp.Table):
        if table_of(node, schema):
            node.replace(exp.Subquery(this=_whole(node), alias=exp.TableAlias(this=exp.to_identifier(node.alias_or_name))))
            yield copy


def common_table(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A table as a common table of all its rows.

    >>> shown(common_table, "SELECT name FROM book")
    'WITH given AS (SELECT * FROM book) SELECT name FROM given AS book'
    """
    for copy, node in places(tree, exp.Table):
        if table_of(node, schema) and not copy.args.get("with_"):
            body, alias = _whole(node), exp.TableAlias(this=exp.to_identifier(node.alias_or_name))
            node.replace(exp.Table(this=exp.to_identifier("given"), alias=alias))
            yield copy.with_("given", as_=body)


def filtered_first(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A table and its conditions as a derived table with these conditions.

    >>> shown(filtered_first, "SELECT name FROM book WHERE price > 1")
    'SELECT name FROM (SELECT * FROM book WHERE price > 1) AS book'
    """
    for copy, select in places(tree, exp.Select):
        where = select.args.get("where")
        if where and len(sources(select)) == 1 and table_of(sources(select)[0], schema) and not where.find(exp.Query):
            table, inner = sources(select)[0], _whole(sources(select)[0])
            if all(source_of(column, schema) is table for column in where.find_all(exp.Column)):
                condition = where.this.copy()
                for column in condition.find_all(exp.Column):
                    column.set("table", None)
                alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name))
                select.set("where", None)
                table.replace(exp.Subquery(this=inner.where(condition), alias=alias))
                yield copy


def whole_derived(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """All rows of the query as a derived table, where no order is asked for.

    >>> shown(whole_derived, "SELECT name FROM book")
    'SELECT * FROM (SELECT name FROM book) AS whole'
    """
    outputs = [output.alias_or_name.lower() for output in tree.selects]
    if not tree.args.get("order") and not tree.args.get("with_") and all(outputs) and len(set(outputs)) == len(outputs):
        yield exp.select("*").from_(exp.Subquery(this=tree.copy(), alias=exp.TableAlias(this=exp.to_identifier("whole"))))


def derived_as_common(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A derived table as a common table.

    >>> shown(derived_as_common, "SELECT name FROM (SELECT name FROM book) AS some")
    'WITH moved AS (SELECT name FROM book) SELECT name FROM moved AS some'
    """
    for copy, node in places(tree, exp.Subquery):
        if isinstance(node.parent, (exp.From, exp.Join)) and not copy.args.get("with_"):
            body, alias = node.this.copy(), node.args.get("alias")
            node.replace(exp.Table(this=exp.to_identifier("moved"), alias=alias.copy() if alias else None))
            yield copy.with_("moved", as_=body)


def common_as_derived(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """Common tables as derived tables, at every mention.

    >>> shown(common_as_derived, "WITH some AS (SELECT name FROM book) SELECT name FROM some")
    'SELECT name FROM (SELECT name FROM book) AS some'
    """
    given = tree.args.get("with_")
    if not given or given.args.get("recursive") or len(given.expressions) != 1 or given.expressions[0].args["alias"].columns:
        return
    copy = tree.copy()
    cte = copy.args["with_"].expressions[0]
    body, name = cte.this.copy(), cte.alias.lower()
    copy.set("with_", None)
    for node in [node for node in copy.find_all(exp.Table) if node.name.lower() == name]:
        alias = exp.TableAlias(this=exp.to_identifier(node.alias_or_name))
        node.replace(exp.Subquery(this=body.copy(), alias=alias))
    yield copy


def plain_in(node: Tree, schema: Schema) -> exp.Select | None:
    """The query of an IN, where it selects one column with conditions at most and reads nothing from outside."""
    query = node.args.get("query")
    select = query.this if isinstance(query, exp.Subquery) else None
    if not isinstance(select, exp.Select) or len(select.expressions) != 1 or not isinstance(select.expressions[0], exp.Column):
        return None
    clauses = ("group", "having", "order", "limit", "offset", "with_")
    if any(select.args.get(clause) for clause in clauses) or any(join.side for join in joins(select)) or not sources(select):
        return None
    inside = {id(source) for each in select.find_all(exp.Select) for source in sources(each)}
    own = [source_of(column, schema) for column in select.find_all(exp.Column)]
    return select if all(owner is not None and id(owner) in inside for owner in own) else None


def _as_exists(node: exp.In, select: exp.Select, schema: Schema) -> exp.Exists | None:
    """EXISTS over the same sources, the link among its conditions; None where a name could be taken for another."""
    outer = node.this
    if not isinstance(outer, exp.Column) or source_of(outer, schema) is None:
        return None
    owner, inner = source_of(outer, schema), source_of(select.expressions[0], schema)
    if owner.alias_or_name.lower() in {source.alias_or_name.lower() for source in sources(select)}:
        return None
    link = exp.EQ(this=_column(select.expressions[0], inner), expression=_column(outer, owner))
    where = conjuncts(select.args["where"].this) if select.args.get("where") else []
    body = select.copy()
    body.set("expressions", [exp.Literal.number(1)])
    body.set("distinct", None)
    body.set("where", exp.Where(this=together([*where, link])))
    return exp.Exists(this=body)


def _column(column: Tree, source: Tree) -> exp.Column:
    return exp.column(column.this.copy(), table=source.alias_or_name)


def in_as_exists(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """IN over a query as EXISTS; NOT IN only where neither side can be NULL.

    >>> shown(in_as_exists, "SELECT name FROM book WHERE book_id IN (SELECT book_id FROM sale WHERE year = 2020)")
    'SELECT name FROM book WHERE EXISTS(SELECT 1 FROM sale WHERE year = 2020 AND sale.book_id = book.book_id)'
    """
    for copy, node in places(tree, exp.In):
        select = plain_in(node, schema)
        made = _as_exists(node, select, schema) if select else None
        negated = isinstance(node.parent, exp.Not)
        if made and (not negated or all(never_null(side, schema) for side in (node.this, select.expressions[0]))):
            node.replace(made)
            yield copy


def never_null(column: Tree, schema: Schema) -> bool:
    """By declaration, or as a foreign key in which no NULL is seen."""
    known = declared(column, schema)
    return bool(known and (known.not_null or (known.references and not known.has_null)))


def exists_as_in(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """EXISTS with one equality to the outer query as IN; NOT EXISTS only where neither side can be NULL.

    >>> shown(exists_as_in, "SELECT name FROM book WHERE EXISTS (SELECT 1 FROM sale WHERE sale.book_id = book.book_id)")
    'SELECT name FROM book WHERE book.book_id IN (SELECT sale.book_id FROM sale)'
    """
    for copy, node in places(tree, exp.Exists):
        select = node.this
        if not isinstance(select, exp.Select) or not select.args.get("where") or any(select.args.get(name) for name in ("group", "limit", "with_")):
            continue
        parts = conjuncts(select.args["where"].this)
        links = [part for part in parts if _sides(part, select, schema)]
        outside = [part for part in parts if part not in links and _reaches_out(part, select, schema)]
        if len(links) == 1 and not outside:
            inner, outer = _sides(links[0], select, schema)
            if isinstance(node.parent, exp.Not) and not (never_null(inner, schema) and never_null(outer, schema)):
                continue
            kept = [part for part in parts if part is not links[0]]
            body, outer = select.copy(), outer.copy()
            body.set("expressions", [inner.copy()])
            body.set("where", exp.Where(this=together(kept)) if kept else None)
            node.replace(exp.In(this=outer, query=exp.Subquery(this=body)))
            yield copy


def _sides(part: Tree, select: Tree, schema: Schema) -> tuple[Tree, Tree] | None:
    """(inner column, outer column) of an equality between the two queries."""
    if not isinstance(part, exp.EQ) or not isinstance(part.this, exp.Column) or not isinstance(part.expression, exp.Column):
        return None
    own = {id(source) for source in sources(select)}
    for inner, outer in ((part.this, part.expression), (part.expression, part.this)):
        owners = source_of(inner, schema), source_of(outer, schema)
        if None not in owners and id(owners[0]) in own and id(owners[1]) not in own:
            return inner, outer
    return None


def _reaches_out(part: Tree, select: Tree, schema: Schema) -> bool:
    inside = {id(source) for each in select.find_all(exp.Select) for source in sources(each)}
    return any(id(source_of(column, schema)) not in inside for column in part.find_all(exp.Column))


def in_as_join(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """IN over one table as a join with it, where it is over its key or the outer query is DISTINCT: no row can come twice.

    >>> shown(in_as_join, "SELECT year FROM sale WHERE book_id IN (SELECT book_id FROM book WHERE price > 1)")
    'SELECT sale.year FROM sale JOIN book ON sale.book_id = book.book_id WHERE book.price > 1'
    """
    for copy, node in places(tree, exp.In):
        select, outer = plain_in(node, schema), node.parent_select
        where = outer.args.get("where") if isinstance(outer, exp.Select) else None
        if not select or not where or not any(part is node for part in conjuncts(where.this)) or not is_plain(select) or select.find(exp.Subquery):
            continue
        key, table = declared(select.expressions[0], schema), sources(select)[0]
        taken = [source.alias_or_name for source in sources(outer)]
        if not key or not (key.unique or outer.args.get("distinct")) or has_star(outer) or table.alias_or_name in taken or any(join.args.get("using") or join.side for join in joins(outer)):
            continue
        if qualify_all(outer, schema):
            link = exp.EQ(this=node.this.copy(), expression=select.expressions[0].copy())
            inner = conjuncts(select.args["where"].this) if select.args.get("where") else []
            parts = [part for part in conjuncts(where.this) if part is not node] + inner
            outer.append("joins", exp.Join(this=table.copy(), on=link))
            outer.set("where", exp.Where(this=together(parts)) if parts else None)
            yield copy


def qualify_all(select: Tree, schema: Schema) -> bool:
    """Give every column its table; False where that cannot be told for one."""
    owners = [(column, source_of(column, schema)) for column in select.find_all(exp.Column) if not isinstance(column.this, exp.Star)]
    for column, owner in owners:
        if owner is not None:
            column.set("table", exp.to_identifier(owner.alias_or_name))
    return all(owner is not None for _, owner in owners)


def join_as_in(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A parent that is joined by its key for its conditions alone, as IN.

    >>> shown(join_as_in, "SELECT year FROM sale JOIN book ON sale.book_id = book.book_id WHERE book.price > 1")
    'SELECT sale.year FROM sale WHERE sale.book_id IN (SELECT book.book_id FROM book WHERE book.price > 1)'
    """
    for copy, select in places(tree, exp.Select):
        if len(joins(select)) != 1 or not _inner(select) or has_star(select) or not qualify_all(select, schema):
            continue
        condition, tables = joins(select)[0].args["on"], sources(select)
        if not isinstance(condition, exp.EQ) or not isinstance(condition.this, exp.Column) or not isinstance(condition.expression, exp.Column):
            continue
        for key, link in ((condition.this, condition.expression), (condition.expression, condition.this)):
            parent, known = source_of(key, schema), declared(key, schema)
            child = next(source for source in tables if source is not parent)
            where = conjuncts(select.args["where"].this) if select.args.get("where") else []
            used = [column for column in select.find_all(exp.Column) if column.table == parent.alias_or_name]
            moved = [part for part in where if any(column.table == parent.alias_or_name for column in part.find_all(exp.Column))]
            inside = [column for part in moved for column in part.find_all(exp.Column)]
            alone = all(column.table == parent.alias_or_name for column in inside) and len(used) == len(inside) + 1
            if known and known.unique and link.table == child.alias_or_name and alone and not any(part.find(exp.Query) for part in moved):
                body = exp.select(key.copy()).from_(parent.copy())
                body.set("where", exp.Where(this=together(moved)) if moved else None)
                kept = [part for part in where if not any(part is other for other in moved)]
                select.set("where", exp.Where(this=together([*kept, exp.In(this=link.copy(), query=exp.Subquery(this=body))])))
                select.set("from_", exp.From(this=child.copy()))
                select.set("joins", None)
                yield copy
                break


RESTRUCTURING = (
    join_order,
    using_and_on,
    comma_join,
    where_as_on,
    derived_table,
    common_table,
    filtered_first,
    whole_derived,
)
"""Rewrites of this module; those that have a way back stand in ``equivalents``, beside it."""
