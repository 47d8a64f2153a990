"""Words of questions, names and descriptions as the column filter compares them: stems, hints, superlatives, pieces.

English only, by rules and two small tables of general words; nothing is learnt and nothing is specific to a data set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SUFFIXES = ("ing", "ed", "ation", "ion", "er", "or", "ly", "al", "ity", "ment", "ness", "y", "e")
_PLACE_ADJECTIVE = re.compile(r"[A-Z]\w+(?:ese|ian|ish|can|man|nch|ean|tch)\b")
_PROPER = re.compile(r"[A-Za-z][\w']*")

_STOP_WORDS = """
    a an the of in on at to for with and or is are was were be been by from that this these those which who whom whose
    what when where how many much do does did has have had it its their there as than then i me my we us you your please
    list show find give tell all each every any not no into between among per"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

# What a question says → what a column that answers it is often called.
_HINTS = {
    "young old born elder": "age birth year",
    "long short": "length duration height minute time",
    "tall high": "height",
    "heavy light": "weight",
    "fast slow quick": "speed time",
    "expensive cheap costly": "price cost amount",
    "big large small": "size area population",
    "early late recent when": "date year time",
    "where": "location city country place address",
    "live locate located": "location city country address state district",
    "rich earn": "salary income",
    "female male woman man girl boy": "gender sex",
    "who called named": "name",
    "popular": "population count",
    "good bad": "rating score grade rank",
    "nationality citizen": "country",
    "country": "nationality",
    "phone": "telephone",
    "telephone": "phone",
    "email": "mail",
    "produce": "year maker",
    "release century": "year date",
    "year month day": "date",
    "date": "year",
    "winner": "win",
    "won": "win result position",
    "teach": "teacher",
    "grade": "level",
    "level": "grade",
    "zip": "postal",
    "title": "name",
    "kind category": "type",
    "type": "kind category",
    "abbreviation": "abbrev code",
    "code": "abbrev",
    "website": "url web",
    "gender": "sex",
    "sex": "gender",
    "full": "first last surname forename",
    "surname": "last",
    "forename": "first",
}
_IRREGULAR = {
    "born": "birth", "won": "win", "women": "woman", "men": "man", "people": "person", "children": "child",
    "best": "good", "worst": "bad", "oldest": "old", "eldest": "elder", "living": "live",
}  # fmt: skip


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A word without its ending, so that forms of it meet; a light rule, not a dictionary.

    >>> stem("Countries"), stem("country"), stem("singers"), stem("singing")
    ('countr', 'countr', 'sing', 'sing')
    """
    word = word.lower()
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes")):
        word = word[:-2]
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    ending = next((suffix for suffix in _SUFFIXES if word.endswith(suffix) and len(word) - len(suffix) >= 4), "")
    word = word[: len(word) - len(ending)]
    return word[:-1] if len(word) > 4 and word[-1] == word[-2] else word


def pieces(text: str) -> list[str]:
    """The words of a text in lower case; names are cut at underscores, capitals and digits.

    >>> pieces("Free Meal_Count (K-12), birthDate")
    ['free', 'meal', 'count', 'k', '12', 'birth', 'date']
    """
    return [piece.lower() for piece in PIECE.findall(text.replace("_", " "))]


def stems(text: str) -> list[str]:
    """The stems of all pieces of a text, in order."""
    return [stem(piece) for piece in pieces(text)]


STOP_STEMS = frozenset(map(stem, STOP_WORDS))


def asked_stems(text: str) -> set[str]:
    """What a question may be matched by: its stems, those of irregular forms and of superlatives' positives; no stop word."""
    words = pieces(text)
    forms = {*words, *map(_positive, words), *(_IRREGULAR[word] for word in words if word in _IRREGULAR)}
    return {stem(form) for form in forms} - STOP_STEMS


def _positive(word: str) -> str:
    """
    >>> _positive("heaviest"), _positive("youngest"), _positive("test")
    ('heavy', 'young', 'test')
    """
    if word.endswith("iest"):
        return word[:-4] + "y"
    return word[:-3] if word.endswith("est") and len(word) > 5 else word


def _spread_hints() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for said, names in _HINTS.items():
        for word in said.split():
            found.setdefault(stem(word), set()).update(map(stem, names.split()))
    return {word: frozenset(names) for word, names in found.items()}


_HINTED = _spread_hints()


def hinted_stems(asked: Iterable[str], text: str) -> set[str]:
    """Stems of names that the question asks for in other words: 'oldest' asks for an age or a date of birth."""
    said = {*asked, *stems(text)}
    return set().union(*(_HINTED.get(word, frozenset()) for word in said))


@lru_cache(maxsize=50_000)
def trigrams(word: str) -> frozenset[str]:
    """The runs of three letters of a word, its ends marked.

    >>> sorted(trigrams("age"))
    ['^ag', 'age', 'ge$']
    """
    marked = f"^{word}$"
    return frozenset(marked[start : start + 3] for start in range(len(marked) - 2))


def acronyms(words: list[str]) -> set[str]:
    """First letters of two to four words in a row: 'miles per gallon' is also 'mpg'."""
    return {"".join(word[0] for word in words[start : start + n]) for n in (2, 3, 4) for start in range(len(words) - n + 1)}


def likeness(word: str, asked: Iterable[tuple[str, frozenset[str]]]) -> float:
    """How much of a word that is not asked for stands in one that is (0 to 1): as its beginning or end, or by trigrams."""
    own = trigrams(word)
    best = 0.0
    for other, grams in asked:
        if 4 <= len(other) < len(word) and (word.startswith(other) or word.endswith(other)):
            best = max(best, len(other) / len(word))
        elif len(word) >= 3 and other.startswith(word):
            best = max(best, 0.2 + 0.8 * len(word) / len(other))
        best = max(best, 0.8 * len(own & grams) / len(own))
    return best


def proper_words(text: str, known: set[str]) -> int:
    """Capitalised words inside a sentence that no name of the schema explains: names of people, places, works.

    >>> proper_words("What is the age of Ada Lovelace?", {stem("age")})
    2
    """
    count = 0
    for match in _PROPER.finditer(text):
        before = text[: match.start()].rstrip()
        opens = not before or before[-1] in ".?!:"
        count += not opens and len(match[0]) > 1 and match[0][0].isupper() and stem(match[0]) not in known
    return count


def names_place(text: str) -> bool:
    """Does a word look like the adjective of a place, such as German, Japanese, Turkish?"""
    return bool(_PLACE_ADJECTIVE.search(text))
