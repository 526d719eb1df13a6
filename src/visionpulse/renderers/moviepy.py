"""The renderer on MoviePy: the same frames, composed as clips and written by MoviePy's writer."""

from __future__ import annotations

import os
import tempfile
import threading
import time
import warnings
from bisect import bisect_right
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from importlib.metadata import version
from itertools import accumulate
from math import floor, inf, nextafter
from pathlib import Path
from subprocess import Popen
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from visionpulse.protocols import Piece
from visionpulse.renderers.encoders import X264, X264_PRESET
from visionpulse.renderers.ffmpeg import BARE, COLOUR, FFmpegRenderer
from visionpulse.renderers.frames import Overlay, frames, one_thread
from visionpulse.renderers.mp4 import video_track
from visionpulse.renderers.process import Job, inspect

_variables = set(os.environ)
with warnings.catch_warnings():
    # Python warns of escapes in its sources when it compiles them.
    warnings.simplefilter("ignore", SyntaxWarning)
    from moviepy import AudioClip, VideoClip  # type: ignore[import-untyped]
    from moviepy.video.io import ffmpeg_writer  # type: ignore[import-untyped]
    from moviepy.video.io.ffmpeg_reader import FFMPEG_VideoReader  # type: ignore[import-untyped]
# It has loaded the .env file it found: keys of others, for every library in the process.
for _name in os.environ.keys() - _variables:
    del os.environ[_name]

Numbers = npt.NDArray[Any]

# Rec. ITU-R BT.709-6, section 3, solved for R'G'B': columns for Y, Cb, Cr in limited range, and 1.
_TO_RGB = np.array([[1, 0, 1.5748], [1, -0.13397 / 0.7152, -0.33480 / 0.7152], [1, 1.8556, 0]])
_TO_RGB = _TO_RGB * [255 / 219, 255 / 224, 255 / 224]
_TO_RGB = np.column_stack([_TO_RGB, _TO_RGB @ [-16, -128, -128]])
# The area of a chroma sample are the four pixels it was spread over: their mean is what it was.
_TO_YUV = (
    "scale=out_color_matrix=bt709:out_range=tv:flags=area+full_chroma_inp,"
    "setparams=color_primaries=bt709:color_trc=bt709"
)
_SOUND_RATE = 48_000
_WATCH_SECONDS = 0.05


class MoviePyRenderer(FFmpegRenderer):
    """Renders with MoviePy: every piece is a `VideoClip`, written by MoviePy's own writer.

    The frames are those of `FFmpegRenderer`, to the bit where RGB can hold their colours; the way
    through RGB is what a piece costs more. x264 has the same settings. Sound, posters and joining
    are the same code: a film has one soundtrack of measured loudness, which MoviePy cannot mix,
    and MoviePy would encode a whole film to change one scene of it.

    Args:
        deadline: Seconds after which a child process is taken for hung and ended. By default a
            generous time that grows with the work.

    Raises:
        ConfigurationError: ffmpeg is missing.
    """

    def __init__(self, *, deadline: float | None = None) -> None:
        super().__init__(deadline=deadline)
        # Not always ours: FFMPEG_BINARY in the environment gives MoviePy another one.
        writer = inspect(ffmpeg_writer.FFMPEG_BINARY)
        self.identity: str = f"moviepy:{version('moviepy')}:{writer.build}:{self.identity}"

    @staticmethod
    def clip(film: Path, pieces: Sequence[Piece], closing: ExitStack) -> Any:
        """Return a film as a MoviePy `VideoClip` with its sound.

        Args:
            film: Where the sound comes from, and the picture too if there are no pieces.
            pieces: All of the film; each frame is drawn when it is asked for.
            closing: What is to be closed with the clip, which takes it over.

        Raises:
            RenderError: The film cannot be read.
            StorageError: The disk is full.
        """
        track = video_track(film)
        fps = track.timescale // track.step
        last = (track.frames - 1) / fps
        picture = _Drawn(pieces) if pieces else _decoded(film, last, closing)
        seconds = _seconds(track.frames, fps)
        sound = AudioClip(_heard(film, seconds, closing), duration=seconds, fps=_SOUND_RATE)
        clip: Any = VideoClip(picture, duration=seconds)
        clip.fps, clip.audio, clip.close = fps, sound, closing.pop_all().close
        return clip

    def _write(
        self,
        job: Job,
        piece: Piece,
        lettering: Sequence[Overlay],
        out: Path,
        *,
        what: str,
        seconds: float,
    ) -> None:
        """Write a piece with MoviePy's writer, which neither watches its child nor how it ends."""
        duration = _seconds(piece.frames, piece.fps)
        clip = VideoClip(_Drawn([piece], lettering), duration=duration)
        with tempfile.TemporaryFile("w+", errors="replace") as told:
            writer: Any = ffmpeg_writer.FFMPEG_VideoWriter(
                str(out.absolute()),
                clip.size,
                piece.fps,
                preset=X264_PRESET,
                # A file: nobody empties a pipe while frames are written.
                logfile=told,
                ffmpeg_params=[
                    *("-loglevel", "error", "-vf", _TO_YUV, *X264.quality[piece.quality]),
                    *(*COLOUR, "-chroma_sample_location", "left", *BARE, "-f", "mp4"),
                ],
            )
            child: Popen[bytes] = writer.proc
            with _watched(child, job, seconds) as expired:
                try:
                    for image in clip.iter_frames(fps=piece.fps):
                        writer.write_frame(image)
                except OSError:
                    if child.poll() is None:
                        raise
                finally:
                    # What could not be written any more is no second failure.
                    with suppress(OSError):
                        writer.close()
                    child.wait()
            told.seek(0)
            late = seconds if expired.is_set() else None
            job.judge(child.returncode, told.read(), what=what, late=late)


