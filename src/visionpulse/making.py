"""The recipes of one film: everything that is made of its pictures and its narration."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from visionpulse import loop, music
from visionpulse.calls import Made
from visionpulse.captions import LINE, Cue, cues, srt, vtt
from visionpulse.errors import InputError
from visionpulse.fonts import typefaces
from visionpulse.ledger import Ledger, Recipe
from visionpulse.models import Artefact, Narration, VideoOptions
from visionpulse.pictures import is_object
from visionpulse.protocols import Move, Piece, Renderer, Tags, Use
from visionpulse.recording import verify_file
from visionpulse.subtitles import cut, fonts_in, line_length, subtitles
from visionpulse.timeline import Still, Timeline, film, pieces_of, soundtrack


@dataclass(frozen=True)
class Making:
    """The recipes of one film."""

    ledger: Ledger
    renderer: Renderer
    fonts: Path | None
    video_id: str
    shape: VideoOptions

    def pieces(
        self, timeline: Timeline, stills: Sequence[Still], narration: Narration, language: str
    ) -> list[Piece]:
        """Return what is encoded, with the captions that are drawn into it."""
        shape, (width, height) = self.shape, self.shape.size
        drawn = film(timeline, stills, width=width, height=height)
        pieces = [replace(each, framing=shape.framing, quality=shape.quality) for each in drawn]
        if shape.captions not in ("burned", "karaoke") or not timeline.sentences:
            return pieces
        text = "".join(each.text for each in narration.sentences)
        faces = typefaces(language, text, folder=self.fonts)
        lines = self.cues(timeline, narration, line=line_length(width, height))
        karaoke = shape.captions == "karaoke"
        written = subtitles(
            lines, faces, width=width, height=height, fps=timeline.fps, karaoke=karaoke
        )
        lettered: list[Piece] = []
        for piece, stretch in zip(pieces, pieces_of(timeline), strict=True):
            here = cut(written, stretch.first_frame, stretch.frames)
            lettered.append(replace(piece, subtitles=here, fonts=fonts_in(here, faces)))
        return lettered

    async def encoded(self, pieces: Sequence[Piece]) -> list[Artefact]:
        """Encode the pieces of the film, as many at once as there are cores."""
        order = encoding_order(pieces)
        made = await loop.all_of(*(self._piece(pieces[number]) for number in order))
        return [artefact for _, artefact in sorted(zip(order, made, strict=True), key=_first)]

    async def _piece(self, piece: Piece) -> Artefact:
        async def make(scratch: Path) -> Made:
            out = scratch / "piece.mp4"
            fetched = await self._with_pictures(piece, scratch)
            await loop.call(self.renderer.encode, fetched, out)
            return Made(out, ".mp4", {"frames": piece.frames})

        inputs = self._seen(piece) | {
            "frames": piece.frames,
            "offset": piece.offset,
            "into": piece.into and _of_move(piece.into),
            "quality": piece.quality,
            "subtitles": [[each.first, each.end, each.text] for each in piece.subtitles],
            "fonts": [[font.family, font.sha256] for font in piece.fonts],
        }
        return await self._once("piece", inputs, make, verify_file, concurrency=loop.cores())

    async def poster(self, piece: Piece) -> Artefact:
        """Draw a still that stands for the film."""

        async def make(scratch: Path) -> Made:
            out = scratch / "poster.jpg"
            fetched = await self._with_pictures(piece, scratch)
            await loop.call(self.renderer.poster, fetched, out)
            return Made(out, ".jpg")

        inputs = self._seen(piece) | {"frame": piece.offset + piece.frames // 2}
        return await self._once("poster", inputs, make, verify_file)

    def _seen(self, piece: Piece) -> dict[str, Any]:
        return {
            "by": self.renderer.identity,
            "size": [piece.width, piece.height],
            "fps": piece.fps,
            "still": _of_move(piece.still),
            "framing": piece.framing,
        }

    async def _with_pictures(self, piece: Piece, scratch: Path) -> Piece:
        return replace(
            piece,
            still=await self._fetched(piece.still, scratch),
            into=piece.into and await self._fetched(piece.into, scratch),
        )

    async def music(self, seed: str) -> str | None:
        """Return the storage key of the film's music, playing what is to be played."""
        name = self.shape.music
        if name is None or name not in music.MOODS:
            return name

        async def make(scratch: Path) -> Made:
            out = scratch / "music.wav"
            await loop.in_thread(music.write, name, seed, out)
            return Made(out, ".wav")

        inputs = {"version": music.VERSION, "mood": name, "seed": seed}
        return (await self._once("music", inputs, make, verify_file)).key

    async def kept_music(self) -> VideoOptions:
        """Take a file of the user's in; return options that name what is stored."""
        file = music_file(self.shape)
        if file is None:
            return self.shape

        async def make(_scratch: Path) -> Made:
            return Made(file, file.suffix.lower())

        inputs = {"sha256": await loop.in_thread(_sha256_of, file)}
        artefact = await self._once("import", inputs, make, verify_file)
        return self.shape.model_copy(update={"music": artefact.key})

    async def sound(self, timeline: Timeline, narration: Narration, suffix: str) -> Artefact:
        """Mix the film's sound: AAC for the container, MP3 for people."""
        sentences = narration.sentences
        rate = max(each.sample_rate for each in sentences)
        keys = [Path(each.key) for each in sentences]
        track = soundtrack(timeline, keys, sample_rate=rate)
        # The same first words, the same music: an edit further on does not change it.
        below = await self.music(seed=sentences[0].text)

        async def make(scratch: Path) -> Made:
            storage = self.ledger.storage
            cues = [
                (at, await loop.in_thread(storage.fetch, key.as_posix(), scratch))
                for at, key in track.cues
            ]
            out = scratch / f"sound{suffix}"
            whole = replace(
                track,
                cues=tuple(cues),
                music=await self._local(below, scratch),
            )
            await loop.call(self.renderer.mix, whole, out)
            return Made(out, suffix)

        inputs = {
            "by": self.renderer.identity,
            "format": suffix,
            "sample_rate": rate,
            "samples": track.samples,
            "cues": [[at, key.as_posix()] for at, key in track.cues],
            "music": below,
        }
        return await self._once("sound", inputs, make, verify_file)

    async def captions(self, lines: Sequence[Cue]) -> dict[str, Artefact]:
        """Write SRT and VTT, if there is anything to write."""
        if not lines:
            return {}
        return {
            "srt": await self._text("captions", srt(lines), ".srt"),
            "vtt": await self._text("captions", vtt(lines), ".vtt"),
        }

    def cues(self, timeline: Timeline, narration: Narration, *, line: int = LINE) -> list[Cue]:
        """Return the film's captions; none for a sound file of the user's, of unknown words."""
        if not timeline.sentences:
            return []
        starts = [heard.start for heard in timeline.sentences]
        spoken = list(zip(starts, narration.sentences, strict=True))
        return cues(spoken, end=timeline.seconds, line=line)

    async def film(
        self,
        pieces: Sequence[Artefact],
        sound: Artefact,
        tags: Tags,
        timeline: Timeline,
    ) -> Artefact:
        """Join the pieces and look at the result."""
        width, height = self.shape.size

        async def make(scratch: Path) -> Made:
            storage, renderer = self.ledger.storage, self.renderer
            files = [
                await loop.in_thread(storage.fetch, each.key, scratch) for each in [*pieces, sound]
            ]
            out = scratch / "film.mp4"
            await loop.call(lambda: renderer.join(files[:-1], files[-1], out, tags))
            await loop.call(
                lambda: renderer.check(
                    out,
                    width=width,
                    height=height,
                    fps=timeline.fps,
                    seconds=float(timeline.seconds),
                )
            )
            return Made(out, ".mp4")

        inputs = {
            "by": self.renderer.identity,
            "pieces": [piece.sha256 for piece in pieces],
            "sound": sound.sha256,
            "captions": _in_milliseconds(tags.captions),
            "title": tags.title,
            "comment": tags.comment,
            "language": tags.language,
            "chapters": _in_milliseconds(tags.chapters),
        }
        return await self._once("film", inputs, make, verify_file)

    async def _text(self, kind: str, text: str, suffix: str) -> Artefact:
        data = text.encode()

        async def make(_scratch: Path) -> Made:
            return Made(data, suffix)

        inputs = {"format": suffix, "sha256": _sha256(data)}
        return await self._once(kind, inputs, make, lambda _made: None)

    async def _once(
        self,
        kind: str,
        inputs: dict[str, Any],
        make: Callable[[Path], Awaitable[Made]],
        verify: Callable[[Made], None],
        concurrency: int = 4,
    ) -> Artefact:
        return await self.ledger.once(
            Recipe(kind, 1, "local", "local", inputs),
            make,
            verify,
            use=Use(self.video_id),
            concurrency=concurrency,
        )

    async def _fetched(self, move: Move, scratch: Path) -> Move:
        storage = self.ledger.storage
        file = await loop.in_thread(storage.fetch, move.picture.as_posix(), scratch)
        return replace(move, picture=file)

    async def _local(self, key: str | None, scratch: Path) -> Path | None:
        if key is None:
            return None
        return await loop.in_thread(self.ledger.storage.fetch, key, scratch)


def encoding_order(pieces: Sequence[Piece]) -> list[int]:
    """Return the pieces' numbers in the order in which they are best begun.

    Neighbours need the same stills; of each group the longest come first, so that at the end no
    core has a long one left.
    """
    return sorted(range(len(pieces)), key=lambda number: (number // 16, -pieces[number].frames))


def _in_milliseconds(
    spans: Sequence[tuple[float, float, str]],
) -> list[tuple[int, int, str]]:
    return [(round(start * 1000), round(end * 1000), text) for start, end, text in spans]


def _first(numbered: tuple[int, Artefact]) -> int:
    return numbered[0]


def music_file(options: VideoOptions) -> Path | None:
    """Return the file of the user's that is the film's music; None when it is not one.

    Raises:
        InputError: There is neither such a file nor such a mood.
    """
    name = options.music
    if name is None or name in music.MOODS or is_object(name):
        return None
    file = Path(name)
    if file.is_file():
        return file
    raise InputError(
        f"There is no music {name!r}.",
        hint=f"Name a mood ({', '.join(music.MOODS)}) or the path of a sound file.",
    )


def _sha256_of(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _of_move(move: Move) -> dict[str, str | int]:
    return {"sha256": move.sha256, "motion": move.motion, "frames": move.frames}
