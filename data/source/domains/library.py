"""A public library: who wrote its books, what they are about, who borrowed them and what late returns cost.

It covers one copy of each book and no reservations.
"""

from __future__ import annotations

import datetime
import random

from domain import Bridge, Column, Domain, Relation, Table
from words import CITIES, COUNTRIES, day, distinct, maybe, person, recase, skewed

DOMAIN = Domain(
    "library",
    "a public library with its books, authors, members and loans",
    tables=(
        Table("author", "author", "authors", (
            Column("author_id", "INTEGER", "key", "author number"),
            Column("name", "TEXT", "label", "name"),
            Column("country", "TEXT", "category", "country", says="from {value}"),
            Column("birth_year", "INTEGER", "number", "birth year", most="youngest", least="oldest",
                   required=False, additive=False),
        )),
        Table("subject", "subject", "subjects", (
            Column("subject_id", "INTEGER", "key", "subject number"),
            Column("name", "TEXT", "label", "name"),
            Column("field", "TEXT", "category", "field", says="in the field of {value}"),
        )),
        Table("book", "book", "books", (
            Column("book_id", "INTEGER", "key", "book number"),
            Column("title", "TEXT", "label", "title"),
            Column("author_id", "INTEGER", "link", "author", refers="author.author_id"),
            Column("genre", "TEXT", "category", "genre", says="in the {value} genre"),
            Column("language", "TEXT", "category", "language", says="in {value}"),
            Column("publisher", "TEXT", "text", "publisher"),
            Column("year", "INTEGER", "number", "publication year", most="newest", least="oldest", additive=False),
            Column("pages", "INTEGER", "number", "number of pages", most="longest", least="shortest", required=False),
            Column("price", "REAL", "number", "price", most="most expensive", least="cheapest", required=False),
            Column("out_of_print", "INTEGER", "flag", "out of print mark", says="that are out of print"),
        )),
        Table("book_subject", "subject entry", "subject entries", (
            Column("book_id", "INTEGER", "link", "book", refers="book.book_id"),
            Column("subject_id", "INTEGER", "link", "subject", refers="subject.subject_id"),
        )),
        Table("member", "member", "members", (
            Column("member_id", "INTEGER", "key", "member number"),
            Column("name", "TEXT", "label", "name"),
            Column("city", "TEXT", "category", "city", says="from {value}"),
            Column("plan", "TEXT", "category", "plan", says="on the {value} plan"),
            Column("birth_date", "DATE", "date", "birth date", most="youngest", least="oldest"),
            Column("joined_on", "DATE", "date", "joining date", most="newest", least="longest-standing"),
            Column("phone", "TEXT", "text", "phone number", required=False),
        )),
        Table("loan", "loan", "loans", (
            Column("loan_id", "INTEGER", "key", "loan number"),
            Column("book_id", "INTEGER", "link", "book", refers="book.book_id"),
            Column("member_id", "INTEGER", "link", "member", refers="member.member_id"),
            Column("loan_date", "DATE", "date", "loan date", most="latest", least="earliest"),
            Column("return_date", "DATE", "date", "return date", required=False),
            Column("fine", "REAL", "number", "fine", required=False),
            Column("branch", "TEXT", "category", "branch", says="at the {value} branch"),
        )),
    ),
    relations=(
        Relation("book", "author_id", "written by", "have written"),
        Relation("loan", "book_id", "of", "have had"),
        Relation("loan", "member_id", "made by", "have made"),
    ),
    bridges=(Bridge("book_subject", "book_id", "subject_id", "are about", "are covered by"),),
    primary_keys=(("book_subject", ("book_id", "subject_id")),),
)

GENRES = "mystery history fantasy biography romance science poetry travel thriller cooking".split()
LANGUAGES = "English French Spanish German Italian Turkish Japanese".split()
PUBLISHERS = ("Harbour House", "Northlight Press", "Penrose and Sons", "Blue Heron Books", "Old Mill Editions",
              "Quay Street Press", "Larkspur", "Meridian Books", "Fernwood", "Two Rivers Press")
