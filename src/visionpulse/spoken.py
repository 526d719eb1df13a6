"""What of a text is said aloud: no Markdown, no stage directions, no emoji, no addresses' noise.

Captions stay the author's text; only what a speech model is given changes. Numbers, units,
quotation marks and everything else that a voice reads by itself are left alone: a text without
the marks below is given to the character.

Stage directions are

- whatever stands in square brackets, `[pause]`; but of `[s]he` and of “They [the whales] sing”,
  where an author writes inside a word or a quotation, only the brackets go;
- up to four words in parentheses or asterisks, alone on a line or between sentences: `(laughs)`,
  `*sighs*`. Words that end like a sentence are said, as in `(Not at all.)`, unless they name a
  direction: `(Pause.)`. So are words in asterisks that begin with a capital: emphasis. A
  parenthesis inside a sentence always is.

Numbers that count a list are said, for a narrator would say them.
"""
# ruff: noqa: RUF001 - the brackets, quotes and words of many languages are meant as they stand

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple


class Spoken(NamedTuple):
    """What is said of a text."""

    text: str
    origins: Sequence[int]
    """For each character of `text`, where in the author's text it comes from; never backwards."""


_DEEPEST = 9
"""How deep marks are within each other in what people write, with room."""


def spoken_form(text: str, language: str) -> str:
    """Return what a speech model is given for a text; empty where there is nothing to say.

    Args:
        text: A sentence, or more, as its author wrote it.
        language: BCP 47 tag; in English the signs of addresses are written out ("dot").
    """
    return spoken(text, language).text


def spoken(text: str, language: str) -> Spoken:
    """Return `spoken_form` and where it comes from."""
    draft = Spoken(text, range(len(text)))
    # Again, for what was inside something else, so that doing it twice changes nothing.
    for _ in range(_DEEPEST):
        before, draft = draft, _pass(draft, language)
        if draft.text == before.text:
            break
    return draft if _has_letter(draft.text) else Spoken("", ())


def is_spoken(text: str) -> bool:
    """Whether there is a letter or a digit to say."""
    return _has_letter(text) and (not _LEAVES_OUT.search(text) or bool(spoken(text, "").text))


# What all marks that leave out words have in them.
_LEAVES_OUT = re.compile(r"[\[［(（【*<`~]")


def _has_letter(text: str) -> bool:
    return any(map(str.isalnum, text))


# What takes a match's place: its groups, by number, and other words. None leaves it as it is.
_Instead = Callable[[re.Match[str]], Sequence[int | str] | None]
_Rule = tuple[re.Pattern[str], _Instead]


def _pass(draft: Spoken, language: str) -> Spoken:
    before = draft.text
    for rule in _RULES:
        draft = _replaced(draft, *rule)
    english = language.partition("-")[0].lower() == "en"
    draft = _replaced(draft, _ADDRESS, _english_address if english else _address)
    if draft.text != before:
        for rule in _GAPS:
            draft = _replaced(draft, *rule)
    return draft


def _replaced(draft: Spoken, pattern: re.Pattern[str], instead: _Instead) -> Spoken:
    text: list[str] = []
    origins: list[int] = []
    at = 0
    for match in pattern.finditer(draft.text):
        parts = instead(match)
        if parts is None:
            continue
        text.append(draft.text[at : match.start()])
        origins += draft.origins[at : match.start()]
        place = match.start()
        for part in parts:
            if isinstance(part, str):
                text.append(part)
                origins += [draft.origins[place]] * len(part)
            else:
                text.append(match[part])
                origins += draft.origins[slice(*match.span(part))]
                place = match.end(part) - 1
        at = match.end()
    if not at:
        return draft
    return Spoken("".join(text) + draft.text[at:], [*origins, *draft.origins[at:]])


def _nothing(_match: re.Match[str]) -> Sequence[int | str]:
    return ()


