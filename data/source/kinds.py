"""Kinds of questions about one table. Each takes ``Words`` and returns an ``Ask``; LookupError: this world cannot ask it."""

from __future__ import annotations

from phrases import Ask, Words, article, literal, quote
from words import several

AGGREGATES = {
    "AVG": ("average", "mean"), "SUM": ("total", "combined"), "MAX": ("highest", "maximum", "largest"), "MIN": ("lowest", "minimum", "smallest"),
}


def _where(condition) -> str:
    return f" WHERE {condition.sql}" if condition else ""


def _after(condition) -> str:
    return f" {condition.text}" if condition else ""


def _sometimes(words: Words, table, share: float = 0.5, **kwargs):
    return words.conditions(table, **kwargs) if words.rng.random() < share else None


def list_rows(words: Words) -> Ask:
    table = words.table_with()
    label, condition = words.world.label(table), words.conditions(table)
    plural, phrase, after = table.plural, label.phrase, _after(condition)
    text = words.pick((
        f"Which «{plural}» are there{after}?", f"List the «{plural}»{after}.", f"Show me all «{plural}»{after}.",
        f"What are the «{several(phrase)}» of the «{plural}»{after}?", f"Give the «{phrase}» of every «{table.singular}»{after}.",
        f"I need the «{plural}»{after}.", f"Find «{plural}»{after}.", f"Can you tell me the «{plural}»{after}?",
        f"Name all «{plural}»{after}."))
    return Ask(text, f"SELECT {quote(label.name)} FROM {table.name}{_where(condition)}", "list", (table.name,))


def show_columns(words: Words) -> Ask:
    table = words.table_with(label=False)
    columns = words.columns(table, "label", "number", "category", "date", "text")
    if len(columns) < 2:
        raise LookupError("too few columns")
    chosen = words.rng.sample(columns, 2 if len(columns) == 2 or words.rng.random() < 0.75 else 3)
    condition = _sometimes(words, table, 0.75)
    names = [f"«{column.phrase}»" for column in chosen]
    listed = ", ".join(names[:-1]) + " and " + names[-1]
    plural, after = table.plural, _after(condition)
    text = words.pick((
        f"Show the {listed} of the «{plural}»{after}.", f"What are the {listed} of «{plural}»{after}?",
        f"List {listed} for all «{plural}»{after}.", f"For «{plural}»{after}, give me {listed}.",
        f"I would like to see {listed} of each «{table.singular}»{after}.", f"Get the {listed} for every «{table.singular}»{after}."))
    select = ", ".join(quote(column.name) for column in chosen)
    return Ask(text, f"SELECT {select} FROM {table.name}{_where(condition)}", "show", (table.name,))


def look_up(words: Words) -> Ask:
    table = words.table_with()
    label = words.world.label(table)
    column, value = words.column(table, "number", "category", "date", "text"), words.value(table, label)
    phrase = column.phrase
    text = words.pick((
        f"What is the «{phrase}» of «{value}»?", f"«{value}»: what «{phrase}»?", f"Tell me the «{phrase}» of the «{table.singular}» «{value}».",
        f"Which «{phrase}» does the «{table.singular}» «{value}» have?", f"Look up the «{phrase}» for «{value}».",
        f"Find the «{table.singular}» «{value}» and give its «{phrase}»."))
    sql = f"SELECT {quote(column.name)} FROM {table.name} WHERE {quote(label.name)} = {literal(value)}"
    return Ask(text, sql, "look up", (table.name,))


def distinct(words: Words) -> Ask:
    table = words.table_with("category", label=False)
    column, condition = words.column(table, "category"), _sometimes(words, table)
    phrases, plural, after = several(column.phrase), table.plural, _after(condition)
    text = words.pick((
        f"What different «{phrases}» do the «{plural}»{after} have?", f"List the distinct «{phrases}» of «{plural}»{after}.",
        f"Which «{phrases}» occur among the «{plural}»{after}? Each only once.", f"Show every «{column.phrase}» found in «{plural}»{after}, without repeats.",
        f"Give me the unique «{phrases}» of the «{plural}»{after}."))
    return Ask(text, f"SELECT DISTINCT {quote(column.name)} FROM {table.name}{_where(condition)}", "distinct", (table.name,))