BRANCHES = ("Central", "Riverside", "Hillcrest", "Station Road", "Old Town")
HOMES = ("Lisbon", "Dublin", "Vienna", "Oslo", "Prague", "Porto", "Lyon", "Milan", "Bergen", "Seville")
ADJECTIVES = """Silent Broken Golden Hidden Last Forgotten Winter Crimson Quiet Distant Burning Hollow Restless Paper Salt
Northern Second Patient Borrowed Empty Wandering Bitter Gentle Midnight""".split()
NOUNS = """River Garden Lighthouse Letter House Orchard Harbour Mirror Bridge Island Winter Daughter Clockmaker Forest Sea
Stranger Window Violin Map Kingdom Storm Library Mountain Cartographer Road Promise Station Shadow""".split()
SETTINGS = CITIES[:40]
THEMES = """Bread Whales Railways Volcanoes Glass Silk Coffee Bees Comets Castles Gardens Maps Rivers Spices Tea Stars
Bridges Paper Salt Wolves""".split()
TOPICS = {
    "history": "trade war women cities empires slavery migration kings medicine printing ships railways",
    "nature": "birds forests whales rivers deserts insects islands glaciers mushrooms wolves horses reefs",
    "science": "planets atoms genes numbers oceans volcanoes light chemistry climate fossils robots vaccines",
    "art": "painting theatre jazz opera sculpture film dance pottery weaving photography folk songs architecture",
    "society": "family law work schooling money religion crime sport friendship ageing housing food",
    "travel": "trains walking sailing pilgrimage mountains camping borders maps harbours markets cycling hitchhiking",
}
TOPIC_FORMS = ("{} for beginners", "the story of {}", "early {}", "{} today")


def _title(rng: random.Random) -> str:
    """A book title in one of several patterns."""
    pattern = rng.choice((
        "The {adjective} {noun}", "The {adjective} {noun}", "The {noun} of {city}", "{adjective} {noun}",
        "A Short History of {theme}", "The {noun} and the {other}", "Letters from {city}", "{theme} and {theme_two}",
        "{city} by Night", "The {noun} Keeper", "Cooking in {city}", "My Years in {city}"))
    (noun, other), (theme, theme_two) = rng.sample(NOUNS, 2), rng.sample(THEMES, 2)
    return pattern.format(adjective=rng.choice(ADJECTIVES), noun=noun, other=other, city=rng.choice(SETTINGS),
                          theme=theme, theme_two=theme_two)


def _subjects() -> list[tuple[str, str]]:
    """Every subject with its field: (name, field)."""
    words = {field: line.split() for field, line in TOPICS.items()}
    names = {form.format(word): field for field, line in words.items() for word in line for form in TOPIC_FORMS}
    return [(name[0].upper() + name[1:], field) for name, field in names.items()]


def _pool() -> tuple[list[str], list[tuple[str, str]], list[str], list[str]]:
    """The same authors, subjects, titles and members for every instance, so that a name asked for can recur."""
    rng = random.Random("library names")
    subjects = _subjects()
    rng.shuffle(subjects)
    people = distinct(rng, person, 520)
    return people[:230], subjects[:210], distinct(rng, _title, 600), people[230:]


