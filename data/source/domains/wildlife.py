"""Wildlife: parks, the species that live in them, rangers, single animals with their mothers, and sightings."""

from __future__ import annotations

import random

from domain import Bridge, Column, Domain, Relation, Table
from words import day, distinct, maybe, person, recase, skewed

DOMAIN = Domain(
    db_id="wildlife",
    title="wildlife parks, species, animals, rangers and sightings",
    tables=(
        Table("park", "park", "parks", (
            Column("park_id", "INTEGER", "key", "park number"),
            Column("name", "TEXT", "label", "name"),
            Column("country", "TEXT", "category", "country", says="in {value}"),
            Column("habitat", "TEXT", "category", "habitat", says="with a {value} habitat"),
            Column("area", "INTEGER", "number", "area", most="largest", least="smallest"),
            Column("opened_year", "INTEGER", "number", "opening year", most="newest", least="oldest",
                   required=False, additive=False),
        )),
        Table("species", "species", "species", (
            Column("species_id", "INTEGER", "key", "species number"),
            Column("name", "TEXT", "label", "name"),
            Column("family", "TEXT", "category", "family", says="in the {value} family"),
            Column("status", "TEXT", "category", "status", says="with the status {value}", required=False),
            Column("lifespan", "INTEGER", "number", "lifespan", most="longest-lived", least="shortest-lived",
                   additive=False),
            Column("nocturnal", "INTEGER", "flag", "night activity", says="that are nocturnal"),
        )),
        Table("ranger", "ranger", "rangers", (
            Column("ranger_id", "INTEGER", "key", "ranger number"),
            Column("name", "TEXT", "label", "name"),
            Column("park_id", "INTEGER", "link", "park", refers="park.park_id", required=False),
            Column("rank", "TEXT", "category", "rank", says="with the rank {value}"),
            Column("hired_on", "DATE", "date", "hiring date", most="newest", least="longest-serving"),
            Column("salary", "INTEGER", "number", "salary", most="best paid", least="worst paid", required=False),
        )),
        Table("animal", "animal", "animals", (
            Column("animal_id", "INTEGER", "key", "animal number"),
            Column("name", "TEXT", "label", "name"),
            Column("species_id", "INTEGER", "link", "species", refers="species.species_id"),
            Column("park_id", "INTEGER", "link", "park", refers="park.park_id"),
            Column("mother_id", "INTEGER", "link", "mother", refers="animal.animal_id", required=False),
            Column("origin", "TEXT", "category", "origin", says="of {value} origin"),
            Column("birth_year", "INTEGER", "number", "birth year", most="youngest", least="oldest", additive=False),
            Column("weight", "REAL", "number", "weight", most="heaviest", least="lightest", required=False),
        )),
        Table("sighting", "sighting", "sightings", (
            Column("sighting_id", "INTEGER", "key", "sighting number"),
            Column("animal_id", "INTEGER", "link", "animal", refers="animal.animal_id"),
            Column("ranger_id", "INTEGER", "link", "ranger", refers="ranger.ranger_id", required=False),
            Column("seen_on", "DATE", "date", "sighting date", most="latest", least="earliest"),
            Column("weather", "TEXT", "category", "weather", says="made in {value} weather"),
            Column("distance", "INTEGER", "number", "distance", most="farthest", least="closest", required=False),
            Column("note", "TEXT", "text", "note", required=False),
        )),
        Table("park_species", "population", "populations", (
            Column("park_id", "INTEGER", "link", "park", refers="park.park_id"),
            Column("species_id", "INTEGER", "link", "species", refers="species.species_id"),
            Column("head_count", "INTEGER", "number", "head count", most="largest", least="smallest", required=False),
        )),
    ),
    relations=(
        Relation("ranger", "park_id", "employed by", "have employed"),
        Relation("animal", "species_id", "belonging to", "have"),
        Relation("animal", "park_id", "living in", "have"),
        Relation("animal", "mother_id", "born to", "have given birth to"),
        Relation("sighting", "animal_id", "of", "have had"),
        Relation("sighting", "ranger_id", "reported by", "have reported"),
        Relation("park_species", "park_id", "counted in", "have counted"),
        Relation("park_species", "species_id", "of", "have"),
    ),
    bridges=(Bridge("park_species", "park_id", "species_id", "protect", "live in"),),
    primary_keys=(("park_species", ("park_id", "species_id")),),
)

# Rows wanted of park, species, ranger, animal, sighting, park_species in each variant.
SIZES = ((200, 200, 230, 480, 900, 620), (60, 60, 60, 130, 180, 150), (40, 40, 40, 90, 0, 100),
         (30, 30, 32, 70, 110, 80))
MISSING = (0.12, 0.3, 0.06, 0.2)
SKEW = (0.7, 0.5, 0.8, 1.6)

HOMES = ("Kenya", "India", "Brazil", "Canada", "Australia", "Norway", "Peru", "Indonesia")
HABITATS = ("savanna", "forest", "wetland", "mountain", "desert", "coast")
STATUSES = ("stable", "vulnerable", "endangered", "critical", "recovering")
RANKS = ("junior", "senior", "scout", "chief", "trainee")
ORIGINS = ("wild", "rescue", "captive", "transfer")
WEATHER = ("sunny", "cloudy", "rainy", "foggy", "windy")
FAMILIES = {"cat": "Leopard Lynx Tiger Cheetah Wildcat", "deer": "Elk Muntjac Moose Roebuck Caribou",
            "bird": "Heron Eagle Stork Owl Crane", "bear": "Bear Panda", "dog": "Wolf Fox Jackal",
            "primate": "Lemur Macaque Gibbon Baboon", "reptile": "Tortoise Monitor Crocodile"}
