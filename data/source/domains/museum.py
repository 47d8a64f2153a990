"""Museum: artists, their artworks, the exhibitions that show them, visitors and what they give."""

from __future__ import annotations

import random

from domain import Bridge, Column, Domain, Relation, Table
from words import CITIES, day, distinct, maybe, person, recase, skewed

DOMAIN = Domain(
    db_id="museum",
    title="a museum's artworks, exhibitions, visitors and donations",
    tables=(
        Table("artist", "artist", "artists", (
            Column("artist_id", "INTEGER", "key", "artist number"),
            Column("name", "TEXT", "label", "name"),
            Column("country", "TEXT", "category", "country", says="from {value}"),
            Column("movement", "TEXT", "category", "movement", says="of the {value} movement", required=False),
            Column("birth_year", "INTEGER", "number", "birth year", most="youngest", least="oldest", additive=False),
            Column("death_year", "INTEGER", "number", "year of death", required=False, additive=False),
        )),
        Table("artwork", "artwork", "artworks", (
            Column("artwork_id", "INTEGER", "key", "artwork number"),
            Column("title", "TEXT", "label", "title"),
            Column("artist_id", "INTEGER", "link", "artist", refers="artist.artist_id"),
            Column("medium", "TEXT", "category", "medium", says="in {value}"),
            Column("year", "INTEGER", "number", "year", most="newest", least="oldest", required=False,
                   additive=False),
            Column("height", "INTEGER", "number", "height", most="tallest", least="shortest", additive=False),
            Column("price", "INTEGER", "number", "price", most="most expensive", least="cheapest", required=False),
            Column("on_display", "INTEGER", "flag", "display state", says="that are on display"),
        )),
        Table("exhibition", "exhibition", "exhibitions", (
            Column("exhibition_id", "INTEGER", "key", "exhibition number"),
            Column("title", "TEXT", "label", "title"),
            Column("gallery", "TEXT", "category", "gallery", says="in the {value}"),
            Column("curator", "TEXT", "text", "curator", required=False),
            Column("opened_on", "DATE", "date", "opening date", most="newest", least="oldest"),
            Column("closed_on", "DATE", "date", "closing date", required=False),
            Column("ticket_price", "REAL", "number", "ticket price", most="most expensive", least="cheapest",
                   additive=False),
        )),
        Table("exhibition_artwork", "showing", "showings", (
            Column("exhibition_id", "INTEGER", "link", "exhibition", refers="exhibition.exhibition_id"),
            Column("artwork_id", "INTEGER", "link", "artwork", refers="artwork.artwork_id"),
            Column("room", "INTEGER", "number", "room number", additive=False),
        )),
        Table("visitor", "visitor", "visitors", (
            Column("visitor_id", "INTEGER", "key", "visitor number"),
            Column("name", "TEXT", "label", "name"),
            Column("city", "TEXT", "text", "city"),
            Column("ticket", "TEXT", "category", "ticket", says="with a {value} ticket"),
            Column("birth_year", "INTEGER", "number", "birth year", most="youngest", least="oldest", required=False,
                   additive=False),
            Column("joined_on", "DATE", "date", "joining date", most="newest", least="oldest", required=False),
        )),
        Table("donation", "donation", "donations", (
            Column("donation_id", "INTEGER", "key", "donation number"),
            Column("visitor_id", "INTEGER", "link", "visitor", refers="visitor.visitor_id"),
            Column("exhibition_id", "INTEGER", "link", "exhibition", refers="exhibition.exhibition_id",
                   required=False),
            Column("amount", "INTEGER", "number", "amount", most="largest", least="smallest"),
            Column("method", "TEXT", "category", "payment method", says="paid by {value}"),
            Column("given_on", "DATE", "date", "donation date", most="latest", least="earliest"),
        )),
    ),
    relations=(
        Relation("artwork", "artist_id", "made by", "have made"),
        Relation("exhibition_artwork", "exhibition_id", "held in", "have held"),
        Relation("exhibition_artwork", "artwork_id", "of", "have had"),
        Relation("donation", "visitor_id", "given by", "have given"),
        Relation("donation", "exhibition_id", "received by", "have received"),
    ),
    bridges=(Bridge("exhibition_artwork", "exhibition_id", "artwork_id", "show", "appear in"),),
    primary_keys=(("exhibition_artwork", ("exhibition_id", "artwork_id")),),
)

# Rows wanted of artist, artwork, exhibition, exhibition_artwork, visitor, donation in each variant.
SIZES = ((220, 560, 200, 850, 320, 480), (70, 150, 60, 190, 80, 120), (50, 100, 40, 120, 60, 0),
         (32, 60, 32, 100, 40, 80))
MISSING = (0.12, 0.3, 0.06, 0.2)
SKEW = (0.7, 0.5, 0.8, 1.6)

HOMES = ("Italy", "France", "Spain", "Netherlands", "Germany", "Japan", "Mexico", "India", "Norway", "Brazil")
MOVEMENTS = ("Impressionism", "Realism", "Cubism", "Romanticism", "Surrealism", "Baroque", "Minimalism")
MEDIA = ("oil", "watercolor", "bronze", "marble", "ink", "charcoal", "wood", "glass")
GALLERIES = ("East Wing", "West Wing", "Garden Hall", "Tower Gallery", "Old Library")
TICKETS = ("standard", "member", "student", "senior", "family")
METHODS = ("card", "cash", "transfer", "check")
MOODS = "Blue Quiet Broken Golden Winter Distant Red Sleeping Burning Silent Pale Hidden Wild Last Open Green".split()
SUBJECTS = """Harbor Garden Window River Dancer Orchard Horse Bridge Sea Market Mother Lantern Storm Field Mirror Child
Chair Mountain Bird Kitchen Road Letter Saint Fisherman""".split()
THEMES = ("Light", "Shadows", "Portraits", "Voices", "Masters", "Colors", "Forms", "Dreams", "Letters", "Journeys",
          "Faces", "Secrets", "Echoes", "Gardens", "Lines", "Legends")
