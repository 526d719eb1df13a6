"""Small honest models for tests: they plan, draw and speak for real, at once and for nothing."""

from __future__ import annotations

import asyncio
import hashlib
import math
import struct
import zlib
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from visionpulse.models import (
    Picture,
    PictureRequest,
    Rewrite,
    RewriteRequest,
    SceneDraft,
    Speech,
    SpeechRequest,
    Storyboard,
    StoryboardRequest,
    StyleBible,
    Usage,
    Value,
    Word,
)
from visionpulse.protocols import Quote
from visionpulse.text import partition, words_of


@dataclass
class Fake:
    """What the fakes have in common.

    Args:
        price: Dollars a call costs.
        seconds: How long a call takes.
        failures: Raised instead of the next answers, first one first; None lets a call through.
    """

    price: Decimal = Decimal(0)
    seconds: float = 0.0
    failures: list[Exception | None] = field(default_factory=list[Exception | None])
    identity: str = "fake"
    concurrency: int = 8

    def quote(self, _request: Value) -> Quote:
        """Every call costs the same."""
        return Quote(self.price, lambda _usage: self.price)

    async def _answer(self) -> None:
        await asyncio.sleep(self.seconds)
        if self.failures and (failure := self.failures.pop(0)):
            raise failure


@dataclass
class FakePrompts(Fake):
    """Divides the sentences evenly; the prompt is the text."""

    asked: list[StoryboardRequest] = field(default_factory=list[StoryboardRequest])
    provider: str = "fake"
    model: str = "fake-prompts"

    async def storyboard(self, request: StoryboardRequest) -> Storyboard:
        """Return scenes whose prompts are their sentences."""
        self.asked.append(request)
        await self._answer()
        sentences = request.sentences
        ranges = request.ranges or partition([len(s) for s in sentences], request.scene_count)
        drafts = [
            SceneDraft(
                first=first,
                last=last,
                prompt=f"{request.style.name}: {' '.join(sentences[first : last + 1])}",
            )
            for first, last in ranges
        ]
        bible = StyleBible(lens="One light.")
        return Storyboard(scenes=tuple(drafts), bible=bible, usage=Usage(output_tokens=1))

    async def rewrite(self, request: RewriteRequest) -> Rewrite:
        """Return the prompt, more politely."""
        await self._answer()
        return Rewrite(prompt=f"Politely: {request.prompt}")


@dataclass
class FakeImages(Fake):
    """Draws a gradient in a colour of the prompt's."""

    drawn: list[str] = field(default_factory=list[str])
    """The prompts, in the order they were asked for."""
    provider: str = "fake"
    model: str = "fake-images"

    async def draw(self, request: PictureRequest) -> Picture:
        """Return a small PNG."""
        self.drawn.append(request.prompt)
        await self._answer()
        colour = hashlib.sha256(request.prompt.encode()).digest()[:3]
        return Picture(data=gradient_png(colour, 64, 64))


@dataclass
class FakeSpeech(Fake):
    """Hums for 40 ms a character, a pitch for each voice."""

    spoken: list[str] = field(default_factory=list[str])
    """The texts, in the order they were asked for."""
    provider: str = "fake"
    model: str = "fake-speech"
    sample_rate: int = 24_000

    async def speak(self, request: SpeechRequest) -> Speech:
        """Return a hum with exact word times."""
        self.spoken.append(request.text)
        await self._answer()
        length = 0.04 * max(5, len(request.text))
        pitch = 180 + sum(request.voice.encode()) % 120
        count = int(length * self.sample_rate)
        second = _second(pitch, self.sample_rate)
        pcm = (second * (int(length) + 1))[: 2 * count]
        words = words_of(request.text)
        return Speech(
            pcm=pcm,
            sample_rate=self.sample_rate,
            words=tuple(
                Word(
                    text=word,
                    start=length * start / len(request.text),
                    end=length * end / len(request.text),
                )
                for word, start, end in words
            ),
        )


@lru_cache
def _second(pitch: int, sample_rate: int) -> bytes:
    """Return a second of a hum, which can be repeated: both its frequencies are whole."""
    samples: list[int] = []
    for sample in range(sample_rate):
        second = sample / sample_rate
        # Swells three times a second, as syllables do.
        level = 0.5 - 0.5 * math.cos(2 * math.pi * 3 * second)
        samples.append(round(9_000 * level * math.sin(2 * math.pi * pitch * second)))
    return struct.pack(f"<{sample_rate}h", *samples)


def gradient_png(colour: bytes, width: int, height: int) -> bytes:
    """Return a PNG that goes from a colour at the top to white, without an imaging library."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    rows = b"".join(
        b"\0" + bytes(c + (255 - c) * y // height for c in colour) * width for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
