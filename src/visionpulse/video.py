"""VideoService: pictures and narration become a film."""

from __future__ import annotations

import hashlib
import os
import wave
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from visionpulse import loop, registry
from visionpulse.audio import verify_file
from visionpulse.calls import Made
from visionpulse.captions import cues, srt, vtt
from visionpulse.errors import BadAnswerError, InputError
from visionpulse.images import verify_picture
from visionpulse.language import detect_language
from visionpulse.ledger import Ledger, Recipe, current_run
from visionpulse.models import (
    Artefact,
    Film,
    Motion,
    Narration,
    Scene,
    Sentence,
    SpokenSentence,
    VideoOptions,
)
from visionpulse.protocols import Move, Piece, Renderer, Tags, Use
from visionpulse.storyboard import sentence_ranges
from visionpulse.text import partition, title_of
from visionpulse.timeline import Still, Timeline, even, film, lay_out, motions, soundtrack


class VideoService:
    """Assembles films, piece by piece, each encoded once.

    Args:
        renderer: Encodes, mixes and joins; ffmpeg if not given.
        ledger: Where everything made is recorded; by default files and a database below `home`.
        home: The folder of the default ledger; the working folder if not given.

    Example:
        film = VideoService().create_video(paths, narration, "my-video")
        film.video_path    # output/videos/my-video.mp4
    """

    def __init__(
        self,
        *,
        renderer: Renderer | None = None,
        ledger: Ledger | None = None,
        home: str | Path | None = None,
    ) -> None:
        self.renderer: Renderer = (
            renderer or registry.load("renderer", "ffmpeg", registry.RENDERERS)()
        )
        self.ledger: Ledger = ledger or Ledger.at(home)

    def create_video(
        self,
        images: Sequence[str | Path],
        audio: Narration | str | Path,
        video_id: str,
        *,
        scenes: Sequence[Scene] = (),
        options: VideoOptions | None = None,
        title: str = "",
    ) -> Film:
        """Blocking form of `acreate_video`."""
        return loop.run(
            lambda: self.acreate_video(
                images, audio, video_id, scenes=scenes, options=options, title=title
            )
        )

    async def acreate_video(
        self,
        images: Sequence[str | Path],
        audio: Narration | str | Path,
        video_id: str,
        *,
        scenes: Sequence[Scene] = (),
        options: VideoOptions | None = None,
        title: str = "",
    ) -> Film:
        """Make `videos/{video_id}.mp4` with captions beside it, and `narration.mp3` to its length.

        Args:
            images: Pictures, in order: files, or keys of the storage.
            audio: The narration; or one sound file, which is divided evenly among the pictures.
            video_id: For whom; what a video uses is kept as long as the video.
            scenes: Which sentences are heard over which picture; without them the narration is
                divided as evenly as its sentences allow.
            options: The shape of the film.
            title: For the container.

        Raises:
            InputError: Pictures, scenes and narration do not fit each other.
            RenderError: The film could not be made.
        """
        made = await self.assemble(
            images, audio, video_id, scenes=scenes, options=options, title=title
        )
        storage = self.ledger.storage
        for name, key in made.files.items():
            await loop.in_thread(storage.link, key, name)
        return made.film.model_copy(
            update={
                "video_path": storage.locate(made.film.video_path),
                "audio_path": storage.locate(made.film.audio_path),
                "caption_paths": {
                    kind: storage.locate(name) for kind, name in made.film.caption_paths.items()
                },
            }
        )

    async def assemble(
        self,
        images: Sequence[str | Path],
        audio: Narration | str | Path,
        video_id: str,
        *,
        scenes: Sequence[Scene] = (),
        options: VideoOptions | None = None,
        title: str = "",
    ) -> Assembled:
        """Make the film and what lies beside it, publishing no name. Raises as `create_video`."""
        shape = options or VideoOptions()
        if not images:
            raise InputError("There is no picture to make a film of.")
        making = _Making(self, video_id, shape)
        pictures = await loop.all_of(*(making.picture(image) for image in images))
        stills = _stills(pictures, scenes, seed=video_id)
        if isinstance(audio, Narration):
            narration = audio
            timeline = _timeline(narration, len(stills), scenes, shape)
        else:
            whole = await making.import_sound(Path(audio))
            narration = Narration(sentences=(whole,), voice="")
            timeline = even(
                len(stills),
                Fraction(whole.samples, whole.sample_rate),
                fps=shape.fps,
                transition=shape.transition,
            )
        pieces = film(timeline, stills, width=shape.size[0], height=shape.size[1])
        if run := current_run.get():
            # Beside the pieces: sound and narration, SRT and VTT, and the film itself.
            run.plan("assemble_video", len(pieces) + 5)
        encoded, sound, spoken, captions = await _together(
            loop.all_of(*(making.piece(piece) for piece in pieces)),
            making.sound(timeline, narration, ".m4a"),
            making.sound(timeline, narration, ".mp3"),
            making.captions(timeline, narration),
        )
        language = detect_language(" ".join(each.text for each in narration.sentences))
        tags = Tags(title, language, _chapters(timeline, scenes))
        finished = await making.film(encoded, sound, tags, timeline)
        return _assembled(video_id, timeline, finished, spoken, captions)


