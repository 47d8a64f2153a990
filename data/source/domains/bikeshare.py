"""Bike sharing: stations, bikes, riders with favorite stations, trips and repairs."""

from __future__ import annotations

import random

from domain import Bridge, Column, Domain, Relation, Table
from words import CITIES, day, distinct, maybe, person, recase, skewed

DOMAIN = Domain(
    db_id="bikeshare",
    title="a city's shared bikes: stations, riders, trips and repairs",
    tables=(
        Table("station", "station", "stations", (
            Column("station_id", "INTEGER", "key", "station number"),
            Column("name", "TEXT", "label", "name"),
            Column("district", "TEXT", "category", "district", says="in the {value} district"),
            Column("docks", "INTEGER", "number", "number of docks", most="largest", least="smallest"),
            Column("opened_on", "DATE", "date", "opening date", most="newest", least="oldest", required=False),
            Column("covered", "INTEGER", "flag", "roof", says="that are covered"),
        )),
        Table("bike", "bike", "bikes", (
            Column("bike_id", "INTEGER", "key", "bike number"),
            Column("nickname", "TEXT", "label", "nickname"),
            Column("station_id", "INTEGER", "link", "station", refers="station.station_id", required=False),
            Column("model", "TEXT", "category", "model", says="of the {value} model"),
            Column("bought_on", "DATE", "date", "purchase date", most="newest", least="oldest"),
            Column("price", "INTEGER", "number", "price", most="most expensive", least="cheapest", required=False),
            Column("electric", "INTEGER", "flag", "electric drive", says="that are electric"),
        )),
        Table("rider", "rider", "riders", (
            Column("rider_id", "INTEGER", "key", "rider number"),
            Column("name", "TEXT", "label", "name"),
            Column("home_town", "TEXT", "text", "home town", required=False),
            Column("plan", "TEXT", "category", "plan", says="on the {value} plan"),
            Column("birth_year", "INTEGER", "number", "birth year", most="youngest", least="oldest", required=False,
                   additive=False),
            Column("joined_on", "DATE", "date", "joining date", most="newest", least="longest-standing"),
        )),
        Table("trip", "trip", "trips", (
            Column("trip_id", "INTEGER", "key", "trip number"),
            Column("rider_id", "INTEGER", "link", "rider", refers="rider.rider_id"),
            Column("bike_id", "INTEGER", "link", "bike", refers="bike.bike_id"),
            Column("start_station_id", "INTEGER", "link", "start station", refers="station.station_id"),
            Column("end_station_id", "INTEGER", "link", "end station", refers="station.station_id", required=False),
            Column("started_on", "DATE", "date", "trip date", most="latest", least="earliest"),
            Column("minutes", "INTEGER", "number", "duration", most="longest", least="shortest"),
            Column("cost", "REAL", "number", "cost", most="most expensive", least="cheapest", required=False),
        )),
        Table("repair", "repair", "repairs", (
            Column("repair_id", "INTEGER", "key", "repair number"),
            Column("bike_id", "INTEGER", "link", "bike", refers="bike.bike_id"),
            Column("part", "TEXT", "category", "part", says="to the {value}"),
            Column("mechanic", "TEXT", "text", "mechanic", required=False),
            Column("repaired_on", "DATE", "date", "repair date", most="latest", least="earliest"),
            Column("cost", "INTEGER", "number", "cost", most="most expensive", least="cheapest", required=False),
        )),
        Table("favorite", "favorite", "favorites", (
            Column("rider_id", "INTEGER", "link", "rider", refers="rider.rider_id"),
            Column("station_id", "INTEGER", "link", "station", refers="station.station_id"),
            Column("added_on", "DATE", "date", "date added", most="latest", least="earliest"),
        )),
    ),
    relations=(
        Relation("bike", "station_id", "kept at", "have"),
        Relation("trip", "rider_id", "taken by", "have taken"),
        Relation("trip", "bike_id", "made on", "have made"),
        Relation("trip", "start_station_id", "started at", "have seen the start of"),
        Relation("trip", "end_station_id", "ended at", "have seen the end of"),
        Relation("repair", "bike_id", "made to", "have needed"),
        Relation("favorite", "rider_id", "saved by", "have saved"),
        Relation("favorite", "station_id", "given to", "have received"),
    ),
    bridges=(Bridge("favorite", "rider_id", "station_id", "prefer", "are preferred by"),),
    primary_keys=(("favorite", ("rider_id", "station_id")),),
)

# Rows wanted of station, bike, rider, trip, repair, favorite in each variant.
SIZES = ((200, 330, 340, 1100, 360, 520), (60, 80, 80, 200, 80, 120), (40, 60, 60, 150, 0, 80),
         (30, 36, 36, 130, 70, 60))
MISSING = (0.12, 0.3, 0.06, 0.2)
SKEW = (0.7, 0.5, 0.8, 1.6)

