"""How English is read aloud: numbers and signs as words, words as phones of the CMU dictionary.

Where a writing can be read in several ways (`2012`, `No.`, a name) all of them are returned, the
likeliest first: whoever listens can tell which it was.
"""

from __future__ import annotations

import re
from itertools import chain, islice, product, zip_longest
from unicodedata import combining, normalize

Reading = tuple[str, ...]

_ONES = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
]
_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_THOUSANDS = ("", "thousand", "million", "billion", "trillion")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_MONEY = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen"}
_SIGNS = {"%": "percent", "&": "and", "+": "plus", "=": "equals", "@": "at", "°": "degrees"}
_SHORT = {
    "vs": "versus", "prof": "professor", "gen": "general", "lt": "lieutenant", "no": "number",
    "km": "kilometers", "kg": "kilograms", "cm": "centimeters", "mm": "millimeters", "ft": "feet",
    "jan": "january", "aug": "august", "sept": "september", "oct": "october", "nov": "november",
    "dec": "december",
}  # fmt: skip

_PIECE = re.compile(
    r"(?P<hours>\d{1,2}):(?P<minutes>\d\d)"
    r"|(?P<money>[$€£¥])?(?P<number>\d[\d,]*(?:\.\d+)?)(?P<ending>(?:st|nd|rd|th|s)\b)?"
    r"|(?P<initials>(?:[a-z]\.)+(?:[a-z]\b)?)|(?P<word>[a-z]+(?:'[a-z]+)*)|(?P<sign>[%&+=@°])",
    re.IGNORECASE,
)
_MOST = 6
"""Readings or pronunciations of one word; more only make the listener's work longer."""


def readings(written: str) -> list[Reading]:
    """Return the ways a written word is read aloud: each a row of lower-case words.

    `$4.50` is `four dollars fifty`, among others; initials are `u.` `s.`; punctuation is silent.
    Empty where there is nothing that English has letters or words for.
    """
    plain = normalize("NFKD", written.replace("\u2019", "'"))
    text = "".join(c if c.isascii() or c in "€£¥°" else "" if combining(c) else " " for c in plain)
    pieces = [_read(match) for match in _PIECE.finditer(text)]
    combined = (sum(each, ()) for each in product(*pieces) if each)
    return list(islice(dict.fromkeys(combined), _MOST))


def _read(piece: re.Match[str]) -> list[Reading]:
    if piece["hours"]:
        hours, minutes = _cardinal(int(piece["hours"])), int(piece["minutes"])
        if not minutes:
            return [hours, (*hours, "o'clock"), (*hours, "hundred")]
        return [(*hours, *(("oh",) if minutes < 10 else ()), *_cardinal(minutes))]
    if piece["number"]:
        return _number(piece["number"].rstrip(","), piece["ending"] or "", piece["money"])
    if piece["initials"]:
        return [tuple(f"{letter}." for letter in piece["initials"].lower() if letter != ".")]
    if piece["sign"]:
        return [(_SIGNS[piece["sign"]],)]
    word = piece["word"].lower()
    ways: list[Reading] = [(_SHORT[word],)] if word in _SHORT else []
    ways.append((word,))
    if piece["word"].isupper() and 1 < len(word) <= 5:
        ways.append(tuple(f"{letter}." for letter in word if letter != "'"))
    return ways


def _number(text: str, ending: str, money: str | None) -> list[Reading]:
    whole, _, fraction = text.replace(",", "").partition(".")
    digits = tuple(_ONES[int(digit)] for digit in whole)
    if len(whole) > 3 * len(_THOUSANDS):
        return [digits]
    number = int(whole)
    ways = [_cardinal(number), _cardinal(number, "and")]
    if "," not in text and 1000 <= number < 10_000 and number % 1000 >= 10:
        ways.insert(0, _year(number))
    if "," not in text and (len(whole) > 4 or (whole[0] == "0" and len(whole) > 1)):
        ways.append(digits)
    if ending in ("st", "nd", "rd", "th"):
        return [(*way[:-1], _ordinal(way[-1])) for way in ways]
    if ending:
        return [(*way[:-1], _plural(way[-1])) for way in ways]
    decimals = tuple(_ONES[int(digit)] for digit in fraction)
    if money:
        unit = _MONEY[money] + ("s" if number != 1 and money != "¥" else "")
        cents = _cardinal(int(fraction)) if fraction.strip("0") else ()
        full = [(*way, unit, *cents) for way in ways]
        bare = [(*way, *cents) for way in ways]
        # "$20 million": the unit comes a word later.
        return [*full, *bare, *((*way, "point", *decimals) for way in ways if decimals)]
    if fraction:
        return [(*way, "point", *decimals) for way in ways]
    return ways