def _space(_match: re.Match[str]) -> Sequence[int | str]:
    return (" ",)


def _inside(_match: re.Match[str]) -> Sequence[int | str]:
    return (1,)


def _rule(pattern: str, instead: _Instead = _nothing) -> _Rule:
    return re.compile(pattern, re.MULTILINE | re.IGNORECASE), instead


# ------------------------------------------------------------------ Markdown

_TARGET = r"\((?:[^()\s]|\([^()\s]*\))*(?:\s+(?:\"[^\"\n]*\"|'[^'\n]*'))?\s*\)"
_BLANK = r"[ \t]*+"
_MARKDOWN = [
    _rule(r"<!--[\s\S]{0,1000}?-->"),
    _rule(r"</?[a-z][a-z0-9]{0,9}(?:\s[^<>]*|/)?>"),
    # Fences, rules, lines under headings and in tables, what links and notes refer to.
    _rule(rf"^{_BLANK}(?:```|~~~)[^`\n]*$"),
    _rule(rf"^{_BLANK}(?:(?:[-=_*]{_BLANK}){{3,}}|\|?(?:{_BLANK}:?-++:?{_BLANK}\|)+[ :-]*)$"),
    _rule(rf"^{_BLANK}\[[^\[\]\n]+\]:{_BLANK}<?(?:\w+://|www\.|[/.#])\S*.*$"),
    # Pictures, links to their text, addresses in angle brackets.
    _rule(rf"!\[[^\[\]\n]*\](?:{_TARGET}|\[[^\[\]\n]*\])"),
    _rule(rf"(?<!!)\[([^\[\]]*)\]{_TARGET}", _inside),
    _rule(r"(?<!!)\[([^\[\]\n]+)\]\[[^\[\]\n]*\]", _inside),
    _rule(r"<(?:mailto:)?([^\s<>@]*[.@][^\s<>]+)>", _inside),
    _rule(r"\\(?=[!-/:-@\[-`{-~])"),
    # At the beginning of lines: block quotes, bullets, boxes to tick, headings.
    _rule(rf"^{_BLANK}>[> \t]*"),
    _rule(rf"^{_BLANK}(?:[-*+•‣◦▪][ \t]++)+(?:\[[ x]\][ \t]+)?"),
    _rule(rf"^{_BLANK}(?:#{{1,6}}[ \t]+)+|(?<=\S)(?:[ \t]++#+)+{_BLANK}$"),
    # A hashtag; C# and #1 stay.
    _rule(r"(?<![\w&#])#(?=[^\W\d_])"),
    _rule(r"`+"),
]


def _unless_multiplied(match: re.Match[str]) -> Sequence[int | str] | None:
    """Leave 2*3*4."""
    text = match.string
    neighbours = text[match.start() - 1 : match.start()] + text[match.end() : match.end() + 1]
    return None if any(map(str.isdecimal, neighbours)) else (2,)


_EMPHASIS = [
    _rule(r"(\*{1,3})(?=[^\s*])([^*]*[^\s*])\1(?!\*)", _unless_multiplied),
    # What has its other half in another sentence.
    _rule(r"(?<![\w*])\*+(?=[^\s*])|(?<=[^\s*])\*+(?![\w*])"),
    _rule(r"(?<!\w)_+(?=\w)|(?<=[^\s_])_+(?!\w)|(?<!\S)_+(?!\S)"),
    _rule(r"~~|==|(?<!\w)~(?=[^\W\d])|(?<=\w)~(?!\w)"),
    _rule(r"(?<!\S)\|+(?!\S)|\|+$", _space),
]

_EMOJI = (
    r"[\U0001f000-\U0001faff\U000e0020-\U000e007f\u2600-\u266c\u2670-\u27bf\u2b00-\u2bff"
    r"\u231a\u231b\u23e9-\u23fa\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\ufe0f\u20e3]"
)
_PICTURES = [_rule(rf"{_EMOJI}(?:\u200d?{_EMOJI})*", _space)]