class Assembled(NamedTuple):
    """A film by its names, and the objects the names stand for."""

    film: Film
    files: dict[str, str]


@dataclass(frozen=True)
class _Making:
    """The recipes of one film."""

    service: VideoService
    video_id: str
    shape: VideoOptions

    async def picture(self, image: str | Path) -> str:
        """Return a picture's storage key, taking a file of the user's in."""
        if isinstance(image, str) and PurePosixPath(image).parts[:1] == ("objects",):
            return image
        data, suffix = await loop.in_thread(_read_file, image)

        async def make(_scratch: Path) -> Made:
            return Made(data, suffix)

        def verify(made: Made) -> None:
            try:
                verify_picture(made)
            except BadAnswerError as error:
                raise InputError(
                    f"{image} is no picture that can be read.",
                    hint="Give a whole PNG, JPEG or WebP file.",
                ) from error

        return (await self._once("import", {"sha256": _sha256(data)}, make, verify)).key

    async def import_sound(self, file: Path) -> SpokenSentence:
        """Take a sound file of the user's in, as one long sentence without words."""
        data, _ = await loop.in_thread(_read_file, file)

        async def make(scratch: Path) -> Made:
            out = scratch / "sound.wav"
            await loop.call(self.service.renderer.decode, file, out)
            with wave.open(str(out)) as sound:
                meta = {"samples": sound.getnframes(), "sample_rate": sound.getframerate()}
            if not meta["samples"]:
                raise InputError(f"{file} has no sound in it.", hint="Give another file.")
            return Made(out, ".wav", meta)

        identity = self.service.renderer.identity
        artefact = await self._once(
            "sound", {"by": identity, "sha256": _sha256(data)}, make, verify_file
        )
        return SpokenSentence(text="", start=0, end=0, key=artefact.key, **artefact.meta)

    async def piece(self, piece: Piece) -> Artefact:
        """Encode a stretch of the film."""

        async def make(scratch: Path) -> Made:
            fetched = replace(
                piece,
                still=await self._fetched(piece.still, scratch),
                into=piece.into and await self._fetched(piece.into, scratch),
            )
            out = scratch / "piece.mp4"
            await loop.call(self.service.renderer.encode, fetched, out)
            return Made(out, ".mp4", {"frames": piece.frames})

        inputs = {
            "by": self.service.renderer.identity,
            "size": [piece.width, piece.height],
            "fps": piece.fps,
            "frames": piece.frames,
            "still": _of_move(piece.still),
            "offset": piece.offset,
            "into": piece.into and _of_move(piece.into),
        }
        return await self._once("piece", inputs, make, verify_file, concurrency=os.cpu_count() or 1)

    async def sound(self, timeline: Timeline, narration: Narration, suffix: str) -> Artefact:
        """Mix the film's sound: AAC for the container, MP3 for people."""
        sentences = narration.sentences
        rate = max(each.sample_rate for each in sentences)
        keys = [Path(each.key) for each in sentences]
        track = soundtrack(timeline, keys, sample_rate=rate)

        async def make(scratch: Path) -> Made:
            storage = self.service.ledger.storage
            cues = [
                (at, await loop.in_thread(storage.fetch, key.as_posix(), scratch))
                for at, key in track.cues
            ]
            out = scratch / f"sound{suffix}"
            await loop.call(self.service.renderer.mix, replace(track, cues=tuple(cues)), out)
            return Made(out, suffix)

        inputs = {
            "by": self.service.renderer.identity,
            "format": suffix,
            "sample_rate": rate,
            "samples": track.samples,
            "cues": [[at, key.as_posix()] for at, key in track.cues],
        }
        return await self._once("sound", inputs, make, verify_file)

    async def captions(self, timeline: Timeline, narration: Narration) -> dict[str, Artefact]:
        """Write SRT and VTT."""
        if not timeline.sentences:
            # One sound file of the user's: nobody knows its words.
            return {}
        starts = [heard.start for heard in timeline.sentences]
        lines = cues(list(zip(starts, narration.sentences, strict=True)), end=timeline.seconds)
        return {
            "srt": await self._text("captions", srt(lines), ".srt"),
            "vtt": await self._text("captions", vtt(lines), ".vtt"),
        }

    async def film(
        self, pieces: Sequence[Artefact], sound: Artefact, tags: Tags, timeline: Timeline
    ) -> Artefact:
        """Join the pieces and look at the result."""
        width, height = self.shape.size

        async def make(scratch: Path) -> Made:
            storage, renderer = self.service.ledger.storage, self.service.renderer
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
            "by": self.service.renderer.identity,
            "pieces": [piece.sha256 for piece in pieces],
            "sound": sound.sha256,
            "title": tags.title,
            "language": tags.language,
            "chapters": [
                [round(start * 1000), round(end * 1000), name] for start, end, name in tags.chapters
            ],
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
        return await self.service.ledger.once(
            Recipe(kind, 1, "local", "local", inputs),
            make,
            verify,
            use=Use(self.video_id),
            concurrency=concurrency,
        )

    async def _fetched(self, move: Move, scratch: Path) -> Move:
        storage = self.service.ledger.storage
        file = await loop.in_thread(storage.fetch, move.picture.as_posix(), scratch)
        return replace(move, picture=file)


