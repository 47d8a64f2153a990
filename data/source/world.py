"""A domain with its rows: what the grammar asks about. Also worlds made at random, to teach reading.

A random world has the shape of a starter database (keys, links, words for both) but other words in every draw, so a
policy trained on many of them learns to read a schema instead of remembering one.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property

from domain import Bridge, Column, Domain, Relation, Table
from words import CITIES, COUNTRIES, LAST_NAMES, day, lexicon, person, several


@dataclass(frozen=True)
class World:
    """A domain and the rows of its main instance."""

    domain: Domain
    rows: dict[str, list[tuple]]

    def table(self, name: str) -> Table:
        return next(table for table in self.domain.tables if table.name == name)

    def label(self, table: Table) -> Column | None:
        """The column that names a row, or None."""
        return next((column for column in table.columns if column.role == "label"), None)

    def key(self, table: Table) -> Column | None:
        return next((column for column in table.columns if column.role == "key"), None)

    def parent(self, relation: Relation) -> tuple[Table, str]:
        """The table and key column that a relation's link refers to."""
        column = next(c for c in self.table(relation.child).columns if c.name == relation.column)
        table, key = column.refers.split(".", 1)
        return self.table(table), key

    def values(self, table: Table, column: Column) -> list:
        """The column's values in the main instance, NULLs left out."""
        position = table.columns.index(column)
        return [row[position] for row in self.rows[table.name] if row[position] is not None]

    @cached_property
    def asked_relations(self) -> list[Relation]:
        """Relations whose parent can be named, the ones that questions go through."""
        return [r for r in self.domain.relations if self.label(self.parent(r)[0]) and r.child != self.parent(r)[0].name]


NOUNS = """agent agents|aisle aisles|badge badges|band bands|basket baskets|batch batches|boat boats|bottle bottles|branch branches|
bridge bridges|broker brokers|bus buses|camp camps|canal canals|card cards|chef chefs|clinic clinics|coach coaches|
contract contracts|council councils|crate crates|crew crews|dancer dancers|depot depots|device devices|dish dishes|driver drivers|
editor editors|engine engines|factory factories|farm farms|farmer farmers|festival festivals|fleet fleets|forest forests|game games|
garden gardens|guest guests|guide guides|harbor harbors|hotel hotels|house houses|invoice invoices|island islands|
journal journals|judge judges|kitchen kitchens|lab labs|lake lakes|lawyer lawyers|lesson lessons|machine machines|magazine magazines|
market markets|meal meals|mine mines|model models|mountain mountains|nurse nurses|offer offers|opera operas|painter painters|
parcel parcels|park parks|patent patents|pilot pilots|plant plants|poem poems|poet poets|policy policies|port ports|race races|
recipe recipes|region regions|report reports|river rivers|robot robots|room rooms|route routes|sailor sailors|sample samples|
school schools|seller sellers|sensor sensors|server servers|ship ships|singer singers|station stations|store stores|stream streams|
suite suites|survey surveys|teacher teachers|team teams|tenant tenants|tool tools|tour tours|tower towers|trader traders|train trains|
tree trees|truck trucks|vendor vendors|village villages|voyage voyages|warehouse warehouses|wine wines|worker workers|writer writers"""

NUMBERS = """price|cost|weight|height|length|width|depth|age|size|score|rating|rank|budget|capacity|speed|distance|duration|
area|volume|power|salary|bonus|fee|tax|amount|quantity|stock|seats|pages|points|wins|losses|goals|floors|rooms|visits|votes|
founded year,founded_year|built year,built_year|birth year,birth_year|unit price,unit_price|daily rate,daily_rate|
total cost,total_cost|market value,market value|fuel use,fuel_use|growth rate,growth_rate|shelf life,shelf_life|load limit,load_limit""".replace(
    "\n", "")

