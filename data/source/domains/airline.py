"""An airline: airports, aircraft, flights between airports, passengers and their bookings.

Names of airports, registrations, flight numbers and passengers come from one fixed pool, so that a value met in the
main instance is often met in the others. Durations and delays are in minutes, elevations in
metres. No connections: every booking is for one flight.
"""

from __future__ import annotations

import datetime
import random

from domain import Bridge, Column, Domain, Relation, Table
from words import day, distinct, maybe, person, recase, skewed

AIRPORT = Table("airport", "airport", "airports", (
    Column("airport_id", "INTEGER", "key", "airport id"),
    Column("name", "TEXT", "label", "name"),
    Column("city", "TEXT", "text", "city"),
    Column("country", "TEXT", "category", "country", says="in {value}"),
    Column("elevation", "INTEGER", "number", "elevation", most="highest", least="lowest", required=False,
           additive=False),
    Column("opened_year", "INTEGER", "number", "opening year", most="newest", least="oldest", additive=False),
))

AIRCRAFT = Table("aircraft", "aircraft", "aircraft", (
    Column("aircraft_id", "INTEGER", "key", "aircraft id"),
    Column("registration", "TEXT", "label", "registration"),
    Column("model", "TEXT", "category", "model", says="of the model {value}"),
    Column("seats", "INTEGER", "number", "number of seats", most="largest", least="smallest"),
    Column("delivery_date", "DATE", "date", "delivery date", most="newest", least="oldest", required=False),
    Column("retired", "INTEGER", "flag", "retired mark", says="that are retired"),
))

FLIGHT = Table("flight", "flight", "flights", (
    Column("flight_id", "INTEGER", "key", "flight id"),
    Column("flight_number", "TEXT", "label", "flight number"),
    Column("origin_id", "INTEGER", "link", "origin airport", refers="airport.airport_id"),
    Column("destination_id", "INTEGER", "link", "destination airport", refers="airport.airport_id"),
    Column("aircraft_id", "INTEGER", "link", "aircraft", refers="aircraft.aircraft_id", required=False),
    Column("departure_date", "DATE", "date", "departure date", most="latest", least="earliest"),
    Column("duration", "INTEGER", "number", "duration", most="longest", least="shortest"),
    Column("delay", "INTEGER", "number", "delay", most="most delayed", least="least delayed",
           required=False),
    Column("status", "TEXT", "category", "status", says="with the status {value}"),
))

PASSENGER = Table("passenger", "passenger", "passengers", (
    Column("passenger_id", "INTEGER", "key", "passenger id"),
    Column("name", "TEXT", "label", "name"),
    Column("country", "TEXT", "category", "home country", says="from {value}"),
    Column("tier", "TEXT", "category", "loyalty tier", says="in the {value} tier", required=False),
    Column("meal", "TEXT", "category", "meal preference", says="that prefer a {value} meal"),
    Column("birth_date", "DATE", "date", "birth date", most="youngest", least="oldest"),
    Column("email", "TEXT", "text", "email address", required=False),
))

BOOKING = Table("booking", "booking", "bookings", (
    Column("booking_id", "INTEGER", "key", "booking id"),
    Column("passenger_id", "INTEGER", "link", "passenger", refers="passenger.passenger_id"),
    Column("flight_id", "INTEGER", "link", "flight", refers="flight.flight_id"),
    Column("cabin", "TEXT", "category", "cabin", says="in the {value} cabin"),
    Column("price", "REAL", "number", "price", most="most expensive", least="cheapest"),
    Column("booked_date", "DATE", "date", "booking date", most="latest", least="earliest"),
    Column("bags", "INTEGER", "number", "number of bags", required=False),
    Column("checked_in", "INTEGER", "flag", "check-in mark", says="that are checked in"),
))

