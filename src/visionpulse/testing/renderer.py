"""What every renderer keeps to: run the checks over yours.

@pytest.mark.parametrize("check", RENDERER_CHECKS, ids=lambda check: check.__name__)
def test_conforms(check):
    check(MyRenderer)  # any callable that returns a renderer; its methods may be plain or async

The films are of 128x72 pixels and a second; they lie in folders whose names try what a command line
or a list of files could misread.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import time
import wave
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from visionpulse import loop
from visionpulse.errors import RenderError
from visionpulse.models import Motion
from visionpulse.protocols import Move, Piece, Soundtrack, Tags
from visionpulse.renderers.probe import probe
from visionpulse.renderers.process import Job
from visionpulse.renderers.sound import LOUDNESS, loudness_of
from visionpulse.testing.film import assert_video

# Not `Callable[[], Renderer]`: a type checker would refuse one whose methods are plain.
MakeRenderer = Callable[[], Any]
Pixels = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.float64]

_WIDTH, _HEIGHT, _FPS = 128, 72, 24
_RATE = 24_000
_TAGS = Tags("The 'deep' ocean = 1; #", "pt-BR", ((0.0, 0.25, "One; = #"), (0.25, 0.875, "Two")))


@contextmanager
def _folder() -> Generator[Path]:
    with TemporaryDirectory(prefix="it's 100%d of a film #1, ") as folder:
        yield Path(folder)


def _do(method: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    """Call a renderer's method, plain or async, and wait."""
    loop.run(loop.call, lambda: method(*arguments, **named))


def _fails(method: Callable[..., Any], *arguments: Any, **named: Any) -> bool:
    try:
        _do(method, *arguments, **named)
    except RenderError:
        return True
    return False


# ------------------------------------------------------------------ material


def _texture(seed: int) -> Pixels:
    """Return coarse and fine colours that a camera's move can be seen on."""
    dice = np.random.default_rng(seed)
    total = np.zeros((_HEIGHT * 2, _WIDTH * 2, 3))
    for cells in (4, 16, 64):
        noise = Image.fromarray(dice.integers(0, 256, (cells, cells, 3), np.uint8))
        total += np.asarray(noise.resize((_WIDTH * 2, _HEIGHT * 2), Image.Resampling.BICUBIC))
    return (total / 3).astype(np.uint8)


def _flat(left: int | tuple[int, ...], right: int | tuple[int, ...]) -> Pixels:
    """Return a picture of two halves, each of one colour."""
    pixels = np.empty((_HEIGHT, _WIDTH, 3), np.uint8)
    pixels[:, : _WIDTH // 2], pixels[:, _WIDTH // 2 :] = left, right
    return pixels


def _move(
    folder: Path, name: str, pixels: Pixels, motion: Motion = "none", frames: int = 24
) -> Move:
    path = folder / name
    Image.fromarray(pixels).save(path)
    return Move(path, hashlib.sha256(path.read_bytes()).hexdigest(), motion, frames)


def _piece(still: Move, frames: int = 24, offset: int = 0, into: Move | None = None) -> Piece:
    return Piece(_WIDTH, _HEIGHT, _FPS, frames, still, offset, into)


def _murmur(seed: int, seconds: float, level: float = 0.2) -> npt.NDArray[np.int16]:
    """Return noise that swells like syllables."""
    at = np.arange(round(seconds * _RATE)) / _RATE
    noise = np.random.default_rng(seed).normal(size=at.size)
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * at)
    return np.clip(noise * swell * level / 3 * 32_767, -32_768, 32_767).astype("<i2")


def _shrill(seconds: float) -> npt.NDArray[np.int16]:
    """Return a voice that is easily told from low music."""
    noise = np.random.default_rng(1).normal(size=round(seconds * _RATE))
    return (_between(noise, 1_000, 4_000) * 3_000).astype("<i2")