CATEGORIES = """color:red,blue,green,black,white,silver|status:active,closed,pending,paused,open|type:A,B,C,D,E|
level:low,medium,high,expert|class:economy,standard,premium,luxury|material:wood,steel,glass,stone,plastic,copper|
category:food,sport,music,travel,health,science,history|shape:round,square,oval,flat|season:spring,summer,autumn,winter|
language:English,French,German,Spanish,Hindi,Arabic,Japanese|grade:first,second,third|style:modern,classic,gothic,rustic|
condition:new,used,worn,broken|zone:north,south,east,west|method:cash,card,check,transfer|role:junior,senior,lead,chief|
flavor:sweet,sour,salty,bitter|fuel:diesel,petrol,electric,hybrid|city:{cities}|country:{countries}|brand:Acme,Nova,Orion,Delta,Zenith,Atlas|
gender:F,M|result:win,loss,draw|size class:small,large,huge|team color:amber,teal,violet,pink""".replace("\n", "")

DATES = "start date,start_date|end date,end_date|opening date,opened_on|delivery date,delivered|join date,join_date|birthday,birthday|due date,due_date|last check,last_check|sale date,sale_date"
BY = ["of", "from", "belonging to", "linked to", "made by", "run by", "handled by", "sold by", "at", "in", "owned by", "used by", "sent by"]
HAVE = ["have", "have had", "own", "run", "have made", "have sold", "hold", "use", "have sent", "have received", "manage"]
BRIDGE_SAYS = [("use", "are used by"), ("visit", "are visited by"), ("serve", "are served by"), ("join", "include"),
               ("own", "belong to"), ("appear in", "feature"), ("supply", "are supplied by"), ("take part in", "involve")]
ONSETS = "b c d f g h j k l m n p r s t v w z br cl cr dr fl gr pl pr sc sh sk sl sp st str th tr wh".split()
VOWELS = "a e i o u a e i o u ai ea ee ie oa oo ou y".split()
CODAS = "- - - - b ck d g k l ll m mp n nd ng nt p r rd rk rn s ss st t x".replace("-", " ").split(" ")
SQL_WORDS = "UNION GROUP ORDER WHERE LIMIT TABLE INDEX VALUE CROSS INNER OUTER RIGHT QUERY RANGE EXIST BEGIN CHECK UNTIL TOTAL".split()
SYLLABLES = "ba co da el fa gi ho in jo ka lu me no or pa qui ra sa to un va wi xa yo zu bri cla dre flo gra".split()


def odd_word(rng: random.Random) -> str:
    """A word that is in no list, of five letters or more, so that few are words of SQL."""
    word = ""
    while len(word) < 5:
        word += rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS)
    return word + "o" if word.upper() in SQL_WORDS else word


def rare_word(rng: random.Random) -> str:
    """A word of the lexicon, or one that is in no list."""
    return rng.choice(lexicon()) if rng.random() < 0.6 else odd_word(rng)


def random_world(rng: random.Random, share_rare: float = 0.12) -> World:
    """Two to four tables: a parent, its children, sometimes a many-to-many table; twenty rows each.

    ``share_rare``: how many of the names of tables and columns are words outside this file's short lists.
    """
    nouns = [pair.split() for pair in NOUNS.replace("\n", "").split("|")]
    chosen = [_noun(rng, nouns, share_rare) for _ in range(rng.choice((2, 2, 3)))]
    while len({name for name, _ in chosen}) < len(chosen):
        chosen = [_noun(rng, nouns, share_rare) for _ in chosen]
    tables = [_table(rng, *chosen[0], parents=(), share_rare=share_rare)]
    relations: list[Relation] = []
    for singular, plural in chosen[1:]:
        parents = (tables[0],) if rng.random() < 0.7 else ()
        table = _table(rng, singular, plural, parents, share_rare)
        relations += [Relation(table.name, f"{p.name}_id", rng.choice(BY), rng.choice(HAVE)) for p in parents]
        tables.append(table)
    bridges = ()
    linked = {r.child for r in relations}
    if len(tables) > 1 and tables[1].name not in linked or (len(tables) == 3 and rng.random() < 0.5):
        left, right = tables[0], tables[-1] if tables[-1].name not in linked else tables[1]
        bridge, link_relations, says = _bridge(rng, left, right)
        tables.append(bridge)
        bridges = (says,)
        relations += link_relations
    domain = Domain("random", "", tuple(tables), tuple(relations), bridges)
    return World(domain, {table.name: _rows(rng, table) for table in tables})


def _noun(rng: random.Random, nouns: list, share_rare: float) -> tuple[str, str]:
    if rng.random() < share_rare:
        word = rare_word(rng)
        return word, several(word)
    return tuple(rng.choice(nouns))