DOMAIN = Domain(
    "airline",
    "an airline with its airports, aircraft, flights and bookings",
    (AIRPORT, AIRCRAFT, FLIGHT, PASSENGER, BOOKING),
    (
        # An airport's flights are those that leave it and those that land there: "Which airports have no flights?"
        # would not say which. So the two links have no words here; the hand-written questions ask about them.
        Relation("flight", "aircraft_id", "flown with", "have flown"),
        Relation("booking", "passenger_id", "made by", "have made"),
        Relation("booking", "flight_id", "for", "have"),
    ),
    (Bridge("booking", "passenger_id", "flight_id", "are booked on", "carry"),),
)

CITIES = {
    "Germany": "Berlin Hamburg Munich Cologne Dresden Leipzig Stuttgart",
    "France": "Paris Lyon Nice Bordeaux Toulouse Nantes",
    "Spain": "Madrid Barcelona Seville Valencia Malaga Bilbao",
    "Italy": "Rome Milan Turin Naples Florence Palermo",
    "Norway": "Oslo Bergen Trondheim Stavanger Bodo Alta",
    "Japan": "Tokyo Osaka Kyoto Sapporo Fukuoka Nagoya",
    "Canada": "Toronto Montreal Vancouver Calgary Halifax Ottawa",
    "India": "Delhi Mumbai Chennai Kolkata Pune Jaipur",
    "Brazil": "Recife Salvador Brasilia Manaus Curitiba",
    "Kenya": "Nairobi Mombasa Kisumu Eldoret",
}
PLACES = ("International", "North", "South", "City", "Lakeside", "Harbour", "Regional", "Airfield", "Saint Martin",
          "Old Mill", "Riverside", "Heights")
MODELS = {"A320": 180, "B737": 174, "A321": 220, "E190": 100, "ATR 72": 70, "A330": 290, "B787": 270, "Q400": 78}
STATUSES = ("landed", "scheduled", "delayed", "cancelled", "boarding", "diverted")
TIERS = ("basic", "silver", "gold", "platinum")
MEALS = ("standard", "vegetarian", "vegan", "halal", "kosher", "gluten free")
CABINS = ("economy", "premium", "business", "first")
FARES = {"economy": 1.0, "premium": 1.6, "business": 3.0, "first": 5.0}

SIZES = {
    0: {"airport": 200, "aircraft": 200, "flight": 700, "passenger": 320, "booking": 1150},
    1: {"airport": 60, "aircraft": 50, "flight": 140, "passenger": 90, "booking": 190},
    2: {"airport": 50, "aircraft": 40, "flight": 110, "passenger": 70, "booking": 0},
    3: {"airport": 32, "aircraft": 30, "flight": 70, "passenger": 40, "booking": 120},
}


def rows(rng: random.Random, variant: int) -> dict[str, list[tuple]]:
    """Rows of every table, in column order; ``variant`` 0 is the main instance."""
    sizes = SIZES[variant]
    power = 1.4 if variant == 3 else 0.7
    airports = _airports(rng, sizes["airport"])
    aircraft = _aircraft(rng, sizes["aircraft"])
    flights = _flights(rng, sizes["flight"], len(airports), len(aircraft), power)
    passengers = _passengers(rng, sizes["passenger"])
    bookings = _bookings(rng, sizes["booking"], passengers, flights, power)
    return {"airport": airports, "aircraft": aircraft, "flight": flights, "passenger": passengers,
            "booking": bookings}


def _popular(rng: random.Random, size: int, count: int, power: float) -> list[int]:
    """``count`` keys from 1..size: some never, a few very often."""
    keys = rng.sample(range(1, size + 1), max(1, int(size * 0.85)))
    return rng.choices(keys, [1 / (rank + 1) ** power for rank in range(len(keys))], k=count)