def count(words: Words) -> Ask:
    table = words.table_with(label=False)
    condition = _sometimes(words, table, 0.9)
    plural, after = table.plural, _after(condition)
    text = words.pick((
        f"How many «{plural}» are there{after}?", f"Count the «{plural}»{after}.", f"What is the number of «{plural}»{after}?",
        f"How many «{plural}»{after} do we have?", f"Number of «{plural}»{after}, please.", f"Tell me how many «{plural}»{after} exist.",
        f"Give the count of «{plural}»{after}."))
    return Ask(text, f"SELECT COUNT(*) FROM {table.name}{_where(condition)}", "count", (table.name,))


def count_distinct(words: Words) -> Ask:
    table = words.table_with("category", label=False)
    column, condition = words.column(table, "category"), _sometimes(words, table)
    phrases, plural, after = several(column.phrase), table.plural, _after(condition)
    text = words.pick((
        f"How many different «{phrases}» are there among «{plural}»{after}?", f"Count the distinct «{phrases}» of the «{plural}»{after}.",
        f"What is the number of different «{phrases}» of «{plural}»{after}?", f"The «{plural}»{after} cover how many distinct «{phrases}»?"))
    return Ask(text, f"SELECT COUNT(DISTINCT {quote(column.name)}) FROM {table.name}{_where(condition)}", "count distinct", (table.name,))


def aggregate(words: Words) -> Ask:
    table = words.table_with("number", label=False)
    column, function = words.column(table, "number"), words.pick(list(AGGREGATES))
    if function == "SUM" and not column.additive:
        function = "AVG"
    condition, said = _sometimes(words, table, 0.75), words.pick(AGGREGATES[function])
    phrase, plural, after = column.phrase, table.plural, _after(condition)
    text = words.pick((
        f"What is the {said} «{phrase}» of «{plural}»{after}?", f"Find the {said} «{phrase}» of the «{plural}»{after}.",
        f"Compute the {said} «{phrase}» for «{plural}»{after}.", f"For «{plural}»{after}, what is the {said} «{phrase}»?",
        f"Give me the {said} «{phrase}» over all «{plural}»{after}.", f"Tell me the {said} «{phrase}» among the «{plural}»{after}."))
    return Ask(text, f"SELECT {function}({quote(column.name)}) FROM {table.name}{_where(condition)}", "aggregate", (table.name,))


def two_aggregates(words: Words) -> Ask:
    table = words.table_with("number", label=False)
    column, condition = words.column(table, "number"), _sometimes(words, table, 0.4)
    first, second = words.rng.sample(["AVG", "MAX", "MIN"], 2)
    one, two = words.pick(AGGREGATES[first]), words.pick(AGGREGATES[second])
    phrase, plural, after = column.phrase, table.plural, _after(condition)
    text = words.pick((
        f"What are the {one} and the {two} «{phrase}» of «{plural}»{after}?", f"Show the {one} and {two} «{phrase}» for «{plural}»{after}.",
        f"Of the «{plural}»{after}, give the {one} «{phrase}» and then the {two} one."))
    name = quote(column.name)
    return Ask(text, f"SELECT {first}({name}), {second}({name}) FROM {table.name}{_where(condition)}", "two aggregates", (table.name,))


def spread(words: Words) -> Ask:
    table = words.table_with("number", label=False)
    column, condition = words.column(table, "number"), _sometimes(words, table, 0.4)
    name, phrase, plural, after = quote(column.name), column.phrase, table.plural, _after(condition)
    text = words.pick((
        f"What is the difference between the highest and the lowest «{phrase}» of «{plural}»{after}?",
        f"How far apart are the largest and smallest «{phrase}» among «{plural}»{after}?",
        f"By how much does the maximum «{phrase}» of «{plural}»{after} exceed the minimum?"))
    return Ask(text, f"SELECT MAX({name}) - MIN({name}) FROM {table.name}{_where(condition)}", "spread", (table.name,))


def percentage(words: Words) -> Ask:
    table = words.table_with("category", label=False)
    condition = words.condition(table, roles=("category", "number"))
    plural = table.plural
    text = words.pick((
        f"What percentage of «{plural}» are {condition.text}?" if not condition.text.startswith(("whose", "that", "with")) else
        f"What percentage of «{plural}» are ones {condition.text}?",
        f"In percent, what share of all «{plural}» is made up of those {condition.text}?",
        f"Out of 100 «{plural}», how many are ones {condition.text}?"))
    sql = f"SELECT 100.0 * SUM(CASE WHEN {condition.sql} THEN 1 ELSE 0 END) / COUNT(*) FROM {table.name}"
    return Ask(text, sql, "percentage", (table.name,))


