"""What readers see: where their characters begin, which are seen at all, which Chinese it is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from unicodedata import category, combining

_JOINER = "\u200d"
_VIRAMA = 9
"""Canonical combining class of the signs that stack the next letter under the one before."""
_VOWELS_BEFORE = frozenset("เแโใไເແໂໃໄ")
"""Thai and Lao vowels written before the letter after which they are spoken."""
_VOWELS_AFTER = frozenset("ำຳ")
"""Vowels that end in a mark upon the letter before, though they count as letters themselves."""
_SEEN_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")
"""Signs under or around numbers: formats by category, ink on paper."""
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")

# Pairs of a simplified character and the traditional one it replaced; both are common.
_REPLACED = """
们們 个個 这這 为為 说說 国國 时時 来來 会會 对對 学學 关關 开開 体體 点點 还還 么麼 进進 过過
问問 无無 电電 话話 东東 车車 门門 马馬 长長 发發 经經 书書 与與 实實 应應 当當 见見 边邊 从從
现現 样樣 动動 间間 觉覺 爱愛 难難 变變 吗嗎 气氣 机機 业業 义義 习習 乐樂 买買 争爭 产產 亲親
亿億 仅僅 传傳 众眾 远遠 运運 连連 选選 阳陽 阴陰 阶階 际際 陆陸 险險 随隨 隐隱 页頁 顶頂 项項
顺順 须須 预預 领領 头頭 题題 颜顏 风風 飞飛 鱼魚 鸟鳥 龙龍 给給 结結 线線 组組 细細 终終 网網
罗羅 层層 岁歲 师師 带帶 帮幫 广廣 庆慶 张張 强強 归歸 录錄 灯燈 灵靈 热熱 独獨
"""
_SIMPLIFIED = frozenset(pair[0] for pair in _REPLACED.split())
_TRADITIONAL = frozenset(pair[1] for pair in _REPLACED.split())


def begins_character(text: str, place: int) -> bool:
    """Return whether a reader sees a new character here, not an accent or half of an emoji.

    As in Unicode's grapheme clusters (UAX 29), and nothing is parted from a letter stacked upon it
    or from a vowel written before it either.
    """
    if not place:
        return True
    before, here = text[place - 1], text[place]
    if category(here) in ("Mn", "Mc", "Me", "Cf") or before == _JOINER:
        return False
    if "\U0001f3fb" <= here <= "\U0001f3ff":  # skin tones
        return False
    if "\u1160" <= here <= "\u11ff" or here in _VOWELS_AFTER or before in _VOWELS_BEFORE:
        return False
    if _is_flag_half(here):
        first = place
        while first and _is_flag_half(text[first - 1]):
            first -= 1
        return (place - first) % 2 == 0
    return not (combining(before) == _VIRAMA and category(here) == "Lo")


def characters(text: str) -> Iterator[str]:
    """Yield what a reader sees as characters, each a string of one code point or more."""
    places = [place for place in range(len(text)) if begins_character(text, place)]
    return (text[begin:end] for begin, end in pairwise([*places, len(text)]))


def is_seen(character: str) -> bool:
    """Return whether a code point needs a glyph: white space, joiners and selectors do not."""
    if character.isspace() or character in _UNSEEN:
        return False
    if "\ufe00" <= character <= "\ufe0f" or "\U000e0000" <= character <= "\U000e0fff":
        return False
    return category(character) not in ("Cc", "Cf") or character in _SEEN_FORMATS


def is_traditional(chinese: str) -> bool:
    """Return whether Chinese text is in traditional characters."""
    sample = chinese[:20_000]
    return sum(c in _TRADITIONAL for c in sample) > sum(c in _SIMPLIFIED for c in sample)


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
