"""A cinema chain: its films, the people who appear in them, its theatres, the screenings and the tickets sold.

It covers ticket sales only: no snacks, no seat plans.
"""

from __future__ import annotations

import random

from domain import Bridge, Column, Domain, Relation, Table
from words import CITIES, day, distinct, maybe, person, recase, skewed

DOMAIN = Domain(
    "cinema",
    "a cinema chain with its films, actors, theatres, screenings and ticket sales",
    tables=(
        Table("film", "film", "films", (
            Column("film_id", "INTEGER", "key", "film number"),
            Column("title", "TEXT", "label", "title"),
            Column("genre", "TEXT", "category", "genre", says="in the {value} genre"),
            Column("studio", "TEXT", "category", "studio", says="produced by {value}"),
            Column("release_date", "DATE", "date", "release date", most="newest", least="oldest"),
            Column("minutes", "INTEGER", "number", "running time in minutes", most="longest", least="shortest",
                   required=False),
            Column("rating", "REAL", "number", "rating", required=False, additive=False),
            Column("in_colour", "INTEGER", "flag", "colour mark", says="that are in colour"),
        )),
        Table("actor", "actor", "actors", (
            Column("actor_id", "INTEGER", "key", "actor number"),
            Column("name", "TEXT", "label", "name"),
            Column("country", "TEXT", "category", "country", says="from {value}"),
            Column("birth_year", "INTEGER", "number", "birth year", most="youngest", least="oldest",
                   required=False, additive=False),
        )),
        Table("appearance", "appearance", "appearances", (
            Column("film_id", "INTEGER", "link", "film", refers="film.film_id"),
            Column("actor_id", "INTEGER", "link", "actor", refers="actor.actor_id"),
            Column("part", "TEXT", "category", "part", says="in a {value} part"),
            Column("scenes", "INTEGER", "number", "number of scenes", most="longest", least="shortest"),
        )),
        Table("theatre", "theatre", "theatres", (
            Column("theatre_id", "INTEGER", "key", "theatre number"),
            Column("name", "TEXT", "label", "name"),
            Column("city", "TEXT", "category", "city", says="in {value}"),
            Column("manager", "TEXT", "text", "manager", required=False),
            Column("seats", "INTEGER", "number", "number of seats", most="largest", least="smallest"),
            Column("opened", "INTEGER", "number", "opening year", most="newest", least="oldest", additive=False),
        )),
        Table("screening", "screening", "screenings", (
            Column("screening_id", "INTEGER", "key", "screening number"),
            Column("code", "TEXT", "label", "code"),
            Column("film_id", "INTEGER", "link", "film", refers="film.film_id"),
            Column("theatre_id", "INTEGER", "link", "theatre", refers="theatre.theatre_id"),
            Column("show_date", "DATE", "date", "show date", most="latest", least="earliest"),
            Column("slot", "TEXT", "category", "time slot", says="in the {value} slot"),
            Column("subtitles", "TEXT", "text", "subtitle language", required=False),
        )),
        Table("sale", "ticket sale", "ticket sales", (
            Column("sale_id", "INTEGER", "key", "sale number"),
            Column("screening_id", "INTEGER", "link", "screening", refers="screening.screening_id"),
            Column("ticket", "TEXT", "category", "ticket type", says="at the {value} rate"),
            Column("tickets", "INTEGER", "number", "number of tickets", most="largest", least="smallest"),
            Column("unit price", "REAL", "number", "unit price", most="most expensive", least="cheapest",
                   additive=False),
            Column("sold_on", "DATE", "date", "date of sale", most="latest", least="earliest"),
            Column("channel", "TEXT", "category", "sales channel", says="through the {value}", required=False),
        )),
    ),
    relations=(
        Relation("appearance", "film_id", "in", "have"),
        Relation("appearance", "actor_id", "by", "have made"),
        Relation("screening", "film_id", "of", "have had"),
        Relation("screening", "theatre_id", "at", "have held"),
        Relation("sale", "screening_id", "for", "have had"),
    ),
    bridges=(Bridge("appearance", "film_id", "actor_id", "feature", "appear in"),),
    primary_keys=(("appearance", ("film_id", "actor_id")),),
)

