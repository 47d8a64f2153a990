"""Football: clubs, their players, games with appearances, and transfers."""

from __future__ import annotations

import random

from domain import Bridge, Column, Domain, Relation, Table
from words import CITIES, day, distinct, maybe, person, recase, skewed

DOMAIN = Domain(
    db_id="football",
    title="football clubs, players, games and transfers",
    tables=(
        Table("club", "club", "clubs", (
            Column("club_id", "INTEGER", "key", "club number"),
            Column("name", "TEXT", "label", "name"),
            Column("city", "TEXT", "text", "city"),
            Column("league", "TEXT", "category", "league", says="in the {value}"),
            Column("founded_year", "INTEGER", "number", "founding year", most="newest", least="oldest", additive=False),
            Column("capacity", "INTEGER", "number", "stadium capacity", most="biggest", least="smallest",
                   required=False),
        )),
        Table("player", "player", "players", (
            Column("player_id", "INTEGER", "key", "player number"),
            Column("name", "TEXT", "label", "name"),
            Column("club_id", "INTEGER", "link", "club", refers="club.club_id", required=False),
            Column("country", "TEXT", "category", "country", says="from {value}"),
            Column("position", "TEXT", "category", "position", says="playing as {value}"),
            Column("birth_date", "DATE", "date", "date of birth", most="youngest", least="oldest"),
            Column("height", "INTEGER", "number", "height", most="tallest", least="shortest", additive=False),
            Column("market value", "REAL", "number", "market value", most="most valuable", least="least valuable",
                   required=False),
            Column("left_footed", "INTEGER", "flag", "left foot", says="that are left-footed"),
        )),
        Table("game", "game", "games", (
            Column("game_id", "INTEGER", "key", "game number"),
            Column("title", "TEXT", "label", "title"),
            Column("home_club_id", "INTEGER", "link", "home club", refers="club.club_id"),
            Column("away_club_id", "INTEGER", "link", "away club", refers="club.club_id"),
            Column("competition", "TEXT", "category", "competition", says="in the {value} competition"),
            Column("played_on", "DATE", "date", "date played", most="latest", least="earliest"),
            Column("home_goals", "INTEGER", "number", "number of home goals"),
            Column("away_goals", "INTEGER", "number", "number of away goals"),
            Column("attendance", "INTEGER", "number", "attendance", most="best attended", least="worst attended",
                   required=False),
        )),
        Table("appearance", "appearance", "appearances", (
            Column("player_id", "INTEGER", "link", "player", refers="player.player_id"),
            Column("game_id", "INTEGER", "link", "game", refers="game.game_id"),
            Column("minutes", "INTEGER", "number", "minutes played", most="longest", least="shortest"),
            Column("goals", "INTEGER", "number", "goals scored"),
            Column("rating", "REAL", "number", "rating", most="best rated", least="worst rated", required=False,
                   additive=False),
        )),
        Table("transfer", "transfer", "transfers", (
            Column("transfer_id", "INTEGER", "key", "transfer number"),
            Column("player_id", "INTEGER", "link", "player", refers="player.player_id"),
            Column("club_id", "INTEGER", "link", "buying club", refers="club.club_id"),
            Column("kind", "TEXT", "category", "kind", says="of the {value} kind"),
            Column("moved_on", "DATE", "date", "transfer date", most="latest", least="earliest"),
            Column("fee", "REAL", "number", "fee", most="most expensive", least="cheapest", required=False),
        )),
    ),
    relations=(
        Relation("player", "club_id", "signed to", "have"),
        Relation("game", "home_club_id", "hosted by", "have hosted"),
        Relation("game", "away_club_id", "played away by", "have travelled to"),
        Relation("appearance", "player_id", "made by", "have made"),
        Relation("appearance", "game_id", "made in", "have"),
        Relation("transfer", "player_id", "made by", "have made"),
        Relation("transfer", "club_id", "completed by", "have completed"),
    ),
    bridges=(Bridge("appearance", "player_id", "game_id", "played in", "featured"),),
    primary_keys=(("appearance", ("player_id", "game_id")),),
)

# Rows wanted of club, player, game, appearance, transfer in each variant.
SIZES = ((200, 700, 520, 1150, 330), (60, 180, 110, 200, 70), (50, 110, 60, 130, 0), (34, 60, 40, 90, 45))
MISSING = (0.12, 0.3, 0.08, 0.2)
SKEW = (0.7, 0.5, 0.8, 1.6)

LEAGUES = ("Premier League", "Northern League", "Coastal League", "Second Division", "Capital League", "Island League")
POSITIONS = ("midfielder", "defender", "forward", "goalkeeper", "winger")
COMPETITIONS = ("league", "cup", "friendly", "playoff", "super cup")
KINDS = ("permanent", "loan", "free", "swap", "youth")
HOMES = ("Brazil", "Spain", "Argentina", "France", "Germany", "Portugal", "Nigeria", "Japan", "Norway", "Ghana",
         "Italy", "Mexico")