async def _together(
    pieces: Awaitable[list[Artefact]],
    sound: Awaitable[Artefact],
    spoken: Awaitable[Artefact],
    captions: Awaitable[dict[str, Artefact]],
) -> tuple[list[Artefact], Artefact, Artefact, dict[str, Artefact]]:
    results: list[Any] = await loop.all_of(pieces, sound, spoken, captions)
    return results[0], results[1], results[2], results[3]


def _read_file(name: str | Path) -> tuple[bytes, str]:
    file = Path(name)
    try:
        return file.read_bytes(), file.suffix.lower()
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror}.", hint="Check the path."
        ) from error


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _of_move(move: Move) -> dict[str, str | int]:
    return {"sha256": move.sha256, "motion": move.motion, "frames": move.frames}


def _stills(keys: Sequence[str], scenes: Sequence[Scene], seed: str) -> list[Still]:
    if scenes and len(scenes) != len(keys):
        raise InputError(f"{len(keys)} pictures do not fit {len(scenes)} scenes.")
    moves: list[Motion] = [scene.motion for scene in scenes] or motions(len(keys), seed=seed)
    return [
        Still(Path(key), PurePosixPath(key).stem, move)
        for key, move in zip(keys, moves, strict=True)
    ]


def _timeline(
    narration: Narration, pictures: int, scenes: Sequence[Scene], shape: VideoOptions
) -> Timeline:
    sentences = narration.sentences
    if scenes:
        ranges: Sequence[tuple[int, int]] = sentence_ranges(
            [Sentence(text=each.text, start=each.start, end=each.end) for each in sentences],
            scenes,
        )
    elif pictures > len(sentences):
        raise InputError(
            f"{pictures} pictures are too many for {len(sentences)} sentences.",
            hint="Every picture needs a sentence to be heard over it.",
        )
    else:
        ranges = partition([each.seconds for each in sentences], pictures)
    return lay_out(
        [sentences[first : last + 1] for first, last in ranges],
        fps=shape.fps,
        transition=shape.transition,
    )


def _chapters(timeline: Timeline, scenes: Sequence[Scene]) -> tuple[tuple[float, float, str], ...]:
    return tuple(
        (
            float(timeline.start(number)),
            float(timeline.start(number) + Fraction(shot.frames, timeline.fps)),
            title_of(scene.text),
        )
        for number, (shot, scene) in enumerate(zip(timeline.shots, scenes, strict=False))
    )


def _assembled(
    video_id: str,
    timeline: Timeline,
    finished: Artefact,
    spoken: Artefact,
    captions: dict[str, Artefact],
) -> Assembled:
    video, audio = f"videos/{video_id}.mp4", f"audio/{video_id}/narration.mp3"
    beside = {kind: f"videos/{video_id}.{kind}" for kind in captions}
    return Assembled(
        Film(
            video_path=video,
            audio_path=audio,
            caption_paths=beside,
            duration=float(timeline.seconds),
            starts=tuple(float(timeline.start(n)) for n in range(len(timeline.shots))),
            durations=tuple(shot.frames / timeline.fps for shot in timeline.shots),
        ),
        {
            video: finished.key,
            audio: spoken.key,
            **{beside[kind]: artefact.key for kind, artefact in captions.items()},
        },
    )