PLACES = ("the North", "the Sea", "the City", "Venice", "the Desert", "the East", "Paris", "the Night", "Kyoto",
          "the Forest", "Home", "the Court", "the Alps", "Spring", "War and Peace", "the Village")


def _pool(count: int, make) -> list[str]:
    """Names that all variants share, so that a name in a question is often found in each."""
    return distinct(random.Random("museum names"), make, count)


def _work_title(rng: random.Random) -> str:
    mood, (subject, other) = rng.choice(MOODS), rng.sample(SUBJECTS, 2)
    return rng.choice((f"{mood} {subject}", f"The {mood} {subject}", f"{subject} with {mood} {other}",
                       f"{subject} in {rng.choice(CITIES)}"))


def _artists(rng: random.Random, count: int, missing: float, skew: float) -> list[tuple]:
    artists = []
    for number, name in enumerate(rng.sample(_pool(220, person)[: count * 3 // 2], count), 1):
        born = rng.randint(1780, 1985)
        died = min(born + rng.randint(30, 92), 2020) if born < 1925 or rng.random() < 0.15 else None
        artists.append((number, name, skewed(rng, HOMES, skew), maybe(rng, skewed(rng, MOVEMENTS, skew), missing),
                        born, died))
    return artists


def _artworks(rng: random.Random, count: int, artists: list[tuple], missing: float, skew: float) -> list[tuple]:
    titles = _pool(560, _work_title)
    active = [artist for artist in artists if artist[0] % 9]
    artworks = []
    for number, title in enumerate(rng.sample(titles[: count * 3 // 2], count), 1):
        artist = skewed(rng, active, skew)
        year = maybe(rng, min(artist[4] + rng.randint(19, 60), artist[5] or 2020), missing)
        price = maybe(rng, rng.choice((100, 500, 1000, 2500)) * rng.randint(3, 90), missing)
        artworks.append((number, title, artist[0], skewed(rng, MEDIA, skew), year, rng.randint(4, 60) * 5, price,
                         int(rng.random() < 0.4)))
    return artworks


def _exhibitions(rng: random.Random, count: int, missing: float, skew: float) -> list[tuple]:
    titles = _pool(200, lambda r: f"{r.choice(THEMES)} of {r.choice(PLACES)}")
    curators = distinct(random.Random("museum curators"), person, 14)
    exhibitions = []
    for number, title in enumerate(rng.sample(titles[: count * 3 // 2], count), 1):
        year = rng.randint(2015, 2024)
        opened = day(rng, f"{year}-01-05", f"{year}-12-20")
        closed = maybe(rng, day(rng, f"{year + 1}-01-02", f"{year + 1}-10-30"), missing)
        curator = maybe(rng, recase(rng, skewed(rng, curators, skew), 0.07), missing / 2)
        exhibitions.append((number, title, skewed(rng, GALLERIES, skew), curator, opened, closed,
                            rng.choice((0.0, 8.0, 10.0, 12.5, 15.0, 18.0, 22.5))))
    return exhibitions


def _showings(rng: random.Random, count: int, exhibitions: int, artworks: int, skew: float) -> list[tuple]:
    def pair(r: random.Random) -> tuple[int, int]:
        return skewed(r, range(1, exhibitions - 3), skew / 2), skewed(r, range(1, artworks - 8), skew / 2)

    return [(*ids, rng.randint(1, 12)) for ids in distinct(rng, pair, count)]


def _visitors(rng: random.Random, count: int, missing: float, skew: float) -> list[tuple]:
    names = _pool(540, person)[220:]
    visitors = []
    for number, name in enumerate(rng.sample(names[: count * 3 // 2], count), 1):
        joined = maybe(rng, day(rng, "2014-01-01", "2024-12-31"), missing)
        visitors.append((number, name, recase(rng, skewed(rng, CITIES[:24], skew), 0.08), skewed(rng, TICKETS, skew),
                         maybe(rng, rng.randint(1940, 2008), missing), joined))
    return visitors


def _donations(rng: random.Random, count: int, visitors: int, exhibitions: int, missing: float,
               skew: float) -> list[tuple]:
    donations = []
    for number in range(1, count + 1):
        amount = rng.choice((5, 10, 20, 20, 50, 50, 100, 250, 1000))
        donations.append((number, skewed(rng, range(1, visitors + 1), skew), maybe(
            rng, skewed(rng, range(1, exhibitions + 1), skew), missing), amount, skewed(rng, METHODS, skew),
            day(rng, "2016-01-01", "2025-03-31")))
    return donations


def rows(rng: random.Random, variant: int) -> dict[str, list[tuple]]:
    """The rows of every table in one variant (0 is the main instance)."""
    sizes, missing, skew = SIZES[variant], MISSING[variant], SKEW[variant]
    artists = _artists(rng, sizes[0], missing, skew)
    return {
        "artist": artists,
        "artwork": _artworks(rng, sizes[1], artists, missing, skew),
        "exhibition": _exhibitions(rng, sizes[2], missing, skew),
        "exhibition_artwork": _showings(rng, sizes[3], sizes[2], sizes[1], skew),
        "visitor": _visitors(rng, sizes[4], missing, skew),
        "donation": _donations(rng, sizes[5], sizes[4], sizes[2], missing, skew),
    }