GENRES = ("drama", "comedy", "thriller", "animation", "horror", "western", "documentary", "musical", "science fiction")
STUDIOS = ("Lantern Pictures", "Grand Union", "Falcon Films", "Baltic House", "Sunday Films", "Red Kite", "Ostrava Studio")
LANDS = ("France", "Italy", "India", "Sweden", "Mexico", "Japan", "Germany", "Spain", "Brazil", "Nigeria", "Ireland")
TOWNS = ("Paris", "Milan", "Mumbai", "Seville", "Oslo", "Hamburg", "Lagos", "Dublin", "Kyoto", "Lima")
HOUSES = """Rex Odeon Astoria Capitol Palace Lumiere Regent Majestic Orpheum Plaza Roxy Tivoli Apollo Ritz Eldorado Gaumont
Bijou Corona Rialto Scala Phoenix Electric Metropole Savoy""".split()
PARTS = ("supporting", "lead", "minor", "cameo", "voice")
SLOTS = ("evening", "afternoon", "late night", "morning")
TICKETS = {"adult": 12.5, "student": 9.0, "child": 7.5, "senior": 8.5, "member": 10.0}
CHANNELS = ("website", "box office", "phone app", "kiosk")
TONGUES = ("English", "French", "Spanish", "Hindi", "German")
FIRSTS = """Midnight Crimson Endless Stolen Savage Tender Lonely Electric Frozen Burning Velvet Wild Perfect Hollow Secret
Lucky Paper Broken Summer Neon Desert Silver Fatal Gentle""".split()
SECONDS = """Dawn Highway Promise Heist Rain Carnival Kingdom Whisper Runner Detective Waltz Horizon Affair Cowboy Witness
Planet Butcher Sisters Justice Machine Ghosts Honeymoon Passenger Alibi Lullaby Frontier""".split()
WHOS = """Baker Colonel Pianist Astronaut Gardener Sheriff Widow Boxer Teacher Captain Thief Dancer Butler Nurse
Fisherman Ambassador""".split()


def _title(rng: random.Random) -> str:
    """A film title in one of several patterns."""
    pattern = rng.choice(("{first} {second}", "{first} {second}", "The {first} {who}", "The {who} of {city}",
                          "{second} in {city}", "Last Train to {city}", "Return to {city}", "The {who} and the {second}",
                          "Goodbye, {city}", "No {second} for the {who}", "{who} and {other}"))
    who, other = rng.sample(WHOS, 2)
    return pattern.format(first=rng.choice(FIRSTS), second=rng.choice(SECONDS), who=who, other=other,
                          city=rng.choice(CITIES))


def _theatre(rng: random.Random) -> tuple[str, str]:
    """A theatre's name and city."""
    city = skewed(rng, TOWNS, 0.5)
    return f"{rng.choice(HOUSES)} {city}", city


def _pool() -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """The same titles, actors and theatres for every instance, so that a name asked for can recur."""
    rng = random.Random("cinema names")
    return distinct(rng, _title, 380), distinct(rng, person, 320), distinct(rng, _theatre, 202)


def _films(rng: random.Random, titles: list[str], variant: int) -> list[tuple]:
    """The films; ratings come in half points, so that many tie."""
    unrated, unmeasured = ((0.12, 0.0), (0.03, 0.2), (0.3, 0.1), (0.1, 0.1))[variant]
    return [(number, title, skewed(rng, GENRES, 0.8), skewed(rng, STUDIOS, 0.7), day(rng, "1948-01-01", "2024-09-30"),
             maybe(rng, rng.randrange(74, 190), unmeasured), maybe(rng, rng.randrange(4, 20) / 2, unrated),
             int(rng.random() < 0.8)) for number, title in enumerate(titles, 1)]