# ---------------------------------------------------------- stage directions

# First or last words of directions; of scripts without spaces, what is in them.
_DIRECTIONS = """
applause beat chuckles claps coughs cries fade gasps giggles groans laughs laughing laughter music
pause pauses silence sighs sings sobs smiles sniffs whispers whispering yawns
pausa música risas ríe silencio suspira aplausos llora susurra
musik lacht gelächter seufzt stille beifall applaus flüstert weint
musique rire rires rit soupir soupire applaudissements chuchote pleure
riso risos ri suspiro silêncio chora sussurra
пауза музыка смех смеётся смеется вздыхает тишина аплодисменты шёпотом шепчет плачет
موسيقى ضحك يضحك صمت تنهد تصفيق توقف همس
संगीत हँसी हंसी हँसते विराम सन्नाटा तालियाँ आह
音乐 笑 笑声 停顿 沉默 掌声 叹气 哭 音樂 笑聲 停頓 掌聲 嘆氣 音楽 笑い 間 沈黙 拍手 ため息
ดนตรี หัวเราะ เงียบ ถอนหายใจ ปรบมือ
"""
_MOST_WORDS = 4
_MOST_CHARACTERS = 40
_SPACELESS = re.compile(r"[\u0e01-\u0e46\u3040-\u30ff\u3400-\u9fff]")


@cache
def _directions() -> tuple[frozenset[str], tuple[str, ...]]:
    words = frozenset(_DIRECTIONS.split())
    return words, tuple(word for word in words if len(word) > 1 and _SPACELESS.match(word))


def _is_direction(inside: str) -> bool:
    """Whether it says by its words that it is one."""
    words = re.split(r"[\s.,!?…。！？،؛;:–—]+", inside.strip(" .!?…。！？।").casefold())
    known, parts = _directions()
    return bool({words[0], words[-1]} & known) or any(part in inside for part in parts)


def _bracketed(match: re.Match[str]) -> Sequence[int | str]:
    text, inside = match.string, match[1]
    if re.fullmatch(r"\^.+|[\d,;\s–-]*", inside) or _is_direction(inside):
        return (" ",)
    around = text[match.start() - 1 : match.start()] + text[match.end() : match.end() + 1]
    # Where no spaces are written they tell nothing.
    part_of_word = any(each.isalpha() and not _SPACELESS.match(each) for each in around)
    return (1,) if part_of_word or _is_quoted(text, match.start(), match.end()) else (" ",)


def _is_quoted(text: str, start: int, end: int) -> bool:
    """Whether a quotation has begun before a place and goes on after it."""
    # No sentence is longer.
    begin = max(0, start - 500)
    text, start, end = text[begin : end + 500], start - begin, end - begin
    for opening, closing in ("“”", "«»", "„“", "「」", "『』"):
        if text.rfind(opening, 0, start) > text.rfind(closing, 0, start) and closing in text[end:]:
            return True
    return text.count('"', 0, start) % 2 == 1 and '"' in text[end:]


_SENTENCE_ENDS = re.compile(r"(?:^|[\n.!?…。！？।؟][\"”’»」』)]*)[ \t]*$")


def _aside(match: re.Match[str]) -> Sequence[int | str] | None:
    """Judge what stands in parentheses or asterisks."""
    text, mark, inside = match.string, match[1], match[2].strip()
    before = text[max(0, match.start() - 20) : match.start()]
    if not _SENTENCE_ENDS.search(before) or not any(map(str.isalpha, inside)):
        return None
    if _is_direction(inside) and len(inside) <= _MOST_CHARACTERS:
        return (" ",)
    most = _MOST_CHARACTERS // 4 if _SPACELESS.search(inside) else _MOST_CHARACTERS
    # Numbers and addresses are told to listeners, not to actors.
    told = any(each.isdecimal() or each in ".@" for each in inside[:-1])
    if told or mark == "【" or len(inside) > most or len(inside.split()) > _MOST_WORDS:
        return None
    first = next(filter(str.isalpha, inside))
    following = text[match.end() : match.end() + 20].lstrip(" \t")
    if following and following[0] != "\n":
        # "(nodding) We go.", but "(almost) all of them".
        begins = next(filter(str.isalpha, following), "")
        alone = first.islower() and begins.isupper()
    else:
        alone = mark != "*" or first.islower()
    return (" ",) if alone and inside[-1] not in ".!?…。！？।؟" else None