def _airports(rng: random.Random, count: int) -> list[tuple]:
    fixed = random.Random("airports")

    def place(source: random.Random) -> tuple[str, str, str]:
        country = skewed(source, list(CITIES), 0.6)
        city = source.choice(CITIES[country].split())
        return f"{city} {source.choice(PLACES)}", city, country

    pool = distinct(fixed, place, 200)
    return [
        (key, *airport, maybe(rng, skewed(rng, range(0, 1900, 10), 0.8), 0.08), rng.randint(1928, 2018))
        for key, airport in enumerate(rng.sample(pool, count), 1)
    ]


def _aircraft(rng: random.Random, count: int) -> list[tuple]:
    letters = "ABCDEFGHJKLMNPRSTUVWXY"
    pool = distinct(random.Random("aircraft"), lambda source: "LN-" + "".join(source.choices(letters, k=3)), 200)
    found = []
    for key, registration in enumerate(rng.sample(pool, count), 1):
        model = skewed(rng, list(MODELS), 0.8)
        seats = MODELS[model] + rng.choice((-6, 0, 0, 0, 6, 12))
        delivered = day(rng, "1996-01-10", "2024-06-30")
        retired = int(delivered < "2006" and rng.random() < 0.7)
        found.append((key, registration, model, seats, maybe(rng, delivered, 0.07), retired))
    return found


def _flights(rng: random.Random, count: int, airports: int, aircraft: int, power: float) -> list[tuple]:
    pool = distinct(random.Random("flights"), lambda source: f"NX {source.randint(100, 2400)}", 700)
    origins, targets = _popular(rng, airports, count, power), _popular(rng, airports, count, power)
    planes = _popular(rng, aircraft, count, power)
    found = []
    for key, number in enumerate(rng.sample(pool, count), 1):
        origin, target = origins[key - 1], targets[key - 1]
        if origin == target:
            target = target % airports + 1
        status = skewed(rng, STATUSES, 1.1)
        late = _delay(rng, status)
        found.append((key, number, origin, target, maybe(rng, planes[key - 1], 0.05),
                      day(rng, "2023-01-01", "2024-12-31"), rng.randrange(45, 660, 5), late, status))
    return found


def _delay(rng: random.Random, status: str) -> int | None:
    """Minutes; a cancelled or not yet departed flight has none."""
    if status in ("cancelled", "scheduled", "boarding"):
        return maybe(rng, 0, 0.8)
    if status == "landed":
        return rng.choice((0, 0, 0, 5, 5, 10, 15, 20))
    return rng.randrange(20, 240, 5)


def _passengers(rng: random.Random, count: int) -> list[tuple]:
    pool = distinct(random.Random("passengers"), person, 320)
    found = []
    for key, name in enumerate(rng.sample(pool, count), 1):
        email = name.lower().replace(" ", ".") + rng.choice(("@mail.com", "@post.net", "@inbox.org"))
        found.append((key, name, skewed(rng, list(CITIES), 0.7), maybe(rng, skewed(rng, TIERS, 0.9), 0.3),
                      recase(rng, skewed(rng, MEALS)), day(rng, "1938-01-01", "2010-12-31"), maybe(rng, email, 0.2)))
    return found


def _bookings(rng: random.Random, count: int, passengers: list, flights: list, power: float) -> list[tuple]:
    pairs: dict = {}
    while len(pairs) < count:
        drawn = zip(_popular(rng, len(passengers), count, power), _popular(rng, len(flights), count, power * 0.7))
        pairs.update(dict.fromkeys(drawn))
    found = []
    for key, (passenger, flight) in enumerate(list(pairs)[:count], 1):
        departs, duration = flights[flight - 1][5], flights[flight - 1][6]
        booked = datetime.date.fromisoformat(departs) - datetime.timedelta(days=rng.randint(1, 150))
        cabin = skewed(rng, CABINS, 1.3)
        price = round((40 + duration * rng.choice((0.3, 0.4, 0.5))) * FARES[cabin] / 5) * 5 - 0.5
        found.append((key, passenger, flight, cabin, price, str(booked), maybe(rng, rng.choice((0, 1, 1, 2, 3)), 0.06),
                      int(rng.random() < 0.6)))
    return found