def _theatres(rng: random.Random, houses: list[tuple[str, str]], variant: int) -> list[tuple]:
    """The theatres; some wait for a manager, and a few managers run two or three."""
    managers = distinct(rng, person, max(8, len(houses) * 3 // 4))
    return [(number, name, city, maybe(rng, recase(rng, rng.choice(managers)), (0.1, 0.2, 0.0, 0.15)[variant]),
             rng.randrange(80, 620, 20), rng.randrange(1921, 2022)) for number, (name, city) in enumerate(houses, 1)]


def _screenings(rng: random.Random, films: list[tuple], theatres: list[tuple], variant: int, count: int) -> list[tuple]:
    """The screenings, after each film's release; codes name the city: 'OSL-1042'."""
    power = (0.5, 0.6, 0.5, 1.3)[variant]
    shown = rng.sample(films, int(len(films) * 0.8))
    open_houses = rng.sample(theatres, int(len(theatres) * 0.92))
    made = []
    for number in range(1, count + 1):
        film, theatre = skewed(rng, shown, power), skewed(rng, open_houses, power)
        made.append((number, f"{theatre[2][:3].upper()}-{1000 + number}", film[0], theatre[0],
                     day(rng, max(film[4], "2022-01-01"), "2024-12-31"), skewed(rng, SLOTS, 0.7),
                     maybe(rng, recase(rng, skewed(rng, TONGUES), 0.1), (0.45, 0.3, 0.6, 0.5)[variant])))
    return made


def _sale(rng: random.Random, number: int, screening: tuple, variant: int) -> tuple:
    """One sale on the day of the screening or in the month before it; late slots cost one more."""
    ticket = skewed(rng, list(TICKETS), 0.8)
    price = TICKETS[ticket] + (1.0 if screening[5] == "late night" else 0.0)
    month = f"{screening[4][:8]}01"
    channel = maybe(rng, skewed(rng, CHANNELS, 0.9), (0.07, 0.25, 0.1, 0.15)[variant])
    return (number, screening[0], ticket, rng.choice((1, 1, 2, 2, 2, 3, 4, 5, 8)), price,
            day(rng, month, screening[4]), channel)


def _credit(rng: random.Random, films: list[tuple], cast: list[tuple], power: float) -> tuple[int, int]:
    """A film and an actor who was alive to play in it."""
    while True:
        film, actor = rng.choice(films), skewed(rng, cast, power)
        if (actor[3] or 1900) + 6 <= int(film[4][:4]):
            return film[0], actor[0]


def rows(rng: random.Random, variant: int) -> dict[str, list[tuple]]:
    """The rows of every table for one instance; variant 0 is the main one, 2 has no sales, 3 is small and skewed."""
    titles, names, houses = _pool()
    n_films, n_actors, n_parts, n_theatres, n_screenings, n_sales = (
        (380, 320, 1150, 202, 800, 1200), (90, 80, 200, 40, 170, 200), (70, 60, 150, 35, 90, 0),
        (40, 35, 130, 30, 70, 190))[variant]
    films = _films(rng, rng.sample(titles, n_films), variant)
    actors = [(number, name, skewed(rng, LANDS, 0.7), maybe(rng, rng.randrange(1931, 2004), (0.08, 0.2, 0.0, 0.1)[variant]))
              for number, name in enumerate(rng.sample(names, n_actors), 1)]
    theatres = _theatres(rng, rng.sample(houses, n_theatres), variant)
    power = (0.45, 0.5, 0.4, 0.9)[variant]
    cast = actors[:-(n_actors // 12)]
    credits = distinct(rng, lambda source: _credit(source, films[:-5], cast, power), n_parts)
    appearances = [(*pair, skewed(rng, PARTS, 0.7), rng.randrange(1, 40)) for pair in sorted(credits)]
    screenings = _screenings(rng, films, theatres, variant, n_screenings)
    attended = rng.sample(screenings, int(n_screenings * 0.85))
    sales = [_sale(rng, number, skewed(rng, attended, power), variant) for number in range(1, n_sales + 1)]
    return {"film": films, "actor": actors, "appearance": appearances, "theatre": theatres,
            "screening": screenings, "sale": sales}
