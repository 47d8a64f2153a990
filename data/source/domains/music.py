"""Music streaming: artists, their albums and tracks, listeners and the playlists they keep.

Titles and names come from fixed pools, so that a value met in the main instance is often met in the others. One artist
per album; lengths are in seconds, plays are a total and no history.
"""

from __future__ import annotations

import random

from domain import Bridge, Column, Domain, Relation, Table
from words import day, distinct, maybe, person, recase, skewed

ARTIST = Table("artist", "artist", "artists", (
    Column("artist_id", "INTEGER", "key", "artist id"),
    Column("name", "TEXT", "label", "name"),
    Column("country", "TEXT", "category", "country", says="from {value}"),
    Column("genre", "TEXT", "category", "genre", says="in the {value} genre"),
    Column("debut_year", "INTEGER", "number", "debut year", most="newest", least="oldest", required=False,
           additive=False),
))

ALBUM = Table("album", "album", "albums", (
    Column("album_id", "INTEGER", "key", "album id"),
    Column("title", "TEXT", "label", "title"),
    Column("artist_id", "INTEGER", "link", "artist", refers="artist.artist_id"),
    Column("release_date", "DATE", "date", "release date", most="newest", least="oldest"),
    Column("format", "TEXT", "category", "format", says="in {value} format"),
    Column("publisher", "TEXT", "category", "publisher", says="published by {value}", required=False),
    Column("price", "REAL", "number", "price", most="most expensive", least="cheapest"),
))

TRACK = Table("track", "track", "tracks", (
    Column("track_id", "INTEGER", "key", "track id"),
    Column("title", "TEXT", "label", "title"),
    Column("album_id", "INTEGER", "link", "album", refers="album.album_id"),
    Column("length", "INTEGER", "number", "length", most="longest", least="shortest"),
    Column("plays", "INTEGER", "number", "number of plays", most="most played", least="least played", required=False),
    Column("explicit", "INTEGER", "flag", "explicit mark", says="that are explicit"),
))

LISTENER = Table("listener", "listener", "listeners", (
    Column("listener_id", "INTEGER", "key", "listener id"),
    Column("name", "TEXT", "label", "name"),
    Column("country", "TEXT", "category", "country", says="from {value}"),
    Column("plan", "TEXT", "category", "plan", says="on the {value} plan"),
    Column("joined_date", "DATE", "date", "joining date", most="newest", least="oldest"),
    Column("birth_year", "INTEGER", "number", "birth year", most="youngest", least="oldest", required=False,
           additive=False),
))

PLAYLIST = Table("playlist", "playlist", "playlists", (
    Column("playlist_id", "INTEGER", "key", "playlist id"),
    Column("title", "TEXT", "label", "title"),
    Column("listener_id", "INTEGER", "link", "listener", refers="listener.listener_id"),
    Column("created_date", "DATE", "date", "creation date", most="newest", least="oldest"),
    Column("mood", "TEXT", "category", "mood", says="with a {value} mood", required=False),
    Column("followers", "INTEGER", "number", "number of followers", most="most followed", least="least followed"),
    Column("shared", "INTEGER", "flag", "shared mark", says="that are shared"),
))

PLAYLIST_TRACK = Table("playlist_track", "playlist entry", "playlist entries", (
    Column("playlist_id", "INTEGER", "link", "playlist", refers="playlist.playlist_id"),
    Column("track_id", "INTEGER", "link", "track", refers="track.track_id"),
    Column("added_date", "DATE", "date", "date of adding", most="latest", least="earliest"),
))

DOMAIN = Domain(
    "music",
    "a music streaming service with artists, albums, tracks, listeners and playlists",
    (ARTIST, ALBUM, TRACK, LISTENER, PLAYLIST, PLAYLIST_TRACK),
    (
        Relation("album", "artist_id", "recorded by", "have recorded"),
        Relation("track", "album_id", "on", "contain"),
        Relation("playlist", "listener_id", "made by", "have made"),
        Relation("playlist_track", "playlist_id", "in", "have"),
        Relation("playlist_track", "track_id", "for", "have"),
    ),
    (Bridge("playlist_track", "playlist_id", "track_id", "contain", "appear in"),),
    (("playlist_track", ("playlist_id", "track_id")),),
)