_STAGE = [
    _rule(r"(?<![\w*])(\*)(?=[^\s*])([^*\n]+)(?<=\S)\*(?![\w*])[.。]?", _aside),
    *_EMPHASIS,
    _rule(r"[\[［]([^\[\]［］]{0,300})[\]］]", _bracketed),
    _rule(r"([(（【])([^()（）【】\n]+)[)）】][.。]?", _aside),
]

# ----------------------------------------------------------------- addresses

_LABEL = r"[a-z0-9\u00c0-\u024f\u0400-\u04ff]"
_HOST = rf"(?:{_LABEL}[a-z0-9\u00c0-\u024f\u0400-\u04ff-]*\.)+{_LABEL}{{2,}}"
_COMMON_ENDING = r"(?:com|org|net|edu|gov|info|io|ai|app|dev|tv|co\.uk)"
_PATH_ENDS = r"#-&+\-/-9=@-Z_a-z~\u00c0-\u024f\u0400-\u04ff"
_TO_PATH_END = rf"[!'-*,.:;?{_PATH_ENDS}]*[{_PATH_ENDS}]"
_ADDRESS = re.compile(
    rf"(?<![\w.+%-])(?P<local>[\w.+%-]+)@(?P<at>{_HOST})"
    r"|(?<![a-z0-9_@./-])"
    rf"(?:(?P<scheme>(?:https?|ftp)://(?:[!-.:-?A-~]{{1,80}}@)?(?:www\.)?|www\.)(?P<host>{_HOST}|localhost|[\d.]*\d)"
    rf"|(?P<bare>(?:[a-z0-9][a-z0-9-]*\.)+{_COMMON_ENDING})(?![\w-]|\.\w))"
    rf"(?::\d+)?(?P<path>/(?:{_TO_PATH_END})?|[?#]{_TO_PATH_END})?",
    re.IGNORECASE,
)


def _address(match: re.Match[str]) -> Sequence[int | str] | None:
    """Leave of an address the domain."""
    group = "host" if match["host"] else "bare"
    whole = not match["scheme"] and not match["path"]
    return None if match["local"] or whole else (match.re.groupindex[group],)


def _english_address(match: re.Match[str]) -> Sequence[int | str] | None:
    if match["local"]:
        name = match["local"].replace(".", " dot ").replace("_", " underscore ")
        return (" ".join(f"{name} at {_dots(match['at'])}".split()),)
    words = _dots(match["host"] or match["bare"])
    # A word after the domain is one to remember; all else is for machines.
    if page := re.fullmatch(r"/([a-z]{2,20})/?", match["path"] or "", re.IGNORECASE):
        words += f" slash {page[1]}"
    return (words,)


def _dots(host: str) -> str:
    return host.replace(".", " dot ")


_RULES = [*_MARKDOWN, *_STAGE, *_PICTURES]
_GAPS = [
    _rule(r"[(\[（]\s*[)\]）]"),
    _rule(r"[^\S\n]+(?=\n)|(?<=\n)[^\S\n]+|\A[,;:，：、\s]+|\s+\Z"),
    _rule(r"(\s)\s+", lambda match: ("\n",) if "\n" in match[0] else (1,)),
    _rule(r"(?<=\w) (?=[,.;!?](?:\s|\Z))"),
]