SUFFIXES = "United Rovers Athletic City Wanderers Rangers Dynamo Sporting Albion Harriers".split()


def _pool(count: int, make) -> list[str]:
    """Names that all variants share, so that a name in a question is often found in each."""
    return distinct(random.Random("football names"), make, count)


def _clubs(rng: random.Random, count: int, missing: float, skew: float) -> list[tuple]:
    names = _pool(200, lambda r: f"{r.choice(CITIES)} {r.choice(SUFFIXES)}")
    clubs = []
    for number, name in enumerate(rng.sample(names[: count * 3 // 2], count), 1):
        city = recase(rng, name.rsplit(" ", 1)[0], 0.08)
        capacity = maybe(rng, rng.randint(6, 120) * 500, missing)
        clubs.append((number, name, city, skewed(rng, LEAGUES, skew), rng.randint(1880, 1995), capacity))
    return clubs


def _players(rng: random.Random, count: int, clubs: list[tuple], missing: float, skew: float) -> list[tuple]:
    names = _pool(700, person)
    signed = [club[0] for club in clubs if club[0] % 11]
    players = []
    for number, name in enumerate(rng.sample(names[: count * 3 // 2], count), 1):
        club = maybe(rng, skewed(rng, signed, skew), missing / 2)
        value = maybe(rng, round(rng.choice((0.25, 0.5, 1, 2.5, 5)) * rng.randint(1, 16), 2), missing)
        players.append((number, name, club, skewed(rng, HOMES, skew), skewed(rng, POSITIONS, skew),
                        day(rng, "1986-01-01", "2006-12-31"), round(rng.gauss(182, 7)), value,
                        int(rng.random() < 0.24)))
    return players


def _games(rng: random.Random, count: int, clubs: list[tuple], missing: float, skew: float) -> list[tuple]:
    hosts = clubs[: len(clubs) - len(clubs) // 12]
    pairs = distinct(rng, lambda r: tuple(r.sample(hosts, 2)), count)
    games = []
    for number, (home, away) in enumerate(pairs, 1):
        goals = skewed(rng, (1, 2, 0, 3, 4, 5), 1.2), skewed(rng, (1, 0, 2, 3, 4), 1.3)
        crowd = maybe(rng, rng.randint(10, 560) * 100, missing)
        games.append((number, f"{home[1]} v {away[1]}", home[0], away[0], skewed(rng, COMPETITIONS, skew),
                      day(rng, "2021-08-01", "2025-05-31"), *goals, crowd))
    return games


def _appearances(rng: random.Random, count: int, players: list[tuple], games: list[tuple], missing: float,
                 skew: float) -> list[tuple]:
    """Mostly players of the two clubs; the rest are guests and those that have moved since."""
    squads: dict = {}
    for player in players:
        squads.setdefault(player[2], []).append(player[0])

    def pair(r: random.Random) -> tuple[int, int]:
        game = games[r.randrange(len(games))]
        squad = squads.get(game[2 + (r.random() < 0.5)]) if r.random() < 0.9 else None
        return r.choice(squad) if squad else skewed(r, range(1, len(players) - 5), skew), game[0]

    rows = []
    for player, game in distinct(rng, pair, count):
        minutes = rng.choice((90, 90, 90, 75, 60, 45, 30, rng.randint(1, 89)))
        rating = maybe(rng, rng.randint(8, 20) / 2, missing)
        rows.append((player, game, minutes, skewed(rng, (0, 1, 2, 3), 2), rating))
    return rows


def _transfers(rng: random.Random, count: int, players: int, clubs: int, missing: float, skew: float) -> list[tuple]:
    transfers = []
    for number in range(1, count + 1):
        kind = skewed(rng, KINDS, skew)
        fee = 0.0 if kind == "free" else maybe(rng, rng.randint(1, 60) * 0.5, missing)
        transfers.append((number, skewed(rng, range(1, players + 1), skew / 2), skewed(rng, range(1, clubs + 1), skew),
                          kind, day(rng, "2019-06-01", "2025-02-01"), fee))
    return transfers


def rows(rng: random.Random, variant: int) -> dict[str, list[tuple]]:
    """The rows of every table in one variant (0 is the main instance)."""
    sizes, missing, skew = SIZES[variant], MISSING[variant], SKEW[variant]
    clubs = _clubs(rng, sizes[0], missing, skew)
    players = _players(rng, sizes[1], clubs, missing, skew)
    games = _games(rng, sizes[2], clubs, missing, skew)
    return {
        "club": clubs,
        "player": players,
        "game": games,
        "appearance": _appearances(rng, sizes[3], players, games, missing, skew),
        "transfer": _transfers(rng, sizes[4], len(players), len(clubs), missing, skew),
    }