def _table(rng: random.Random, singular: str, plural: str, parents: tuple, share_rare: float) -> Table:
    columns = [Column(f"{singular}_id", "INTEGER", "key", f"{singular} id")]
    label = rng.choice(("name", "name", "title", "label", "code name"))
    columns.append(Column(label.replace(" ", "_"), "TEXT", "label", label))
    for name, phrase, kind in _attributes(rng, rng.choice((2, 3, 3, 4))):
        name, phrase = _rare_name(rng) if rng.random() < share_rare else (name, phrase)
        columns.append(_column(rng, name, phrase, kind))
    columns += [Column(f"{p.name}_id", "INTEGER", "link", p.singular, refers=f"{p.name}.{p.name}_id") for p in parents]
    return Table(singular, singular, plural, tuple(columns))


def _rare_name(rng: random.Random) -> tuple[str, str]:
    """A column's name of one or two words, and the words for it; people often leave one of two away."""
    words = [rare_word(rng) for _ in range(rng.choice((1, 1, 2)))]
    phrase = words[-1:] if rng.random() < 0.2 else words
    return rng.choice(("_", "_", "_", " ")).join(words), " ".join(phrase)


def _attributes(rng: random.Random, count: int) -> list[tuple[str, str, str]]:
    found: dict[str, tuple[str, str, str]] = {}
    while len(found) < count:
        kind = rng.choices(("number", "category", "date"), (5, 4, 2))[0]
        pool = {"number": NUMBERS, "category": CATEGORIES, "date": DATES}[kind].split("|")
        entry = rng.choice(pool).strip()
        head, _, options = entry.partition(":")
        phrase, _, name = head.partition(",")
        name = name or phrase.replace(" ", "_")
        found.setdefault(name, (name, phrase, f"{kind}:{options}"))
    return list(found.values())


def _column(rng: random.Random, name: str, phrase: str, kind: str) -> Column:
    role, _, options = kind.partition(":")
    if role == "number":
        type_ = rng.choice(("INTEGER", "INTEGER", "REAL"))
        return Column(name, type_, role, phrase, required=rng.random() < 0.75)
    if role == "date":
        return Column(name, "DATE", role, phrase, required=rng.random() < 0.7)
    says = rng.choice(("with {value} " + phrase, "in the {value} " + phrase, "of {phrase} {value}".replace("{phrase}", phrase), ""))
    return Column(name, "TEXT", role, phrase, says=says, most=options, required=rng.random() < 0.8)


def _bridge(rng: random.Random, left: Table, right: Table) -> tuple[Table, list[Relation], Bridge]:
    name = rng.choice((f"{left.name}_{right.name}", f"{right.name}_{left.name}", f"{left.name}_link"))
    links = [Column(f"{t.name}_id", "INTEGER", "link", t.singular, refers=f"{t.name}.{t.name}_id") for t in (left, right)]
    table = Table(name, "link", "links", tuple(links))
    left_says, right_says = rng.choice(BRIDGE_SAYS)
    return table, [], Bridge(name, links[0].name, links[1].name, left_says, right_says)


def _rows(rng: random.Random, table: Table) -> list[tuple]:
    return [tuple(_value(rng, column) for column in table.columns) for _ in range(20)]


def _value(rng: random.Random, column: Column):
    if column.role in ("key", "link"):
        return rng.randint(1, 200)
    if column.role == "label":
        return rng.choice((lambda: person(rng), lambda: f"{rng.choice(CITIES)} {rng.choice(LAST_NAMES)}",
                           lambda: "".join(rng.choice(SYLLABLES) for _ in range(3)).capitalize(),
                           lambda: f"The {rng.choice(LAST_NAMES)} {rng.choice(COUNTRIES)}"))()
    if column.role == "date":
        return day(rng, "2005-01-01", "2026-06-30")
    if column.role == "category":
        return rng.choice(_options(column.most))
    low, high = rng.choice(((1, 10), (1, 100), (10, 500), (100, 5000), (1900, 2026)))
    return rng.randint(low, high) if column.type == "INTEGER" else round(rng.uniform(low, high), rng.choice((1, 2)))


def _options(text: str) -> list[str]:
    return {"{cities}": CITIES, "{countries}": COUNTRIES}.get(text) or text.split(",")