COUNTRIES = ("Brazil", "Sweden", "Japan", "France", "Nigeria", "Germany", "Canada", "Ireland", "Portugal", "India")
GENRES = ("pop", "rock", "jazz", "folk", "electronic", "classical", "soul", "metal", "reggae")
FORMATS = ("studio", "live", "single", "compilation", "soundtrack")
PUBLISHERS = ("Northlight", "Blue Door", "Parrot", "Seventh Street", "Tin Roof", "Harbour House", "Quiet Moon")
PLANS = ("free", "student", "premium", "family")
MOODS = ("happy", "calm", "sad", "energetic", "romantic", "dark")
ADJECTIVES = """Silver Broken Quiet Electric Golden Hidden Burning Distant Velvet Paper Hollow Crimson Endless Restless
Frozen Midnight Wild Sleeping Bitter Gentle Northern Scarlet Lonely Shining Faded Borrowed""".split()
NOUNS = """Rivers Mirrors Sparrows Lanterns Gardens Engines Harbours Shadows Satellites Wolves Letters Oceans Bridges
Windows Horses Stations Mountains Feathers Candles Streets Islands Thunder Orchards Machines Daylight Stories""".split()
PLACES = """the Sea, the City, Winter, the Moon, Lisbon, Tomorrow, the Rain, Home, the River, Nowhere, Summer, the Dark,
the Valley, My Father, Strangers, the Garden, the North, an Old Friend""".replace("\n", " ").split(", ")
OPENINGS = """Songs for, Letters to, Walking to, Back to, Waiting for, Dancing with, Dreaming of, A Night with, Leaving,
Under, Beyond, Postcards from, Blues for, Talking to, The Road to""".replace("\n", " ").split(", ")
PLAYLIST_USES = """Run, Morning Coffee, Deep Focus, Road Trip, Dinner, Party, Rainy Day, Gym, Study, Sunday, Commute,
Sleep, Throwback, Garden Work, First Date, Long Flight""".replace("\n", " ").split(", ")
PLAYLIST_KINDS = ("Mix", "Favourites", "Hits", "Gems", "Classics", "Songs", "Companion", "Essentials", "Marathon",
                  "Sounds")

SIZES = {
    0: {"artist": 200, "album": 360, "track": 1000, "listener": 240, "playlist": 280, "playlist_track": 1200},
    1: {"artist": 60, "album": 100, "track": 180, "listener": 60, "playlist": 70, "playlist_track": 200},
    2: {"artist": 50, "album": 80, "track": 140, "listener": 50, "playlist": 60, "playlist_track": 0},
    3: {"artist": 30, "album": 50, "track": 90, "listener": 30, "playlist": 40, "playlist_track": 140},
}


def rows(rng: random.Random, variant: int) -> dict[str, list[tuple]]:
    """Rows of every table, in column order; ``variant`` 0 is the main instance."""
    sizes = SIZES[variant]
    power = 1.4 if variant == 3 else 0.7
    artists = _artists(rng, sizes["artist"])
    albums = _albums(rng, sizes["album"], artists, power)
    tracks = _tracks(rng, sizes["track"], len(albums), power)
    listeners = _listeners(rng, sizes["listener"])
    playlists = _playlists(rng, sizes["playlist"], listeners, power)
    entries = _entries(rng, sizes["playlist_track"], playlists, len(tracks), power)
    return {"artist": artists, "album": albums, "track": tracks, "listener": listeners, "playlist": playlists,
            "playlist_track": entries}


def _popular(rng: random.Random, size: int, count: int, power: float) -> list[int]:
    """``count`` keys from 1..size: some never, a few very often."""
    keys = rng.sample(range(1, size + 1), max(1, int(size * 0.85)))
    return rng.choices(keys, [1 / (rank + 1) ** power for rank in range(len(keys))], k=count)