class _Drawn:
    """The picture of a clip: each frame is drawn when it is asked for, in any order."""

    def __init__(self, pieces: Sequence[Piece], lettering: Sequence[Overlay] = ()) -> None:
        self._pieces, self._lettering = pieces, lettering
        self._ends = list(accumulate(piece.frames for piece in pieces))
        # The last crossfade that was drawn, whole: its frames cannot be drawn one by one.
        self._faded: tuple[int, list[bytes]] = -1, []
        height, width = pieces[0].height, pieces[0].width
        self._u, self._v = np.empty((2, height, width), np.uint8)
        self._yuv = np.empty((height, width, 3), np.uint8)

    def __call__(self, seconds: float) -> Numbers:
        """Return the frame that is seen at a time, as RGB."""
        # A frame's time divided and multiplied again may fall just short of it.
        frame = floor(seconds * self._pieces[0].fps + 1e-4)
        frame = min(max(frame, 0), self._ends[-1] - 1)
        number = bisect_right(self._ends, frame)
        piece = self._pieces[number]
        at = frame - self._ends[number] + piece.frames
        if piece.into is None:
            return self._alone(piece, at)
        if self._faded[0] != number:
            self._faded = number, [bytes(planes) for planes in frames(piece, self._lettering)]
        with one_thread:
            return self._rgb(self._faded[1][at])

    def _alone(self, piece: Piece, at: int) -> Numbers:
        one = replace(piece, offset=piece.offset + at, frames=1)
        shifted = [
            each._replace(first=each.first - at, end=each.end - at) for each in self._lettering
        ]
        (image,) = map(self._rgb, frames(one, shifted))
        return image

    def _rgb(self, planes: bytes | memoryview) -> Numbers:
        """Convert a frame, each chroma sample spread over its four pixels.

        Averaged again, as most programs do it, they give the same sample: no generation is lost.
        """
        height, width = self._u.shape
        luma, chroma = width * height, width * height // 4
        y, *halves = np.split(np.frombuffer(planes, np.uint8), [luma, luma + chroma])
        for half, plane in zip(halves, (self._u, self._v), strict=True):
            wide = cv2.merge([half, half]).reshape(height // 2, 1, width)
            plane.reshape(height // 2, 2, width)[...] = wide
        cv2.merge([y.reshape(height, width), self._u, self._v], dst=self._yuv)
        return cv2.transform(self._yuv, _TO_RGB)


class _Reader(FFMPEG_VideoReader):  # type: ignore[misc]
    """MoviePy's reader, which leaves its pipes open when its child has ended by itself."""

    def close(self, delete_lastread: bool = True) -> None:
        child: Any = self.proc
        super().close(delete_lastread)
        if child:
            child.stdout.close()
            child.stderr.close()
            child.wait()


def _seconds(frames: int, fps: int) -> float:
    """Return a duration that MoviePy finds all of the frames in: it rounds down."""
    seconds = frames / fps
    return seconds if int(seconds * fps) == frames else nextafter(seconds, inf)


def _decoded(film: Path, last: float, closing: ExitStack) -> Callable[[float], Numbers]:
    """Return what a `VideoClip` asks for, from a film's file: RGB by its tags."""
    reader: Any = _Reader(str(film))
    closing.callback(reader.close)
    # MoviePy finds no frame at the very end, and warns.
    return lambda seconds: reader.get_frame(min(seconds, last))


def _heard(film: Path, seconds: float, closing: ExitStack) -> Callable[[float | Numbers], Numbers]:
    """Return what an `AudioClip` asks for: both channels at one time or at many."""
    folder = tempfile.TemporaryDirectory(prefix="visionpulse-", ignore_cleanup_errors=True)
    raw = Path(closing.enter_context(folder), "sound.raw")
    Job().run(
        [
            *("-loglevel", "error", "-i", f"file:{film}", "-map", "0:a:0", "-ac", "2"),
            *("-ar", str(_SOUND_RATE), "-f", "s16le", f"file:{raw}"),
        ],
        what=f"Reading the sound of {film.name}",
        seconds=60 + seconds,
    )
    samples = np.memmap(raw, "<i2", "r").reshape(-1, 2)

    def heard(at: float | Numbers) -> Numbers:
        numbers = np.rint(np.multiply(at, _SOUND_RATE)).astype(int)
        # Films begin and end in silence, which goes on outside of them.
        found: Numbers = samples[np.clip(numbers, 0, len(samples) - 1)] / 32768
        return found

    return heard


@contextmanager
def _watched(child: Popen[bytes], job: Job, seconds: float) -> Generator[threading.Event]:
    """End a child when its job is stopped, its time is up, or the block fails."""
    over, expired = threading.Event(), threading.Event()

    def watch() -> None:
        deadline = time.monotonic() + seconds
        while not over.wait(_WATCH_SECONDS):
            if time.monotonic() > deadline:
                expired.set()
            if expired.is_set() or job.stopped:
                child.kill()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield expired
    finally:
        over.set()
        watcher.join()