def order(words: Words) -> Ask:
    table = words.table_with("number")
    label, column = words.world.label(table), words.column(table, "number", "date")
    condition, down = _sometimes(words, table, 0.6), words.rng.random() < 0.5
    phrase, plural, after = column.phrase, table.plural, _after(condition)
    way = words.pick(("from highest to lowest", "in descending order of", "starting with the highest") if down else
                     ("from lowest to highest", "in ascending order of", "starting with the lowest"))
    way = f"{way} «{phrase}»"
    text = words.pick((
        f"List the «{plural}»{after} {way}; equal ones by «{label.phrase}».", f"Sort the «{plural}»{after} {way}, ties by «{label.phrase}».",
        f"Show «{plural}»{after} {way}, then by «{label.phrase}».", f"Give me the «{plural}»{after}, {way} and then «{label.phrase}»."))
    sql = f"SELECT {quote(label.name)} FROM {table.name}{_where(condition)} ORDER BY {quote(column.name)}{' DESC' if down else ''}, {quote(label.name)}"
    return Ask(text, sql, "order", (table.name,))


def top(words: Words) -> Ask:
    table = words.table_with("number")
    label = words.world.label(table)
    column = words.column(table, "number", required=True) if words.rng.random() < 0.5 else words.column(table, "number")
    down = words.rng.random() < 0.6 or not column.required
    number, condition = words.pick((1, 2, 3, 5, 10)), _sometimes(words, table, 0.4)
    phrase, after = column.phrase, _after(condition)
    noun = table.singular if number == 1 else table.plural
    count_word = "" if number == 1 else f"«{number}» "
    one_word = column.most if down else column.least
    best = f"«{one_word}» " if one_word and words.rng.random() < 0.5 else ""
    how = "" if best else f" with the {'highest' if down else 'lowest'} «{phrase}»"
    text = words.pick((
        f"Which {count_word}{best}«{noun}»{after}{how} come first? Ties by «{label.phrase}».", f"What are the top {count_word}{best}«{noun}»{after}{how}, ties by «{label.phrase}»?",
        f"Name the {count_word}{best}«{noun}»{after}{how}; break ties by «{label.phrase}».", f"Show the {count_word}{best}«{noun}»{after}{how} (ties: «{label.phrase}» first in the alphabet)."))
    sql = f"SELECT {quote(label.name)} FROM {table.name}{_where(condition)} ORDER BY {quote(column.name)}{' DESC' if down else ''}, {quote(label.name)} LIMIT {number}"
    return Ask(text, sql, "top", (table.name,))


def extreme(words: Words) -> Ask:
    table = words.table_with("number")
    label, column, high = words.world.label(table), words.column(table, "number", "date"), words.rng.random() < 0.6
    one_word = column.most if high else column.least
    phrase, plural = column.phrase, table.plural
    said = ("latest" if high else "earliest") if column.role == "date" else ("highest" if high else "lowest")
    options = [f"Which «{plural}» have the {said} «{phrase}» of all?", f"Find all «{plural}» that share the {said} «{phrase}».",
               f"Who or what has the {said} «{phrase}» among the «{plural}»?", f"Give every «{table.singular}» with the {said} «{phrase}»."]
    if one_word and one_word not in ("highest", "lowest"):
        options += [f"Which «{plural}» are the «{one_word}»?", f"Name the «{one_word}» «{plural}»."]
    name = quote(column.name)
    sql = f"SELECT {quote(label.name)} FROM {table.name} WHERE {name} = (SELECT {'MAX' if high else 'MIN'}({name}) FROM {table.name})"
    return Ask(words.pick(options), sql, "extreme", (table.name,))


def against_average(words: Words) -> Ask:
    table = words.table_with("number")
    label, column, above = words.world.label(table), words.column(table, "number"), words.rng.random() < 0.6
    phrase, plural, side = column.phrase, table.plural, "above" if above else "below"
    text = words.pick((
        f"Which «{plural}» have {article(phrase)} {side} the average?", f"List «{plural}» whose «{phrase}» is {side} average.",
        f"Find the «{plural}» with a {'higher' if above else 'lower'} «{phrase}» than the average over all «{plural}».",
        f"Show me every «{table.singular}» that is {side} the mean «{phrase}»."))
    name = quote(column.name)
    sql = f"SELECT {quote(label.name)} FROM {table.name} WHERE {name} {'>' if above else '<'} (SELECT AVG({name}) FROM {table.name})"
    return Ask(text, sql, "against average", (table.name,))


