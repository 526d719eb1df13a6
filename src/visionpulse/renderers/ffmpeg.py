"""The renderer: pieces by x264 in ffmpeg child processes, joined without encoding again.

Every piece is encoded by one single-threaded encoder, which gives the same bytes on every run;
speed comes from encoding several pieces at once.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import anyio.to_thread

from visionpulse.errors import RenderError
from visionpulse.protocols import Piece, Soundtrack, Tags
from visionpulse.renderers import sound as sounds
from visionpulse.renderers.frames import VERSION, frames
from visionpulse.renderers.languages import three_letters
from visionpulse.renderers.mp4 import video_track
from visionpulse.renderers.probe import check_film
from visionpulse.renderers.process import Job, find_ffmpeg

# Chosen for slow moves over stills: fewer bytes than preset `medium` at a quarter of its work.
PRESET = "superfast"
X264 = "mbtree=1:b-adapt=0:rc-lookahead=24:bframes=7:keyint=250:open-gop=0"

_HELD_BACK = 2
"""Frames between decoding and showing, with the reference B-frames of these settings."""

_COLOUR = [
    *("-color_range", "tv", "-colorspace", "bt709"),
    *("-color_primaries", "bt709", "-color_trc", "bt709"),
]
# No names of programs and no dates: the same input gives the same bytes.
_BARE = ["-fflags", "+bitexact", "-flags:v", "+bitexact"]


class FFmpegRenderer:
    """Renders with the ffmpeg that comes with imageio-ffmpeg.

    Args:
        crf: Quality of the picture as x264 counts it: lower is better and larger, 18 to 28 is sane.
        deadline: Seconds after which a child process is taken for hung and ended. By default a
            generous time that grows with the work.

    Raises:
        ConfigurationError: ffmpeg is missing or lacks an encoder.
    """

    def __init__(self, *, crf: int = 21, deadline: float | None = None) -> None:
        self._crf = crf
        self._deadline = deadline
        ffmpeg = find_ffmpeg()
        encoder = f"ffmpeg:{ffmpeg.version}:{ffmpeg.build}:x264:{PRESET}:crf={crf}:{X264}"
        self.identity: str = f"{encoder}:frames={VERSION}"

    async def encode(self, piece: Piece, out: Path) -> None:
        """Write a piece as an MP4 of H.264 that begins with a key frame.

        Raises:
            RenderError: A picture cannot be used, or the encoder failed or hung.
            StorageError: The disk is full.
        """
        await _whole(lambda job: self._encode(job, piece, out), out)

    async def mix(self, soundtrack: Soundtrack, out: Path) -> None:
        """Write the sound at -16 LUFS: `.m4a` is AAC for the film, `.mp3` for people.

        Raises:
            RenderError: A sentence's sound cannot be used, or the encoder failed or hung.
            StorageError: The disk is full.
        """
        await _whole(lambda job: sounds.mix(job, soundtrack, out), out)

    async def join(self, pieces: Sequence[Path], sound: Path, out: Path, tags: Tags) -> None:
        """Write the film from its pieces, without encoding anything again.

        Raises:
            RenderError: The pieces do not fit each other, or joining failed.
            StorageError: The disk is full.
        """
        await _whole(lambda job: self._join(job, pieces, sound, out, tags), out)

    async def decode(self, sound: Path, out: Path) -> None:
        """Write any sound file as a WAV file (16-bit mono).

        Raises:
            RenderError: It is not a sound file, or it is damaged.
            StorageError: The disk is full.
        """
        arguments = [
            *("-loglevel", "error", "-xerror", "-protocol_whitelist", "file"),
            *("-i", f"file:{sound}", "-map", "0:a:0", "-ac", "1", "-c:a", "pcm_s16le"),
            *("-fflags", "+bitexact", "-map_metadata", "-1", "-f", "wav", f"file:{out}"),
        ]

        def work(job: Job) -> None:
            job.run(arguments, what=f"Reading {sound.name}", seconds=self._deadline or 600)

        await _whole(work, out)

    async def check(self, film: Path, *, width: int, height: int, fps: int, seconds: float) -> None:
        """Look at a finished film: streams, size, length, not black, not silent.

        Raises:
            RenderError: It is not what was ordered; all that is wrong is in the message.
        """
        await anyio.to_thread.run_sync(
            lambda: check_film(film, width=width, height=height, fps=fps, seconds=seconds)
        )

    def _encode(self, job: Job, piece: Piece, out: Path) -> None:
        if piece.width % 2 or piece.height % 2:
            raise RenderError(
                f"H.264 needs even sides, not {piece.width}x{piece.height}.",
                hint="Choose an even width and height.",
            )
        megapixels = piece.width * piece.height / 1e6
        job.run(
            [
                *("-loglevel", "error", "-f", "rawvideo", "-pixel_format", "yuv420p"),
                *("-video_size", f"{piece.width}x{piece.height}", "-framerate", str(piece.fps)),
                *(*_COLOUR, "-i", "pipe:0", "-c:v", "libx264", "-preset", PRESET),
                *("-crf", str(self._crf), "-x264-params", X264, "-threads", "1"),
                *(*_COLOUR, "-chroma_sample_location", "left", *_BARE, "-f", "mp4", f"file:{out}"),
            ],
            what=f"Encoding {piece.frames} frames of {piece.still.picture.name}",
            # Thirty times what a frame takes on one slow core.
            seconds=self._deadline or 60 + piece.frames * megapixels,
            feed=frames(piece),
        )
        track = video_track(out)
        if track.frames != piece.frames:
            raise RenderError(f"The encoder wrote {track.frames} of {piece.frames} frames.")

    def _join(self, job: Job, pieces: Sequence[Path], sound: Path, out: Path, tags: Tags) -> None:
        frames_due, fps = _fitting(pieces)
        with tempfile.TemporaryDirectory(prefix="visionpulse-") as folder:
            listed = Path(folder, "pieces.txt")
            listed.write_text("".join(f"file {_quoted(piece)}\n" for piece in pieces), "utf-8")
            described = Path(folder, "tags.txt")
            described.write_text(_metadata(tags), "utf-8")
            job.run(
                [
                    *("-loglevel", "error"),
                    # All pieces have equal parameter sets, so none need be repeated in the stream.
                    *("-f", "concat", "-safe", "0", "-auto_convert", "0", "-i", str(listed)),
                    *("-i", f"file:{sound}", "-f", "ffmetadata", "-i", str(described)),
                    *("-map", "0:v:0", "-map", "1:a:0", "-c", "copy"),
                    # Concatenation counts in microseconds; this puts frames back on their places.
                    *("-bsf:v", f"setts=time_base=1/{fps}:prescale=1:pts=PTS:dts=N-{_HELD_BACK}"),
                    *(*_BARE, "-map_metadata", "2", "-map_chapters", "2"),
                    *("-metadata:s:a:0", f"language={three_letters(tags.language)}"),
                    *("-movflags", "+faststart", "-f", "mp4", f"file:{out}"),
                ],
                what=f"Joining {len(pieces)} pieces",
                seconds=self._deadline or 60 + frames_due / fps,
            )
        film = video_track(out)
        if film.frames != frames_due or not film.evenly_spaced:
            raise RenderError(
                f"The joined film has {film.frames} frames instead of {frames_due}, "
                "or they are not evenly spaced."
            )


async def _whole(work: Callable[[Job], None], out: Path) -> None:
    """Do blocking work in a thread; it leaves `out` whole or not at all, also when cancelled."""
    job, begun, over = Job(), threading.Event(), threading.Event()

    def run() -> None:
        begun.set()
        try:
            work(job)
        except BaseException:
            with contextlib.suppress(OSError):
                out.unlink()
            raise
        finally:
            over.set()

    try:
        await anyio.to_thread.run_sync(run, abandon_on_cancel=True)
    except anyio.get_cancelled_exc_class():
        job.stop()
        # The child has been killed: this takes milliseconds, and nobody sees a half file.
        with anyio.CancelScope(shield=True):
            while begun.is_set() and not over.is_set():  # noqa: ASYNC110 - set in a thread
                await anyio.sleep(0.01)
        raise


def _fitting(pieces: Sequence[Path]) -> tuple[int, int]:
    """Return how many frames the pieces have in all and in a second, if they fit each other."""
    tracks = [video_track(piece) for piece in pieces]
    if not tracks:
        raise RenderError("There are no pieces to join.")
    first = tracks[0]
    for piece, track in zip(pieces, tracks, strict=True):
        if track.settings != first.settings or not track.evenly_spaced:
            raise RenderError(
                f"{piece.name} was encoded with other settings than {pieces[0].name}.",
                hint="Encode all pieces of a film with the same renderer.",
            )
    return sum(track.frames for track in tracks), first.timescale // first.step


def _quoted(piece: Path) -> str:
    return "'" + str(piece.absolute()).replace("'", "'\\''") + "'"


def _metadata(tags: Tags) -> str:
    lines = [";FFMETADATA1", f"title={_escaped(tags.title)}"]
    for start, end, name in tags.chapters:
        lines += ["[CHAPTER]", "TIMEBASE=1/1000"]
        lines += [f"START={round(start * 1000)}", f"END={round(end * 1000)}"]
        lines += [f"title={_escaped(name)}"]
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    flat = " ".join(value.replace("\0", "").split())
    escaped = "".join("\\" + c if c in "=;#\\" else c for c in flat)
    # ffmpeg takes a backslash before a line's end for a continuation, even one that is escaped.
    return f"{escaped} " if flat.endswith("\\") else escaped