def _loan(rng: random.Random, variant: int, number: int, book: int, member: tuple) -> tuple:
    """One loan, after the member joined; three weeks are free, then each started week costs 1.50."""
    taken = datetime.date.fromisoformat(day(rng, max(member[5], "2020-01-01"), "2024-12-20"))
    kept = rng.choice((3, 7, 7, 10, 14, 14, 14, 20, 21, 21, 24, 30, 37, 52))
    open_still = rng.random() < (0.12, 0.3, 0.1, 0.05)[variant]
    back = None if open_still else str(taken + datetime.timedelta(days=kept))
    fine = None if open_still else 1.5 * max(0, -(-(kept - 21) // 7))
    return number, book, member[0], str(taken), back, fine, skewed(rng, BRANCHES, 0.9)


def _book(rng: random.Random, number: int, title: str, author: tuple, missing: tuple[float, float]) -> tuple:
    """One book, of a year when its author was grown up; ``missing``: shares without pages and without a price."""
    year = max(2024 - int(rng.expovariate(1 / 18)), (author[3] or 1900) + 21)
    price = round(rng.randrange(8, 60) - rng.choice((0.0, 0.01, 0.05, 0.5)), 2)
    return (number, title, author[0], skewed(rng, GENRES, 0.8), skewed(rng, LANGUAGES),
            recase(rng, skewed(rng, PUBLISHERS, 0.7)), year, maybe(rng, rng.randrange(80, 720, 8), missing[0]),
            maybe(rng, price, missing[1]), int(rng.random() < 0.15))


def _books(rng: random.Random, variant: int, titles: list[str], authors: list[tuple]) -> list[tuple]:
    """The books; about one author in ten has none."""
    writers = rng.sample(authors, int(len(authors) * 0.9))
    missing = ((0.0, 0.08), (0.2, 0.02), (0.0, 0.3), (0.1, 0.1))[variant]
    power = (0.5, 0.5, 0.7, 1.5)[variant]
    return [_book(rng, number, title, skewed(rng, writers, power), missing) for number, title in enumerate(titles, 1)]


def _members(rng: random.Random, names: list[str], variant: int) -> list[tuple]:
    """The members; some left no phone number."""
    made = []
    for number, name in enumerate(names, 1):
        born = day(rng, "1940-01-01", "2012-12-31")
        usual = "senior" if born < "1958" else "student" if born >= "1999" else "standard"
        phone = f"555-{rng.randrange(200, 999)}-{rng.randrange(10000):04d}"
        made.append((number, name, skewed(rng, HOMES, 0.9), rng.choice((usual, usual, usual, "standard", "family")), born,
                     day(rng, "2015-01-01", "2024-06-30"), maybe(rng, phone, (0.12, 0.25, 0.0, 0.2)[variant])))
    return made


def rows(rng: random.Random, variant: int) -> dict[str, list[tuple]]:
    """The rows of every table for one instance; variant 0 is the main one, 2 has no loans, 3 is small and skewed."""
    author_names, subject_names, titles, member_names = _pool()
    n_authors, n_subjects, n_books, n_entries, n_members, n_loans = (
        (230, 210, 600, 1100, 290, 1200), (60, 40, 140, 190, 70, 200), (50, 40, 110, 150, 60, 0),
        (35, 30, 60, 120, 40, 180))[variant]
    picks = [rng.sample(pool, size) for pool, size in
             ((author_names, n_authors), (subject_names, n_subjects), (titles, n_books), (member_names, n_members))]
    authors = [(number, name, skewed(rng, COUNTRIES[6:18], 0.7),
                maybe(rng, rng.randrange(1925, 1996), (0.1, 0.2, 0.05, 0.15)[variant]))
               for number, name in enumerate(picks[0], 1)]
    subjects = [(number, *pair) for number, pair in enumerate(picks[1], 1)]
    books, members = _books(rng, variant, picks[2], authors), _members(rng, picks[3], variant)
    power = (0.45, 0.5, 0.5, 1.2)[variant]
    covered = list(range(1, n_subjects - n_subjects // 15))
    entries = distinct(rng, lambda source: (source.randint(1, n_books), skewed(source, covered, power)), n_entries)
    shelf = rng.sample(range(1, n_books + 1), int(n_books * 0.85))
    readers = rng.sample(members, int(n_members * 0.9))
    loans = [_loan(rng, variant, number, skewed(rng, shelf, power), skewed(rng, readers, power))
             for number in range(1, n_loans + 1)]
    return {"author": authors, "subject": subjects, "book": books, "book_subject": sorted(entries),
            "member": members, "loan": loans}