DISTRICTS = ("Old Town", "Riverside", "Harbor", "University", "North Hill", "Market", "Parkside")
MODELS = ("City", "Cargo", "Tandem", "Sport", "Folding")
PLANS = ("monthly", "yearly", "day pass", "student", "corporate")
PARTS = ("tire", "brake", "chain", "light", "saddle", "battery", "lock")
STREETS = """Maple Oak Mill Church Station Bridge Castle Garden King Queen Harbor River Lime Cedar Market Abbey Union
Victory Rose Canal""".split()
SPOTS = "Street Square Park Corner Avenue Gate Lane Terminal Library Hospital School".split()
MOODS = """Swift Lazy Happy Brave Silent Clever Lucky Mighty Sunny Gentle Rusty Bold Merry Nimble Quiet Royal Shiny
Sleepy Wild Zippy""".split()
BEASTS = """Otter Fox Heron Badger Hare Falcon Panda Gecko Lynx Beaver Robin Moose Puffin Ferret Magpie Tiger Camel
Dolphin Walrus Finch""".split()


def _pool(count: int, make) -> list[str]:
    """Names that all variants share, so that a name in a question is often found in each."""
    return distinct(random.Random("bikeshare names"), make, count)


def _stations(rng: random.Random, count: int, missing: float, skew: float) -> list[tuple]:
    names = _pool(200, lambda r: f"{r.choice(STREETS)} {r.choice(SPOTS)}")
    return [(number, name, skewed(rng, DISTRICTS, skew), rng.choice((8, 10, 12, 15, 16, 20, 24, 30, 40)),
             maybe(rng, day(rng, "2012-03-01", "2023-10-31"), missing), int(rng.random() < 0.3))
            for number, name in enumerate(rng.sample(names[: count * 3 // 2], count), 1)]


def _bikes(rng: random.Random, count: int, stations: int, missing: float, skew: float) -> list[tuple]:
    names = _pool(330, lambda r: f"{r.choice(MOODS)} {r.choice(BEASTS)}")
    return [(number, name, maybe(rng, skewed(rng, range(1, stations - 4), skew), missing), skewed(rng, MODELS, skew),
             day(rng, "2015-01-01", "2024-06-30"), maybe(rng, rng.randint(8, 60) * 50, missing),
             int(rng.random() < 0.35))
            for number, name in enumerate(rng.sample(names[: count * 3 // 2], count), 1)]


def _riders(rng: random.Random, count: int, missing: float, skew: float) -> list[tuple]:
    return [(number, name, maybe(rng, recase(rng, skewed(rng, CITIES[:20], skew), 0.08), missing / 2),
             skewed(rng, PLANS, skew), maybe(rng, rng.randint(1945, 2007), missing),
             day(rng, "2016-01-01", "2023-12-31"))
            for number, name in enumerate(rng.sample(_pool(340, person)[: count * 3 // 2], count), 1)]


def _trips(rng: random.Random, sizes: tuple, missing: float, skew: float) -> list[tuple]:
    """A trip without an end station was never docked again; a trip without a cost is not billed yet."""
    stations, bikes, riders, count, *_ = sizes
    trips = []
    for number in range(1, count + 1):
        start = skewed(rng, range(1, stations - 6), skew)
        end = start if rng.random() < 0.08 else skewed(rng, range(4, stations + 1), skew)
        minutes = rng.choice((5, 10, 12, 15, 20, 30, 45, rng.randint(3, 180)))
        cost = maybe(rng, 0.0 if minutes <= 10 else minutes * 0.25, missing)
        trips.append((number, skewed(rng, range(1, riders - 3), skew), skewed(rng, range(1, bikes - 3), skew), start,
                      maybe(rng, end, missing / 2), day(rng, "2024-01-01", "2025-06-30"), minutes, cost))
    return trips


def _repairs(rng: random.Random, count: int, bikes: int, missing: float, skew: float) -> list[tuple]:
    mechanics = distinct(random.Random("bikeshare mechanics"), person, 12)
    return [(number, skewed(rng, range(1, bikes + 1), skew), skewed(rng, PARTS, skew),
             maybe(rng, recase(rng, skewed(rng, mechanics, skew), 0.08), missing / 2),
             day(rng, "2021-01-01", "2025-06-30"), maybe(rng, rng.randint(2, 40) * 5, missing))
            for number in range(1, count + 1)]


def _favorites(rng: random.Random, count: int, riders: int, stations: int, skew: float) -> list[tuple]:
    def pair(r: random.Random) -> tuple[int, int]:
        return skewed(r, range(3, riders + 1), skew / 2), skewed(r, range(1, stations - 5), skew / 2)

    return [(*ids, day(rng, "2022-01-01", "2025-06-30")) for ids in distinct(rng, pair, count)]


def rows(rng: random.Random, variant: int) -> dict[str, list[tuple]]:
    """The rows of every table in one variant (0 is the main instance)."""
    sizes, missing, skew = SIZES[variant], MISSING[variant], SKEW[variant]
    return {
        "station": _stations(rng, sizes[0], missing, skew),
        "bike": _bikes(rng, sizes[1], sizes[0], missing, skew),
        "rider": _riders(rng, sizes[2], missing, skew),
        "trip": _trips(rng, sizes, missing, skew),
        "repair": _repairs(rng, sizes[4], sizes[1], missing, skew),
        "favorite": _favorites(rng, sizes[5], sizes[2], sizes[0], skew),
    }
