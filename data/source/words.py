"""Words and small helpers for rows that look like their domain's. Every function takes the rng it draws from."""

from __future__ import annotations

import datetime
import random
import re
from functools import cache
from importlib import resources

FIRST_NAMES = """Aaliyah Adam Aisha Alejandro Alice Amara Amelie Anders Andrea Anika Arjun Astrid Beatriz Benjamin Bianca
Bruno Camille Carlos Chiara Chen Clara Daniel Daria David Deepa Diego Dmitri Edith Elena Elif Emeka Emma Erik Esther Fatima
Felix Fiona Francesca Gabriel Gloria Grace Hana Harriet Hassan Helen Hiro Ibrahim Ingrid Isabel Ivan Jack Jamal Jana Jin
Joanna Jonas Julia Kamal Karin Kenji Kofi Laila Lars Laura Leo Lin Louis Lucia Magnus Mara Marcus Maria Martin Mei Mina
Mohammed Nadia Naomi Nikolai Nora Oliver Olga Omar Oscar Paula Pedro Petra Priya Rafael Rashid Ravi Rebecca Rosa Ruth Sam
Samira Sara Sergei Simon Sofia Stella Sven Tara Thomas Tomas Uma Valentina Victor Wei Yara Yusuf Zara Zoe""".split()

LAST_NAMES = """Abbott Adeyemi Ahmed Almeida Andersson Bakker Baptiste Becker Berg Bianchi Blake Brennan Carter Castro Chandra
Chen Clarke Costa Dahl Das Delgado Diallo Dubois Edwards Ericsson Evans Farouk Fernandez Fischer Fontaine Foster Gallagher Garcia
Ghosh Gomez Graham Greco Gupta Haddad Hansen Hayashi Hoffman Hughes Ibarra Ito Jansen Johansson Jones Kapoor Karlsson Kaya Keller
Khan Kim Kowalski Kumar Lambert Larsen Lee Lindholm Lopez MacLeod Mancini Marino Martin Mbeki Mehta Meyer Morales Moreau Moretti
Murphy Nakamura Nguyen Nielsen Novak Obi Okafor Oliveira Olsen Osei Park Patel Pereira Petrov Popov Quinn Rahman Ramirez Reyes
Richter Rossi Ruiz Sato Schmidt Schneider Sharma Silva Singh Sokolov Suzuki Tanaka Tran Turner Vargas Volkov Walker Wang Weber
Williams Wong Yamamoto Yilmaz Zhang""".split()

CITIES = """Amsterdam Ankara Athens Barcelona Bergen Berlin Bogota Boston Bristol Brussels Budapest Cairo Chicago Copenhagen
Dakar Delhi Denver Dublin Edinburgh Florence Geneva Glasgow Hamburg Hanoi Helsinki Istanbul Jakarta Kyoto Lagos Lima Lisbon
London Lyon Madrid Manila Melbourne Milan Montreal Mumbai Munich Nairobi Naples Osaka Oslo Paris Porto Prague Quito Rome
Rotterdam Santiago Seattle Seoul Seville Sydney Tallinn Toronto Turin Valencia Vienna Warsaw Zurich""".split()

COUNTRIES = """Argentina Australia Austria Belgium Brazil Canada Chile Colombia Denmark Egypt Finland France Germany Ghana
Greece India Indonesia Ireland Italy Japan Kenya Mexico Morocco Netherlands Nigeria Norway Peru Poland Portugal Spain Sweden
Switzerland Turkey Vietnam""".split()


def person(rng: random.Random) -> str:
    """A full name."""
    return f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"


def distinct(rng: random.Random, make, count: int) -> list:
    """``count`` different values of ``make(rng)``."""
    seen: dict = {}
    for _ in range(count * 200):
        if len(seen) == count:
            break
        seen.setdefault(make(rng), None)
    if len(seen) < count:
        raise ValueError(f"only {len(seen)} different values where {count} were asked")
    return list(seen)


def skewed(rng: random.Random, values, power: float = 1.3):
    """One of ``values``, the first ones much more often (Zipf-like)."""
    weights = [1.0 / (rank + 1) ** power for rank in range(len(values))]
    return rng.choices(values, weights)[0]


def maybe(rng: random.Random, value, share_missing: float = 0.1):
    """``value``, or None in a share of the cases."""
    return None if rng.random() < share_missing else value


def day(rng: random.Random, first: str, last: str) -> str:
    """A date 'YYYY-MM-DD' from ``first`` to ``last``."""
    start, end = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
    return str(start + datetime.timedelta(days=rng.randint(0, (end - start).days)))


def recase(rng: random.Random, value: str, share: float = 0.04) -> str:
    """``value``, in a small share of the cases in lower or upper case (as careless typing leaves it)."""
    return rng.choice((value.lower(), value.upper())) if rng.random() < share else value


def several(phrase: str) -> str:
    """A phrase's plural, well enough for the words of the domains.

    >>> several("country"), several("box"), several("date of birth")
    ('countries', 'boxes', 'date of birth')
    """
    if " of " in phrase:
        return phrase
    if phrase.endswith(("s", "x", "ch", "sh")):
        return phrase + "es"
    return phrase[:-1] + "ies" if phrase.endswith("y") and phrase[-2] not in "aeiou" else phrase + "s"


@cache
def lexicon() -> tuple[str, ...]:
    """Some six thousand words, most of them English: those that the tokenizer of our encoder (wordllama) knows whole; none is a word of SQL."""
    from sqlglot import exp
    from sqlglot.dialects.sqlite import SQLite

    of_sql = {word.lower() for word in (*SQLite.Tokenizer.KEYWORDS, *exp.FUNCTION_BY_NAME)}
    file = resources.files("wordllama") / "tokenizers" / "l2_supercat_tokenizer_config.json"
    found = re.findall('"\u2581([a-z]{4,10})"', file.read_text(encoding="utf-8"))
    return tuple(word for word in dict.fromkeys(found) if word[-1] != "s" and word not in of_sql)
