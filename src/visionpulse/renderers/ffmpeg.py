"""The renderer: pieces by x264 in ffmpeg child processes, joined without encoding again.

Every piece is encoded by one single-threaded encoder, which gives the same bytes on every run;
speed comes from encoding several pieces at once.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape

import anyio
import anyio.to_thread

from visionpulse.errors import RenderError
from visionpulse.protocols import Piece, Soundtrack, Tags
from visionpulse.renderers import sound as sounds
from visionpulse.renderers.encoders import Encoder, find_encoder
from visionpulse.renderers.frames import VERSION as FRAMES
from visionpulse.renderers.frames import Overlay, frames
from visionpulse.renderers.languages import three_letters
from visionpulse.renderers.lettering import VERSION as LETTERING
from visionpulse.renderers.lettering import overlays
from visionpulse.renderers.mp4 import VideoTrack, append_xmp, video_track
from visionpulse.renderers.probe import check_film
from visionpulse.renderers.process import Job, find_ffmpeg
from visionpulse.renderers.sound import VERSION as SOUND
from visionpulse.renderers.timed_text import timed_text

_log = logging.getLogger(__name__)

COLOUR = [
    *("-color_range", "tv", "-colorspace", "bt709"),
    *("-color_primaries", "bt709", "-color_trc", "bt709"),
]
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_MADE_BY_MODELS = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
# No names of programs and no dates: the same input gives the same bytes.
BARE = ["-fflags", "+bitexact", "-flags:v", "+bitexact"]


class FFmpegRenderer:
    """Renders with the ffmpeg that comes with imageio-ffmpeg.

    Args:
        encoder: `x264`; one in hardware (`nvenc`, `videotoolbox`, `qsv`, `vaapi`); or `auto` for
            the first of those that works here. What cannot be used is replaced by x264, and the log
            says why. Only x264 promises the same bytes for the same input.
        deadline: Seconds after which a child process is taken for hung and ended. By default a
            generous time that grows with the work.

    Raises:
        ConfigurationError: ffmpeg is missing, or there is no such encoder.
    """

    def __init__(self, *, encoder: str = "x264", deadline: float | None = None) -> None:
        self._deadline = deadline
        ffmpeg = find_ffmpeg()
        self._encoder: Encoder = find_encoder(encoder)
        settings = ";".join(" ".join(each) for each in self._encoder.quality.values())
        build = f"ffmpeg:{ffmpeg.version}:{ffmpeg.build}:{self._encoder.codec}:{settings}"
        self.identity: str = f"{build}:frames={FRAMES}:lettering={LETTERING}:sound={SOUND}"

    async def encode(self, piece: Piece, out: Path) -> None:
        """Write a piece as an MP4 of H.264 that begins with a key frame.

        An encoder that hangs or crashes is tried once more.

        Raises:
            RenderError: A picture cannot be used, or the encoder failed or hung.
            StorageError: The disk is full.
        """
        try:
            await _whole(lambda job: self._encode(job, piece, out), out)
        except RenderError as error:
            if not error.retryable:
                raise
            _log.warning("Once more: %s", error.message)
            await _whole(lambda job: self._encode(job, piece, out), out)

    async def poster(self, piece: Piece, out: Path) -> None:
        """Write the piece's middle frame, without subtitles, as a JPEG.

        Raises:
            RenderError: A picture cannot be used.
            StorageError: The disk is full.
        """
        middle = replace(piece, offset=piece.offset + piece.frames // 2, frames=1, into=None)
        arguments = [
            *("-loglevel", "error", *_raw(piece), "-i", "pipe:0", "-frames:v", "1"),
            # JFIF means BT.601 and the full range.
            *("-vf", "scale=in_color_matrix=bt709:out_color_matrix=bt601:out_range=pc"),
            *("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "2", *BARE),
            *("-update", "1", "-f", "image2", f"file:{out}"),
        ]

        def work(job: Job) -> None:
            what = f"Drawing a poster of {piece.still.picture.name}"
            job.run(arguments, what=what, seconds=self._deadline or 60, feed=frames(middle))

        await _whole(work, out)

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
        what = f"Encoding {piece.frames} frames of {piece.still.picture.name}"
        # Thirty times what a frame takes on one slow core.
        seconds = self._deadline or 60 + piece.frames * piece.width * piece.height / 1e6
        self._write(job, piece, overlays(job, piece), out, what=what, seconds=seconds)
        track = video_track(out)
        if track.frames != piece.frames:
            raise RenderError(f"The encoder wrote {track.frames} of {piece.frames} frames.")

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
        """Draw the frames and encode them."""
        encoder, filters = self._encoder, self._encoder.filters
        job.run(
            [
                *("-loglevel", "error", *encoder.before, *_raw(piece), "-i", "pipe:0"),
                *(("-vf", ",".join(filters)) if filters else ()),
                *encoder.arguments(piece.quality),
                *(*COLOUR, "-chroma_sample_location", "left", *BARE, "-f", "mp4", f"file:{out}"),
            ],
            what=what,
            seconds=seconds,
            feed=frames(piece, lettering),
        )

    def _join(self, job: Job, pieces: Sequence[Path], sound: Path, out: Path, tags: Tags) -> None:
        tracks = _fitting(pieces)
        frames_due, fps = (
            sum(track.frames for track in tracks),
            tracks[0].timescale // tracks[0].step,
        )
        held_back = max(track.held_back for track in tracks)
        language = three_letters(tags.language)
        track = ["-map", "3:s:0", "-metadata:s:s:0", f"language={language}"]
        with tempfile.TemporaryDirectory(prefix="visionpulse-") as folder:
            listed = Path(folder, "pieces.txt")
            listed.write_text("".join(f"file {_quoted(piece)}\n" for piece in pieces), "utf-8")
            described = Path(folder, "tags.txt")
            described.write_text(_metadata(tags), "utf-8")
            captions = Path(folder, "captions.mp4")
            if tags.captions:
                captions.write_bytes(timed_text(tags.captions))
            job.run(
                [
                    *("-loglevel", "error"),
                    # All pieces have equal parameter sets, so none need be repeated in the stream.
                    *("-f", "concat", "-safe", "0", "-auto_convert", "0", "-i", str(listed)),
                    *("-i", f"file:{sound}", "-f", "ffmetadata", "-i", str(described)),
                    *(("-i", str(captions)) if tags.captions else ()),
                    *("-map", "0:v:0", "-map", "1:a:0", "-c", "copy"),
                    # Concatenation counts in microseconds; this puts frames back on their places.
                    *("-bsf:v", f"setts=time_base=1/{fps}:prescale=1:pts=PTS:dts=N-{held_back}"),
                    *(track if tags.captions else ()),
                    *(*BARE, "-map_metadata", "2", "-map_chapters", "2"),
                    *("-metadata:s:a:0", f"language={language}"),
                    *("-movflags", "+faststart", "-f", "mp4", f"file:{out}"),
                ],
                what=f"Joining {len(pieces)} pieces",
                seconds=self._deadline or 60 + frames_due / fps,
            )
        append_xmp(out, _xmp(tags))
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


def _raw(piece: Piece) -> list[str]:
    """Return how the frames are described to ffmpeg."""
    return [
        *("-f", "rawvideo", "-pixel_format", "yuv420p"),
        *("-video_size", f"{piece.width}x{piece.height}", "-framerate", str(piece.fps), *COLOUR),
    ]


def _fitting(pieces: Sequence[Path]) -> list[VideoTrack]:
    """Return the pieces' picture tracks, if they fit each other."""
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
    return tracks


def _quoted(piece: Path) -> str:
    return "'" + str(piece.absolute()).replace("'", "'\\''") + "'"


def _metadata(tags: Tags) -> str:
    lines = [";FFMETADATA1", f"title={_escaped(tags.title)}", f"comment={_escaped(tags.comment)}"]
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


def _xmp(tags: Tags) -> str:
    """Return what says, by IPTC's vocabulary, that a film was made by trained models."""
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 Iptc4xmpExt:DigitalSourceType="{_MADE_BY_MODELS}">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(tags.title)}</rdf:li></rdf:Alt></dc:title>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""
