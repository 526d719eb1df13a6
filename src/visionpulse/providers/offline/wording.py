"""Numbers and units in words, where hibari would read something else or nothing.

hibari itself reads plain numbers, years, prices, times, dates, common units and Roman numerals.
"""
# ruff: noqa: RUF001 - primes, dashes and minus signs are meant as they stand

from __future__ import annotations

import re
from collections.abc import Callable

_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
_NAMES = {
    "km": "kilometer", "m": "meter", "cm": "centimeter", "mm": "millimeter", "nm": "nanometer",
    "kg": "kilogram", "g": "gram", "mg": "milligram", "t": "ton", "ft": "foot",
    "mi": "mile", "L": "liter", "l": "liter", "ml": "milliliter", "mL": "milliliter",
    "s": "second", "ms": "millisecond", "min": "minute", "h": "hour", "W": "watt", "kW": "kilowatt",
    "MW": "megawatt", "V": "volt", "kV": "kilovolt", "J": "joule", "kJ": "kilojoule",
    "N": "newton", "Pa": "pascal", "hPa": "hectopascal", "kPa": "kilopascal", "dB": "decibel",
    "mol": "mole",
}  # fmt: skip
_MANY = {"foot": "feet"}
_UNIT = "|".join(sorted(_NAMES, key=len, reverse=True))
_SCALE = r"(?:\s(?:hundred|thousand|million|billion|trillion))?"
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SIGNS = {
    "≤": "at most", "≥": "at least", "≠": "is not", "≈": "about", "∞": "infinity",
    "√": "the square root of", "‰": "per thousand", "∼": "about", "⇒": "to", "№": "number",
    "℃": "°C", "℉": "°F",
    "⅓": "1/3", "⅔": "2/3", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5", "⅘": "4/5", "⅙": "1/6",
    "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8", "½": "1/2", "¼": "1/4", "¾": "3/4",
}  # fmt: skip


def written_out(sentence: str) -> str:
    """Return an English sentence with words for what hibari cannot read."""
    for pattern, instead in _RULES:
        sentence = pattern.sub(instead, sentence)
    return sentence


def _many(name: str) -> str:
    return _MANY.get(name, f"{name}s")


def _measured(match: re.Match[str]) -> str:
    number, unit, power, below, under = match.group("number", "unit", "power", "below", "under")
    name = _NAMES[unit] if number == "1" else _many(_NAMES[unit])
    words = f"{number} {_powered(name, power)}"
    return f"{words} per {_powered(_NAMES[below], under)}" if below else words


def _powered(name: str, power: str | None) -> str:
    if not power:
        return name
    squared = power in "²2"
    if name.rstrip("s") in {"second", "minute", "hour"}:
        return f"{name} {'squared' if squared else 'cubed'}"
    return f"{'square' if squared else 'cubic'} {name}"


def _raised(match: re.Match[str]) -> str:
    power = match[2].translate(_SUPERSCRIPT)
    if power in {"2", "3"}:
        return match[0]
    return f"{match[1]} to the {power}" + ("" if power.startswith("-") else _ordinal(power))


def _ordinal(digits: str) -> str:
    if digits[-2:-1] == "1":
        return "th"
    return {"1": "st", "2": "nd", "3": "rd"}.get(digits[-1], "th")


def _mixed(match: re.Match[str]) -> str:
    part = {"1/2": "a half", "1/4": "a quarter"}.get(match[2], match[2])
    return f"{match[1]} and {part}"


_Instead = str | Callable[[re.Match[str]], str]
_RULES: list[tuple[re.Pattern[str], _Instead]] = [
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"(?<![\d.,])\d{1,3}(?: \d{3}){2,}(?!\d)", lambda match: match[0].replace(" ", ",")),
        (r"(?:(?<=\d)|(?<=\b[a-zA-Z]))\s?([≤≥])", r" is \1"),
        (r"(?<=\d)([½¼¾⅓⅔⅛⅜⅝⅞])", r" \1"),
        ("[" + "".join(_SIGNS) + "]", lambda match: f" {_SIGNS[match[0]]} "),
        (r"(\d)\s+([1-9]/[1-9]\d?)(?![/\d])", _mixed),
        (r"(?<![\d\w])\s?[−–](?=\d)", " -"),
        (r"(?<=\d)\s*−\s*(?=\d)", " minus "),
        (r"(?<![\w])~\s?(?=\d)", "about "),
        (r"\b([A-G])[#♯](?!\w)", r"\1 sharp"),
        (r"\bCO[2₂](?!\w)", "C.O. 2"),
        (r"(?<![\w/])(\d{1,2})/\1(?![\w/])", r"\1 \1"),
        (r"(?<![\w/])24/7(?![\w/])", "24 7"),
        # Minutes and seconds of an arc, feet and inches.
        (r"(?<=°)\s?(\d{1,2})[′'](?:\s?(\d{1,2})[″\"])?", lambda m: f" {m[1]} minutes"
            + (f" {m[2]} seconds" if m[2] else "")),
        (r"(?<![\w.])(\d{1,2})(?:′\s?|')(\d{1,2})(?:″|\"|''|(?=[\s,.!?]))", r"\1 foot \2"),
        (r"(?<![\w.])(\d+(?:\.\d+)?)′(?!\w)", r"\1 feet"),
        (r"(?<![\w.])(\d+(?:\.\d+)?)″(?!\w)", r"\1 inches"),
        # Prices: from one to another, in billions, the sign behind.
        (rf"([$£€])({_NUMBER})\s?[-–]\s?\1?({_NUMBER})(?![\w-])", r"\1\2 to \1\3"),
        (rf"([$£€]{_NUMBER})\s?bn\b", r"\1 billion"),
        (rf"([$£€]{_NUMBER})\s?tn\b", r"\1 trillion"),
        (rf"(?<![\w$£€.])({_NUMBER}{_SCALE})\s?([$£€])(?![\w])", r"\2\1"),
        # Ranges, up to what follows them; neither telephone numbers nor dates.
        (r"(?<=\d)\s?–\s?(?=[-$£€]?\d)", " to "),
        (r"(?<=\d[%°])\s?[-–]\s?(?=\d)|(?<=°[CF])\s?[-–]\s?(?=\d)", " to "),
        (r"(?<=\ds)[-–](?=(?:1|2)\d{3}s)", " to "),
        (r"(?<![\w.,-])(\d{1,4}(?:\.\d+)?)-(\d{1,2}(?:\.\d+)?|\d{4})"
            r"(?=\s?%|\.(?!\d)|[,;:!?)]|\s[a-z])(?<!\d{3}-\d{4})", r"\1 to \2"),
        (r"(?<=\d)\s?[x×]\s?(?=\d)(?!10[⁻⁰-⁹¹²³]|\d+\s?=)|(?<=\d [cm]m)\s[x×]\s(?=\d)", " by "),
        (r"(?<![\w:])(\d{1,2}):(\d{1,2})(?=\s(?:aspect|mix|odds|ratio|scale))", r"\1 to \2"),
        (rf"(?<![\w.$£€])(?P<number>{_NUMBER}{_SCALE})\s(?P<unit>{_UNIT})(?P<power>[²³])?"
            rf"(?:/(?P<below>{_UNIT})(?P<under>[²³23])?)?(?![\w/²³'’])", _measured),
        (rf"(?<![\w/])(?P<number>)(?P<unit>{_UNIT})(?P<power>[²³])?"
            rf"/(?P<below>{_UNIT})(?P<under>[²³])(?![\w/])", _measured),
        (r"(\d)([⁻⁰-⁹¹²³]+)", _raised),
    )
]  # fmt: skip