KINDS = "Spotted Mountain River Golden Striped Northern Southern Black White Dwarf Giant Red Grey Marsh Snow".split()
LAND = "Silver Elephant Eagle Red Long Thunder Amber Lion Misty Hidden Crane Black Wild Copper Upper Stone".split()
FORMS = """River Valley Ridge Plains Bay Lake Canyon Hills Delta Springs Forest Falls Marsh Point""".split()
STARTS = "Ki Ta Mo Za Lu Na Sa Be Du Fa Ja Ro Wi Ne Ha Ba Si Pa Ya Go Ma Le To Ju Ka Mi Ru Ko".split()
ENDS = "bo ra li mba ni to sha ko la zi na ru di ma ku va mi lo ti wa so ya nda ri po".split()
NOTES = ("Drinking at the river", "Resting in shade", "With young", "Limping slightly", "Hunting at dusk",
         "Feeding with the herd", "Crossing the road", "Collar signal weak")


def _pool(count: int, make) -> list[str]:
    """Names that all variants share, so that a name in a question is often found in each."""
    return distinct(random.Random("wildlife names"), make, count)


def _species_name(rng: random.Random) -> tuple[str, str]:
    family = skewed(rng, list(FAMILIES), 0.3)
    return f"{rng.choice(KINDS)} {rng.choice(FAMILIES[family].split())}", family


def _parks(rng: random.Random, count: int, missing: float, skew: float) -> list[tuple]:
    names = _pool(200, lambda r: f"{r.choice(LAND)} {r.choice(FORMS)}")
    return [(number, name, skewed(rng, HOMES, skew), skewed(rng, HABITATS, skew), rng.randint(2, 90) * 25,
             maybe(rng, rng.randint(1905, 2015), missing))
            for number, name in enumerate(rng.sample(names[: count * 3 // 2], count), 1)]


def _species(rng: random.Random, count: int, missing: float, skew: float) -> list[tuple]:
    names = _pool(200, _species_name)
    return [(number, name, family, maybe(rng, skewed(rng, STATUSES, skew), missing), rng.randint(6, 70),
             int(rng.random() < 0.3))
            for number, (name, family) in enumerate(rng.sample(names[: count * 3 // 2], count), 1)]


def _rangers(rng: random.Random, count: int, parks: int, missing: float, skew: float) -> list[tuple]:
    names = _pool(230, person)
    return [(number, name, maybe(rng, skewed(rng, range(1, parks - 4), skew / 2), missing / 2),
             skewed(rng, RANKS, skew), day(rng, "2001-01-01", "2024-11-30"),
             maybe(rng, rng.randint(44, 130) * 500, missing))
            for number, name in enumerate(rng.sample(names[: count * 3 // 2], count), 1)]


def _animals(rng: random.Random, sizes: tuple, missing: float, skew: float) -> list[tuple]:
    """In order of birth, so that a mother of the same species is always at least three years older."""
    parks, species, _, count, *_ = sizes
    names = rng.sample(_pool(480, lambda r: r.choice(STARTS) + r.choice(ENDS))[: count * 3 // 2], count)
    births = sorted(rng.randint(1996, 2024) for _ in range(count))
    animals: list[tuple] = []
    for number, (name, born) in enumerate(zip(names, births), 1):
        kind, park = skewed(rng, range(1, species - 3), skew), skewed(rng, range(1, parks - 3), skew)
        mothers = [row for row in animals if row[2] == kind and row[6] <= born - 3]
        mother = rng.choice(mothers) if mothers and rng.random() < 0.75 else None
        if mother and rng.random() < 0.7:
            park = mother[3]
        weight = maybe(rng, rng.randint(4, 500) * 0.5, missing)
        animals.append((number, name, kind, park, mother and mother[0], skewed(rng, ORIGINS, skew), born, weight))
    return animals


def _sightings(rng: random.Random, count: int, animals: int, rangers: int, missing: float, skew: float) -> list[tuple]:
    return [(number, skewed(rng, range(1, animals + 1), skew), maybe(rng, skewed(rng, range(1, rangers + 1), skew),
                                                                     missing),
             day(rng, "2021-01-01", "2025-04-30"), skewed(rng, WEATHER, skew),
             maybe(rng, rng.randint(1, 80) * 10, missing), maybe(rng, recase(rng, skewed(rng, NOTES, skew), 0.1), 0.4))
            for number in range(1, count + 1)]


def _populations(rng: random.Random, count: int, parks: int, species: int, missing: float, skew: float) -> list[tuple]:
    def pair(r: random.Random) -> tuple[int, int]:
        return skewed(r, range(1, parks - 2), skew / 2), skewed(r, range(1, species - 2), skew / 2)

    return [(*ids, maybe(rng, skewed(rng, (5, 12, 20, 40, 75, 150, 300, 900), 0.5), missing))
            for ids in distinct(rng, pair, count)]


def rows(rng: random.Random, variant: int) -> dict[str, list[tuple]]:
    """The rows of every table in one variant (0 is the main instance)."""
    sizes, missing, skew = SIZES[variant], MISSING[variant], SKEW[variant]
    return {
        "park": _parks(rng, sizes[0], missing, skew),
        "species": _species(rng, sizes[1], missing, skew),
        "ranger": _rangers(rng, sizes[2], sizes[0], missing, skew),
        "animal": _animals(rng, sizes, missing, skew),
        "sighting": _sightings(rng, sizes[4], sizes[3], sizes[2], missing, skew),
        "park_species": _populations(rng, sizes[5], sizes[0], sizes[1], missing, skew),
    }