def group_count(words: Words) -> Ask:
    table = words.table_with("category", label=False)
    column, condition = words.column(table, "category"), _sometimes(words, table, 0.4)
    phrase, plural, after = column.phrase, table.plural, _after(condition)
    text = words.pick((
        f"How many «{plural}»{after} are there for each «{phrase}»?", f"For each «{phrase}», count the «{plural}»{after}.",
        f"Show every «{phrase}» with its number of «{plural}»{after}.", f"Break the «{plural}»{after} down by «{phrase}»: how many of each?",
        f"Give the «{phrase}» and the count of «{plural}»{after} per «{phrase}».", f"Count «{plural}»{after} by «{phrase}»."))
    name = quote(column.name)
    return Ask(text, f"SELECT {name}, COUNT(*) FROM {table.name}{_where(condition)} GROUP BY {name}", "group count", (table.name,))


def group_aggregate(words: Words) -> Ask:
    table = words.table_with("category", "number", label=False)
    column, number, function = words.column(table, "category"), words.column(table, "number"), words.pick(list(AGGREGATES))
    if function == "SUM" and not number.additive:
        function = "AVG"
    said, condition = words.pick(AGGREGATES[function]), _sometimes(words, table, 0.3)
    phrase, plural, after = column.phrase, table.plural, _after(condition)
    text = words.pick((
        f"What is the {said} «{number.phrase}» of «{plural}»{after} for each «{phrase}»?", f"For each «{phrase}», show the {said} «{number.phrase}» of its «{plural}»{after}.",
        f"List every «{phrase}» with the {said} «{number.phrase}» of «{plural}»{after}.", f"Per «{phrase}»: {said} «{number.phrase}» of «{plural}»{after}?",
        f"Group the «{plural}»{after} by «{phrase}» and give the {said} «{number.phrase}»."))
    name = quote(column.name)
    sql = f"SELECT {name}, {function}({quote(number.name)}) FROM {table.name}{_where(condition)} GROUP BY {name}"
    return Ask(text, sql, "group aggregate", (table.name,))


def group_having(words: Words) -> Ask:
    table = words.table_with("category", label=False)
    column = words.column(table, "category")
    number, (operator, said) = words.pick((2, 3, 5, 10, 20, 50, 100)), words.pick(((">", "more than"), (">=", "at least"), ("<", "fewer than")))
    phrases, plural = several(column.phrase), table.plural
    text = words.pick((
        f"Which «{phrases}» have {said} «{number}» «{plural}»?", f"List each «{column.phrase}» that occurs for {said} «{number}» «{plural}».",
        f"Find the «{phrases}» shared by {said} «{number}» «{plural}».", f"Are there «{phrases}» with {said} «{number}» «{plural}»? Show them."))
    name = quote(column.name)
    sql = f"SELECT {name} FROM {table.name} GROUP BY {name} HAVING COUNT(*) {operator} {number}"
    return Ask(text, sql, "group having", (table.name,))


def group_having_average(words: Words) -> Ask:
    table = words.table_with("category", "number", label=False)
    column, number = words.column(table, "category"), words.column(table, "number")
    value, (operator, said) = words.value(table, number), words.pick(((">", "above"), (">=", "of at least"), ("<", "below")))
    phrases, plural = several(column.phrase), table.plural
    text = words.pick((
        f"Which «{phrases}» have an average «{number.phrase}» {said} «{value}» for their «{plural}»?",
        f"Find every «{column.phrase}» where the mean «{number.phrase}» of the «{plural}» is {said.removeprefix('of ')} «{value}».",
        f"For which «{phrases}» is the average «{number.phrase}» of «{plural}» {said.removeprefix('of ')} «{value}»?"))
    name = quote(column.name)
    sql = f"SELECT {name} FROM {table.name} GROUP BY {name} HAVING AVG({quote(number.name)}) {operator} {literal(value)}"
    return Ask(text, sql, "group having average", (table.name,))