def _wav(path: Path, samples: npt.NDArray[np.int16]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(samples.tobytes())
    return path


def _track(folder: Path, samples: int, *cues: tuple[int, npt.NDArray[np.int16]]) -> Soundtrack:
    files = [
        (at, _wav(folder / f"sentence {number}.wav", sound))
        for number, (at, sound) in enumerate(cues)
    ]
    return Soundtrack(_RATE, samples, tuple(files))


def _film(renderer: Any, folder: Path) -> tuple[Path, list[Path]]:
    """Render two stills with a crossfade: 21 frames, 0.875 seconds. Returns film and pieces."""
    one = _move(folder, "one.png", _texture(1), "in", 12)
    two = _move(folder, "two.png", _texture(2), "left", 14)
    pieces = [_piece(one, 7), _piece(one, 5, 7, two), _piece(two, 9, 5)]
    parts = [folder / f"part {number}.mp4" for number in range(3)]
    sound, film = folder / "sound.m4a", folder / "film.mp4"
    track = _track(folder, 21 * _RATE // _FPS, (0, _murmur(1, 0.4)), (12_000, _murmur(2, 0.3)))

    async def encode() -> None:
        await loop.all_of(
            *(
                loop.call(renderer.encode, piece, part)
                for piece, part in zip(pieces, parts, strict=True)
            )
        )

    loop.run(encode)
    _do(renderer.mix, track, sound)
    _do(renderer.join, parts, sound, film, _TAGS)
    return film, parts


# ------------------------------------------------------------------ looking and listening


def _ffmpeg(source: Path, *arguments: str) -> bytes:
    return (
        Job()
        .run(["-i", f"file:{source}", *arguments], what=f"Looking at {source.name}", seconds=60)
        .stdout
    )


def _seen(piece: Path, pixels: str = "gray") -> Numbers:
    """Decode a piece: frame, row, column and, of rgb24, colour."""
    data = np.frombuffer(_ffmpeg(piece, "-f", "rawvideo", "-pix_fmt", pixels, "-"), np.uint8)
    colours = (3,) if pixels == "rgb24" else ()
    return data.reshape(-1, _HEIGHT, _WIDTH, *colours).astype(float)


def _apart(one: Numbers, other: Numbers) -> float:
    """Return how far two pictures are apart, in levels of a pixel."""
    return float(np.abs(one - other).mean())


def _checksums(film: Path) -> list[str]:
    listing = _ffmpeg(film, "-map", "0:v:0", "-f", "framemd5", "-").decode()
    return [line.rpartition(",")[2] for line in listing.splitlines() if not line.startswith("#")]


def _heard(sound: Path, rate: int = 48_000) -> Numbers:
    data = _ffmpeg(sound, "-map", "0:a:0", "-ac", "1", "-ar", str(rate), "-f", "s16le", "-")
    return np.frombuffer(data, "<i2").astype(float)


def _between(sound: Numbers, low: float, high: float) -> Numbers:
    """Return what a sound has between two frequencies."""
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / _RATE)
    spectrum[(hertz < low) | (hertz > high)] = 0
    return np.fft.irfft(spectrum, len(sound))


def _level(sound: Numbers, start: float, end: float) -> float:
    """Return the mean power between two seconds, in decibels."""
    stretch = sound[round(start * _RATE) : round(end * _RATE)]
    return float(10 * np.log10(np.mean(np.square(stretch)) + 1e-9))


# ------------------------------------------------------------------ the picture


def its_identity_lasts(make: MakeRenderer) -> None:
    """A renderer made the same way names itself the same: its pieces are found again by it."""
    identity = make().identity
    assert isinstance(identity, str)
    assert identity
    assert make().identity == identity


def a_piece_has_its_frames(make: MakeRenderer) -> None:
    """H.264 of the size and rate asked for, to the frame, be they one, two or many."""
    with _folder() as folder:
        renderer, out = make(), folder / "piece.mp4"
        still = _move(folder, "a.png", _texture(1), "in")
        for frames in (1, 2, 17):
            piece = _piece(still, frames)
            _do(renderer.encode, piece, out)
            found = probe(out)
            assert (found.frames, float(found.fps)) == (frames, _FPS)
            assert found.evenly_spaced
            assert (found.width, found.height) == (_WIDTH, _HEIGHT)
            assert (found.video_codec, found.pixel_format) == ("h264", "yuv420p")


def a_piece_begins_with_a_key_frame(make: MakeRenderer) -> None:
    """Or it could not be joined to another."""
    with _folder() as folder:
        renderer, out = make(), folder / "piece.mp4"
        piece = _piece(_move(folder, "a.png", _texture(1), "in"), 9, 5)
        _do(renderer.encode, piece, out)
        listing = (
            _ffmpeg(out, "-c", "copy", "-copyinkf", "-f", "framecrc", "-").decode().splitlines()
        )
        first, second = [line for line in listing if not line.startswith("#")][:2]
        # Only packets that are no key frames have their flags listed.
        assert ", F=0x" in second, second
        assert ", F=0x" not in first, first


def the_camera_moves_as_told(make: MakeRenderer) -> None:
    """A still picture stands still; zooms and pans change what is seen."""
    with _folder() as folder:
        renderer, out = make(), folder / "piece.mp4"
        motions: tuple[Motion, ...] = ("none", "out", "left", "up")
        for motion in motions:
            piece = _piece(_move(folder, "a.png", _texture(3), motion))
            _do(renderer.encode, piece, out)
            seen = _seen(out)
            assert (_apart(seen[0], seen[-1]) < 2) == (motion == "none"), motion


def a_move_goes_on_from_piece_to_piece(make: MakeRenderer) -> None:
    """A piece that begins in the middle of a move shows what the whole move shows there."""
    with _folder() as folder:
        renderer, whole, part = make(), folder / "whole.mp4", folder / "part.mp4"
        move = _move(folder, "a.png", _texture(3), "in")
        _do(renderer.encode, _piece(move, 24), whole)
        _do(renderer.encode, _piece(move, 6, 15), part)
        for shown, due, begun in zip(_seen(part), _seen(whole)[15:], _seen(whole), strict=False):
            assert _apart(shown, due) * 2 < _apart(shown, begun)


def a_crossfade_goes_from_one_picture_to_the_other(make: MakeRenderer) -> None:
    """First the one is seen, last the other, and in the middle both, equally."""
    with _folder() as folder:
        renderer, out = make(), folder / "piece.mp4"
        one = _move(folder, "one.png", _flat(255, 0))
        other = _move(folder, "other.png", _flat(0, 255))
        _do(renderer.encode, _piece(one, 11, 3, other), out)
        tilt = [float(frame[:, :56].mean() - frame[:, 72:].mean()) / 255 for frame in _seen(out)]
        assert tilt[0] > 0.6
        assert abs(tilt[5]) < 0.1
        assert tilt[-1] < -0.6
        assert all(np.diff(tilt) < 0), tilt


def what_is_faded_in_moves_from_its_start(make: MakeRenderer) -> None:
    """The next piece goes on where the crossfade ends, so that nothing jumps."""
    with _folder() as folder:
        renderer, whole, fade = make(), folder / "whole.mp4", folder / "fade.mp4"
        one = _move(folder, "one.png", _flat(0, 0))
        other = _move(folder, "other.png", _texture(3), "in")
        _do(renderer.encode, _piece(other, 24), whole)
        _do(renderer.encode, _piece(one, 10, 12, other), fade)
        faded, due = _seen(fade)[-1], _seen(whole)
        alike = [np.corrcoef(faded.ravel(), frame.ravel())[0, 1] for frame in due]
        assert abs(int(np.argmax(alike)) - 9) <= 1, alike


def colours_are_kept(make: MakeRenderer) -> None:
    """A player that reads the film's tags shows the picture's own colours."""
    with _folder() as folder:
        renderer, out = make(), folder / "piece.mp4"
        for left, right in (((200, 30, 40), (20, 180, 60)), ((30, 60, 210), (235, 235, 235))):
            piece = _piece(_move(folder, "a.png", _flat(left, right)), 1)
            _do(renderer.encode, piece, out)
            (seen,) = _seen(out, "rgb24")
            for colour, half in ((left, seen[:, 8:48]), (right, seen[:, 80:120])):
                assert np.abs(half.mean((0, 1)) - colour).max() < 8, (colour, half.mean((0, 1)))
        assert probe(out).colour == "tv, bt709"


def pictures_of_every_kind_are_read(make: MakeRenderer) -> None:
    """PNG, JPEG and WebP; wide, tall and tiny; with an alpha channel or grey."""
    with _folder() as folder:
        renderer, out = make(), folder / "piece.mp4"
        for name, mode, size in (
            ("a.jpg", "RGB", (300, 40)),
            ("a.webp", "RGB", (40, 300)),
            ("a.png", "RGBA", (7, 5)),
            ("b.png", "L", (64, 64)),
        ):
            path = folder / name
            Image.new("RGB", size, (200, 200, 200)).convert(mode).save(path)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            piece = _piece(Move(path, digest, "in", 24), 1)
            _do(renderer.encode, piece, out)
            middle = _seen(out)[0, _HEIGHT // 2, _WIDTH // 2]
            assert abs(middle - 200) < 8, (name, middle)


def a_broken_picture_is_a_render_error(make: MakeRenderer) -> None:
    """Cut short, no picture at all, or missing: RenderError, and no file is left."""
    with _folder() as folder:
        renderer, out = make(), folder / "piece.mp4"
        whole = _move(folder, "whole.png", _texture(1)).picture.read_bytes()
        for name, content in (("cut.png", whole[: len(whole) // 2]), ("text.png", b"hello")):
            (folder / name).write_bytes(content)
        for name in ("cut.png", "text.png", "missing.png"):
            piece = _piece(Move(folder / name, name, "in", 24), 3)
            assert _fails(renderer.encode, piece, out), name
            assert not out.exists(), name


def a_cancelled_encoding_leaves_no_file(make: MakeRenderer) -> None:
    """It is over soon, nothing is there, nothing comes later, and the next try works.

    A plain method runs in a thread, which nobody can cancel.
    """
    renderer = make()
    if not inspect.iscoroutinefunction(renderer.encode):
        return
    with _folder() as folder:
        still, out = _move(folder, "a.png", _texture(1), "in", 2000), folder / "piece.mp4"

        async def cancel() -> float:
            long = Piece(640, 360, 30, 2000, still, 0)
            task = asyncio.ensure_future(renderer.encode(long, out))
            deadline = time.monotonic() + 2
            while not out.exists() and time.monotonic() < deadline:  # noqa: ASYNC110  a file
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            begun = time.monotonic()
            assert task.cancel(), "2000 frames are not encoded in a moment"
            with suppress(asyncio.CancelledError):
                await task
            return time.monotonic() - begun

        assert loop.run(cancel) < 5
        before = sorted(folder.iterdir())
        time.sleep(0.2)
        assert before == sorted(folder.iterdir()) == [still.picture]
        _do(renderer.encode, _piece(still, 3), out)
        assert probe(out).frames == 3


# ------------------------------------------------------------------ the sound


def sound_is_exactly_as_long(make: MakeRenderer) -> None:
    """To the sample, in both formats, whatever the codec's frames are."""
    with _folder() as folder:
        renderer = make()
        track = _track(folder, 30_001, (5_000, _murmur(1, 0.5)))
        for name in ("sound.m4a", "sound.mp3"):
            out = folder / name
            _do(renderer.mix, track, out)
            assert abs(len(_heard(out)) - 2 * track.samples) <= 2, (name, len(_heard(out)))


def sentences_begin_on_their_samples(make: MakeRenderer) -> None:
    """Each is heard where the soundtrack puts it, to a millisecond, and silence lies between."""
    with _folder() as folder:
        renderer, out = make(), folder / "sound.m4a"
        cues = [(at, _murmur(at, 0.2)) for at in (0, 17_777, 40_001)]
        _do(renderer.mix, _track(folder, 60_000, *cues), out)
        sound = _heard(out, rate=_RATE)
        loudest = np.abs(sound).max()
        for at, burst in cues:
            around = np.pad(sound, 240)[at : at + len(burst) + 480]
            late = int(np.argmax(np.correlate(around, burst.astype(float)))) - 240
            assert abs(late) <= _RATE // 1000, (at, late)
            quiet = sound[at + len(burst) + 2_400 :][:4_800]
            assert np.abs(quiet).max(initial=0) < loudest / 50, at


def every_voice_comes_out_equally_loud(make: MakeRenderer) -> None:
    """A whisper and a shout are brought to one loudness, without clipping, in both formats."""
    with _folder() as folder:
        renderer = make()
        for name, level in (("whisper.m4a", 0.02), ("shout.mp3", 1.0)):
            out = folder / name
            track = _track(folder, 60_000, (0, _murmur(3, 2.5, level)))
            _do(renderer.mix, track, out)
            found = loudness_of(Job(), out)
            assert abs(found.integrated - LOUDNESS) <= 1, (name, found)
            assert found.peak <= -1.5, (name, found)


def sound_that_cannot_be_read_is_a_render_error(make: MakeRenderer) -> None:
    """A sentence that is missing or no sound: RenderError, and no file is left."""
    with _folder() as folder:
        renderer, out = make(), folder / "sound.m4a"
        (folder / "text.wav").write_text("hello")
        for name in ("text.wav", "missing.wav"):
            track = Soundtrack(_RATE, 24_000, ((0, folder / name),))
            assert _fails(renderer.mix, track, out), name
            assert not out.exists(), name


def music_makes_way_for_the_voice(make: MakeRenderer) -> None:
    """Music is looped to the film's end, 14 dB below the voice, and louder where nobody speaks."""
    with _folder() as folder:
        renderer, out = make(), folder / "sound.m4a"
        # Whole waves in every loop, and far below the voice in pitch.
        hum = np.sin(2 * np.pi * 250 * np.arange(4 * _RATE) / _RATE) * 8_000
        track = replace(
            _track(folder, 12 * _RATE, (_RATE, _shrill(4.0)), (8 * _RATE, _shrill(2.0))),
            music=_wav(folder / "music.wav", hum.astype("<i2")),
        )
        _do(renderer.mix, track, out)
        heard = _heard(out, rate=_RATE)
        tune, voice = _between(heard, 100, 500), _between(heard, 1_000, 4_000)
        under, pause = _level(tune, 2.5, 4.5), _level(tune, 6, 7)
        assert _level(voice, 2.5, 4.5) - under >= 14, (under, _level(voice, 2.5, 4.5))
        assert 5 <= pause - under <= 11, (under, pause)
        assert _level(tune, 10.2, 10.5) > under, "the music ends before the film"
        assert _level(tune, 11.9, 12) < under, "the music is cut off"


def music_that_is_none_is_a_render_error(make: MakeRenderer) -> None:
    """Music that is silent, missing or no sound: RenderError `bad_music`, and no file is left."""
    with _folder() as folder:
        renderer, out = make(), folder / "sound.m4a"
        track = _track(folder, _RATE, (0, _murmur(1, 0.5)))
        (folder / "text.mp3").write_text("hello")
        _wav(folder / "silence.wav", np.zeros(_RATE, np.int16))
        for name in ("text.mp3", "missing.mp3", "silence.wav"):
            code = ""
            try:
                _do(renderer.mix, replace(track, music=folder / name), out)
            except RenderError as error:
                code = error.code
            assert code == "bad_music", (name, code)
            assert not out.exists(), name


def any_sound_is_decoded(make: MakeRenderer) -> None:
    """AAC and MP3, stereo too, become 16-bit mono of the same length; what is none is refused."""
    with _folder() as folder:
        renderer, out = make(), folder / "sound.wav"
        source = _wav(folder / "source.wav", _murmur(1, 1.0))
        for name in ("stereo.m4a", "stereo.mp3"):
            _ffmpeg(source, "-ac", "2", "-ar", "44100", f"file:{folder / name}")
            _do(renderer.decode, folder / name, out)
            with wave.open(str(out)) as file:
                assert (file.getnchannels(), file.getsampwidth()) == (1, 2), name
                seconds = file.getnframes() / file.getframerate()
            assert abs(seconds - 1) < 0.05, (name, seconds)
            assert np.abs(_heard(out)).max() > 1_000, name
            out.unlink()
        (folder / "text.mp3").write_text("hello")
        for name in ("text.mp3", "missing.mp3"):
            assert _fails(renderer.decode, folder / name, out), name
            assert not out.exists(), name


# ------------------------------------------------------------------ the film


def joining_keeps_every_frame(make: MakeRenderer) -> None:
    """The film's frames are those of its pieces, in order, and it lasts as long as they do."""
    with _folder() as folder:
        film, parts = _film(make(), folder)
        assert _checksums(film) == [sum_ for part in parts for sum_ in _checksums(part)]
        assert_video(film, size=(_WIDTH, _HEIGHT), fps=_FPS, seconds=21 / _FPS, loudness=None)


def the_same_input_gives_the_same_bytes(make: MakeRenderer) -> None:
    """Pieces, sound and film, made by another renderer, in another folder and second."""
    with _folder() as one, _folder() as other:
        first, parts = _film(make(), one)
        # Containers date themselves to the second.
        time.sleep(1.1)
        second, parts_again = _film(make(), other)
        for made, again in zip(
            [*parts, one / "sound.m4a", first],
            [*parts_again, other / "sound.m4a", second],
            strict=True,
        ):
            assert made.read_bytes() == again.read_bytes(), made.name


def the_film_says_what_it_is(make: MakeRenderer) -> None:
    """Title, language and chapters are in the file, whatever their letters are."""
    with _folder() as folder:
        film, _ = _film(make(), folder)
        output = Job().run(
            ["-i", f"file:{film}", "-f", "ffmetadata", "-"], what="Reading tags", seconds=60
        )
        # ffmpeg writes a backslash before these.
        told = output.stdout.decode().replace("\\", "")
        assert "title=The 'deep' ocean = 1; #\n" in told, told
        assert told.count("[CHAPTER]") == 2, told
        assert "title=One; = #\n" in told, told
        assert "(por): Audio" in output.stderr, output.stderr


def a_good_film_passes_and_others_do_not(make: MakeRenderer) -> None:
    """`check` finds a film black, silent, cut, of another size, rate or length, or no film."""
    with _folder() as folder:
        renderer = make()
        film, _ = _film(renderer, folder)
        ordered = {"width": _WIDTH, "height": _HEIGHT, "fps": _FPS, "seconds": 21 / _FPS}
        _do(renderer.check, film, **ordered)
        for name, wish in (("width", 130), ("height", 70), ("fps", 30), ("seconds", 1.0)):
            wrong = {**ordered, name: wish}
            assert _fails(renderer.check, film, **wrong), name
        _spoil(film, "black.mp4", "-c:a", "copy", "-vf", "lutyuv=y=16:u=128:v=128")
        _spoil(film, "silent.mp4", "-c:v", "copy", "-af", "volume=0")
        _spoil(film, "mute.mp4", "-c:v", "copy", "-an")
        content = film.read_bytes()
        film.with_name("cut.mp4").write_bytes(content[: len(content) * 3 // 4])
        film.with_name("text.mp4").write_text("hello")
        for name in ("black", "silent", "mute", "cut", "text", "missing"):
            path = film.with_name(f"{name}.mp4")
            assert _fails(renderer.check, path, **ordered), name


def _spoil(film: Path, name: str, *arguments: str) -> None:
    out = f"file:{film.with_name(name)}"
    _ffmpeg(film, *arguments, "-map_chapters", "-1", "-movflags", "+faststart", out)


RENDERER_CHECKS: tuple[Callable[[MakeRenderer], None], ...] = (
    its_identity_lasts,
    a_piece_has_its_frames,
    a_piece_begins_with_a_key_frame,
    the_camera_moves_as_told,
    a_move_goes_on_from_piece_to_piece,
    a_crossfade_goes_from_one_picture_to_the_other,
    what_is_faded_in_moves_from_its_start,
    colours_are_kept,
    pictures_of_every_kind_are_read,
    a_broken_picture_is_a_render_error,
    a_cancelled_encoding_leaves_no_file,
    sound_is_exactly_as_long,
    sentences_begin_on_their_samples,
    every_voice_comes_out_equally_loud,
    sound_that_cannot_be_read_is_a_render_error,
    music_makes_way_for_the_voice,
    music_that_is_none_is_a_render_error,
    any_sound_is_decoded,
    joining_keeps_every_frame,
    the_same_input_gives_the_same_bytes,
    the_film_says_what_it_is,
    a_good_film_passes_and_others_do_not,
)