def _cardinal(number: int, link: str = "") -> Reading:
    """Return a number in words; `link` stands between hundreds and what follows."""
    if number < 20:
        return (_ONES[number],)
    if number < 100:
        return (_TENS[number // 10], *(_cardinal(number % 10) if number % 10 else ()))
    if number < 1000:
        rest = number % 100
        linked = (*((link,) if link else ()), *_cardinal(rest)) if rest else ()
        return (_ONES[number // 100], "hundred", *linked)
    words: Reading = ()
    for power in range(len(_THOUSANDS) - 1, -1, -1):
        group = number // 1000**power % 1000
        if group:
            linked = (link,) if link and words and not power and group < 100 else ()
            words += (*linked, *_cardinal(group, link), *_THOUSANDS[power].split())
    return words


def _year(number: int) -> Reading:
    century, rest = _cardinal(number // 100), number % 100
    if not rest:
        return (*century, "hundred")
    return (*century, *(("oh",) if rest < 10 else ()), *_cardinal(rest))


def _ordinal(word: str) -> str:
    return _ORDINALS.get(word) or (f"{word[:-1]}ieth" if word.endswith("y") else f"{word}th")


def _plural(word: str) -> str:
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


# How a word is said that no dictionary has. Rough: a listener who knows what comes before and
# after needs no more than the right number of the right kind of sounds.
_SPELLINGS_TABLE = """
tsch=CH sch=SH tch=CH igh=AY eau=OW tion=SH.AH.N sion=ZH.AH.N ough=AO augh=AO qu=K.W
ch=CH sh=SH th=TH ph=F wh=W ck=K ng=NG gh=G kh=K zh=ZH dg=JH kn=N wr=R ps=P.S ts=T.S
ce=S.EH ci=S.IH cy=S.IY ee=IY ea=IY oo=UW ou=UW ow=OW oa=OW ai=EY ay=EY ei=EY ey=IY ie=IY
au=AO aw=AO oi=OY oy=OY ue=UW ew=Y.UW ui=UW.IH aa=AA ar=AA.R er=ER ir=ER or=AO.R ur=ER
bb=B cc=K dd=D ff=F gg=G kk=K ll=L mm=M nn=N pp=P rr=R ss=S tt=T zz=Z
a=AA b=B c=K d=D e=EH f=F g=G h=HH i=IH j=JH k=K l=L m=M n=N o=OW p=P q=K r=R s=S t=T
u=UW v=V w=W x=K.S y=IY z=Z
"""
_SPELLINGS: dict[str, str] = {
    letters: phones.replace(".", " ")
    for letters, _, phones in (entry.partition("=") for entry in _SPELLINGS_TABLE.split())
}
_SPELLING = re.compile("|".join(sorted(_SPELLINGS, key=len, reverse=True)))


class Pronunciations:
    """What the CMU dictionary has, and rules for what it has not.

    Args:
        dictionary: Its text: a word and its phones on each line, `word(2)` for another way.
    """

    def __init__(self, dictionary: str) -> None:
        self._phones: dict[str, str] = {
            word: phones
            for word, _, phones in (line.partition(" ") for line in dictionary.splitlines())
        }

    def of(self, written: str) -> list[str]:
        """Return the ways a written word is said, each as phones with spaces between.

        Empty where `readings` is.
        """
        ways = [
            [" ".join(phones) for phones in islice(product(*map(self._word, reading)), _MOST)]
            for reading in readings(written)
        ]
        # The first way of each reading comes before the second of any.
        ranked = chain.from_iterable(zip_longest(*ways))
        return list(islice(dict.fromkeys(way for way in ranked if way), _MOST))

    def _word(self, word: str) -> list[str]:
        entries = (word, *(f"{word}({number})" for number in range(2, _MOST)))
        if known := [self._phones[entry] for entry in entries if entry in self._phones]:
            return known
        stem, apostrophe, ending = word.rpartition("'")
        if apostrophe and ending == "s":
            return [f"{phones} Z" for phones in self._word(stem)]
        letters = word.replace("'", "").replace(".", "")
        # Mute, as in "Doyle".
        letters = letters[:-1] if len(letters) > 3 and letters[-1] == "e" else letters
        return [" ".join(_SPELLINGS[part] for part in _SPELLING.findall(letters))]