def group_top(words: Words) -> Ask:
    table = words.table_with("category", label=False)
    column, most = words.column(table, "category", required=True), words.rng.random() < 0.7
    phrase, plural, said = column.phrase, table.plural, "most" if most else "fewest"
    text = words.pick((
        f"Which «{phrase}» has the {said} «{plural}»? Ties alphabetically.", f"What «{phrase}» do the {said} «{plural}» have (ties in alphabetical order)?",
        f"Find the {'most' if most else 'least'} common «{phrase}» of «{plural}», ties alphabetically."))
    name = quote(column.name)
    sql = f"SELECT {name} FROM {table.name} GROUP BY {name} ORDER BY COUNT(*){' DESC' if most else ''}, {name} LIMIT 1"
    return Ask(text, sql, "group top", (table.name,))


def by_year(words: Words) -> Ask:
    table = words.table_with("date", label=False)
    column = words.column(table, "date", required=True)
    phrase, plural = column.phrase, table.plural
    text = words.pick((
        f"How many «{plural}» are there for each year of the «{phrase}»?", f"Count «{plural}» per year of «{phrase}».",
        f"For every year of «{phrase}», show the number of «{plural}».", f"Year by year («{phrase}»), how many «{plural}»?"))
    year = f"strftime('%Y', {quote(column.name)})"
    return Ask(text, f"SELECT {year}, COUNT(*) FROM {table.name} GROUP BY {year}", "by year", (table.name,))


def bands(words: Words) -> Ask:
    table = words.table_with("number")
    label, column = words.world.label(table), words.column(table, "number", required=True)
    value, (high, low) = words.value(table, column), words.pick((("high", "low"), ("big", "small"), ("yes", "no"), ("above", "rest")))
    text = words.pick((
        f"Show each «{table.singular}» with «{high}» if the «{column.phrase}» is over «{value}» and «{low}» otherwise.",
        f"Mark «{table.plural}» as «{high}» when their «{column.phrase}» is over «{value}», else «{low}»; list «{label.phrase}» and mark.",
        f"For every «{table.singular}», give the «{label.phrase}» and «{high}» or «{low}»: «{high}» means «{column.phrase}» over «{value}»."))
    sql = f"SELECT {quote(label.name)}, CASE WHEN {quote(column.name)} > {literal(value)} THEN '{high}' ELSE '{low}' END FROM {table.name}"
    return Ask(text, sql, "bands", (table.name,))


def default_value(words: Words) -> Ask:
    table = words.table_with("category")
    label, column = words.world.label(table), words.column(table, "category", "text", required=False)
    word = words.pick(("unknown", "none", "missing"))
    text = words.pick((
        f"List every «{table.singular}» with its «{column.phrase}», or «{word}» where there is none.",
        f"Show «{label.phrase}» and «{column.phrase}» of all «{table.plural}», writing «{word}» for an empty «{column.phrase}»."))
    sql = f"SELECT {quote(label.name)}, COALESCE({quote(column.name)}, '{word}') FROM {table.name}"
    return Ask(text, sql, "default value", (table.name,))


def set_operation(words: Words) -> Ask:
    table = words.table_with("category", label=False)
    column = words.column(table, "category")
    one, two = (words.condition(table, roles=("number", "date", "category")) for _ in range(2))
    if one.sql.split()[0] == two.sql.split()[0] or quote(column.name) in (one.sql.split()[0], two.sql.split()[0]):
        raise LookupError("the two sides must differ")
    operator = words.pick(("INTERSECT", "EXCEPT", "UNION"))
    phrases, plural = several(column.phrase), table.plural
    text = words.pick({
        "INTERSECT": (f"Which «{phrases}» occur both for «{plural}» {one.text} and for «{plural}» {two.text}?",
                      f"Find «{phrases}» shared by «{plural}» {one.text} and those {two.text}."),
        "EXCEPT": (f"Which «{phrases}» occur for «{plural}» {one.text} but never for «{plural}» {two.text}?",
                   f"List the «{phrases}» of «{plural}» {one.text}, leaving out the ones of «{plural}» {two.text}."),
        "UNION": (f"Which «{phrases}» occur for «{plural}» {one.text} or for «{plural}» {two.text}? No repeats.",
                  f"Combine, without repeats, the «{phrases}» of «{plural}» {one.text} and of those {two.text}."),
    }[operator])
    name = quote(column.name)
    half = f"SELECT {name} FROM {table.name} WHERE "
    return Ask(text, f"{half}{one.sql} {operator} {half}{two.sql}", "set operation", (table.name,))