def _name(rng: random.Random) -> str:
    """A person, or a band."""
    if rng.random() < 0.55:
        return person(rng)
    return rng.choice(("The {} {}", "{} {}")).format(rng.choice(ADJECTIVES), rng.choice(NOUNS))


def _title(rng: random.Random) -> str:
    if rng.random() < 0.5:
        return f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    return f"{rng.choice(OPENINGS)} {rng.choice(PLACES)}"


def _artists(rng: random.Random, count: int) -> list[tuple]:
    pool = distinct(random.Random("artists"), _name, 200)
    return [
        (key, name, skewed(rng, COUNTRIES, 0.8), skewed(rng, GENRES, 0.9), maybe(rng, rng.randint(1968, 2019), 0.1))
        for key, name in enumerate(rng.sample(pool, count), 1)
    ]


def _albums(rng: random.Random, count: int, artists: list, power: float) -> list[tuple]:
    pool = distinct(random.Random("albums"), _title, 360)
    makers = _popular(rng, len(artists), count, power)
    found = []
    for key, (title, maker) in enumerate(zip(rng.sample(pool, count), makers), 1):
        debut = artists[maker - 1][4] or 1995
        found.append((key, title, maker, day(rng, f"{debut}-01-05", "2024-11-29"),
                      recase(rng, skewed(rng, FORMATS, 1.2)), maybe(rng, skewed(rng, PUBLISHERS, 0.8), 0.12),
                      rng.choice((4.99, 6.5, 7.99, 9.99, 9.99, 11.5, 12.99, 14.99, 19.99))))
    return found


def _tracks(rng: random.Random, count: int, albums: int, power: float) -> list[tuple]:
    """Titles may repeat: two artists can record songs of one name."""
    pool = distinct(random.Random("tracks"), _title, 600)
    owners = sorted(_popular(rng, albums, count, power * 0.7))
    return [
        (key, rng.choice(pool), owner, rng.randrange(95, 480, 3), maybe(rng, _plays(rng), 0.07),
         int(rng.random() < 0.15))
        for key, owner in enumerate(owners, 1)
    ]


def _plays(rng: random.Random) -> int:
    return int(rng.paretovariate(0.9) * 40) // 20 * 20 % 900_000


def _listeners(rng: random.Random, count: int) -> list[tuple]:
    pool = distinct(random.Random("listeners"), person, 240)
    return [
        (key, name, skewed(rng, COUNTRIES[::-1], 0.7), skewed(rng, PLANS, 0.8), day(rng, "2015-03-01", "2023-12-31"),
         maybe(rng, rng.randint(1950, 2008), 0.12))
        for key, name in enumerate(rng.sample(pool, count), 1)
    ]


def _playlists(rng: random.Random, count: int, listeners: list, power: float) -> list[tuple]:
    def title(source: random.Random) -> str:
        use = source.choice(PLAYLIST_USES + [f"{place} {use}" for place in ADJECTIVES[:8] for use in PLAYLIST_USES])
        return f"{use} {source.choice(PLAYLIST_KINDS)}"

    pool = distinct(random.Random("playlists"), title, 280)
    owners = _popular(rng, len(listeners), count, power)
    return [
        (key, name, owner, day(rng, listeners[owner - 1][4], "2024-10-31"), maybe(rng, skewed(rng, MOODS, 0.7), 0.15),
         rng.choice((0, 0, 1, 2, 3, 5, 8, 12, 40, 150, 900)), int(rng.random() < 0.45))
        for key, (name, owner) in enumerate(zip(rng.sample(pool, count), owners), 1)
    ]


def _entries(rng: random.Random, count: int, playlists: list, tracks: int, power: float) -> list[tuple]:
    pairs: dict = {}
    while len(pairs) < count:
        drawn = zip(_popular(rng, len(playlists), count, power), _popular(rng, tracks, count, power))
        pairs.update(dict.fromkeys(drawn))
    return [(playlist, track, day(rng, playlists[playlist - 1][3], "2024-12-20"))
            for playlist, track in list(pairs)[:count]]