def best_of_group(words: Words) -> Ask:
    table = words.table_with("category", "number")
    label, column, number = words.world.label(table), words.column(table, "category"), words.column(table, "number")
    high = words.rng.random() < 0.6
    said, phrase, group = "highest" if high else "lowest", number.phrase, column.phrase
    text = words.pick((
        f"For each «{group}», which «{table.plural}» have the {said} «{phrase}»? Show «{group}» and «{label.phrase}».",
        f"Give «{group}» and «{label.phrase}» of the «{table.plural}» with the {said} «{phrase}» within their «{group}».",
        f"Within every «{group}», find the «{table.plural}» of {said} «{phrase}»; list «{group}», then «{label.phrase}»."))
    name, by, value = (quote(c.name) for c in (label, column, number))
    sql = (f"SELECT {by}, {name} FROM {table.name} AS one WHERE {value} = (SELECT {'MAX' if high else 'MIN'}({value}) "
           f"FROM {table.name} AS other WHERE other.{by} = one.{by})")
    return Ask(text, sql, "best of group", (table.name,))


def ranking(words: Words) -> Ask:
    table = words.table_with("category", "number")
    label, column, number = words.world.label(table), words.column(table, "category"), words.column(table, "number", required=True)
    text = words.pick((
        f"Rank the «{table.plural}» by «{number.phrase}» within each «{column.phrase}», highest first; show «{label.phrase}», «{column.phrase}» and rank.",
        f"Show «{label.phrase}», «{column.phrase}» and the rank of each «{table.singular}» by «{number.phrase}» inside its «{column.phrase}», the highest being 1."))
    name, by, value = (quote(c.name) for c in (label, column, number))
    sql = f"SELECT {name}, {by}, RANK() OVER (PARTITION BY {by} ORDER BY {value} DESC) FROM {table.name}"
    return Ask(text, sql, "ranking", (table.name,))


def busy_groups(words: Words) -> Ask:
    table = words.table_with("category", label=False)
    column = words.column(table, "category")
    phrases, plural = several(column.phrase), table.plural
    text = words.pick((
        f"Which «{phrases}» have more «{plural}» than the average «{column.phrase}» does?",
        f"Find each «{column.phrase}» whose number of «{plural}» is above the average number per «{column.phrase}».",
        f"List the «{phrases}» with an above-average count of «{plural}»."))
    name = quote(column.name)
    sql = (f"WITH counts AS (SELECT {name}, COUNT(*) AS total FROM {table.name} GROUP BY {name}) "
           f"SELECT {name} FROM counts WHERE total > (SELECT AVG(total) FROM counts)")
    return Ask(text, sql, "busy groups", (table.name,))


def with_evidence(words: Words) -> Ask:
    table = words.table_with("number")
    label, condition = words.world.label(table), words.evident(table)
    plural, word = table.plural, condition.text
    if words.rng.random() < 0.5:
        text = words.pick((f"How many «{word}» «{plural}» are there?", f"Count the «{word}» «{plural}».", f"What is the number of «{word}» «{plural}»?"))
        select = "COUNT(*)"
    else:
        text = words.pick((f"Which «{plural}» are «{word}»?", f"List the «{word}» «{plural}».", f"Show me all «{word}» «{plural}»."))
        select = quote(label.name)
    return Ask(text, f"SELECT {select} FROM {table.name} WHERE {condition.sql}", "evidence", (table.name,), condition.evidence)


KINDS = (
    (list_rows, 4), (show_columns, 4), (look_up, 2), (distinct, 2), (count, 4), (count_distinct, 2), (aggregate, 4), (two_aggregates, 1), (spread, 1),
    (percentage, 1), (order, 2), (top, 3), (extreme, 2), (against_average, 2), (group_count, 3), (group_aggregate, 3), (group_having, 2),
    (group_having_average, 1), (group_top, 2), (by_year, 1), (bands, 1), (default_value, 1), (set_operation, 2), (best_of_group, 1), (ranking, 1),
    (busy_groups, 1), (with_evidence, 2),
)
"""Each kind with how often it is asked, relative to the others."""
