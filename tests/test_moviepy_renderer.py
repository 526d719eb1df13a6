"""The renderer on MoviePy, and films as MoviePy clips."""

import asyncio
import gc
import hashlib
import os
import subprocess
import sys
import time
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from visionpulse import VideoService, registry
from visionpulse.errors import ConfigurationError, InputError, RenderError, StorageError
from visionpulse.fonts import shipped
from visionpulse.protocols import Font, Move, Piece, Soundtrack, Subtitle, Tags
from visionpulse.renderers import moviepy
from visionpulse.renderers.ffmpeg import FFmpegRenderer
from visionpulse.renderers.moviepy import MoviePyRenderer
from visionpulse.renderers.probe import probe
from visionpulse.renderers.process import find_ffmpeg

from .conftest import SCRIPT, TINY

WIDTH, HEIGHT, FPS = 256, 144, 25
FFMPEG = find_ffmpeg().path
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


def texture(path, seed=1, size=(256, 256)):
    """Cloudy colours with detail at every scale, like a photograph."""
    dice = np.random.default_rng(seed)
    total = np.zeros((size[1], size[0], 3))
    for cells in (4, 16, 64):
        noise = Image.fromarray(dice.integers(0, 256, (cells, cells, 3), np.uint8))
        total += np.asarray(noise.resize(size, Image.Resampling.BICUBIC), float)
    Image.fromarray((total / 3).astype(np.uint8)).save(path)
    return path


def move(path, motion="in", frames=40):
    return Move(path, hashlib.sha256(path.read_bytes()).hexdigest(), motion, frames)


@pytest.fixture
def piece(tmp_path):
    # 29 / 25 * 25 is less than 29.
    return Piece(WIDTH, HEIGHT, FPS, 30, move(texture(tmp_path / "a.png")), 5)


def encode(piece, out, renderer=MoviePyRenderer):
    asyncio.run(renderer().encode(piece, out))
    return out


def seen(path, *options):
    """Decode all frames, as RGB by the file's tags."""
    answer = subprocess.run(
        [FFMPEG, "-v", "error", *options, "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        capture_output=True,
        check=True,
    )
    found = probe(Path(path))
    return np.frombuffer(answer.stdout, np.uint8).reshape(-1, found.height, found.width, 3)


def heard(path):
    answer = subprocess.run(
        [FFMPEG, "-v", "error", "-i", path, "-ar", "48000", "-ac", "2", "-f", "f32le", "-"],
        capture_output=True,
        check=True,
    )
    return np.frombuffer(answer.stdout, "<f4").reshape(-1, 2)


def apart(one, other):
    """Return how far pictures are apart, in levels of a pixel."""
    return float(np.abs(one.astype(float) - other).mean())


def alive(word):
    """Return the processes whose command line has a word in it."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if word in line and process.name != str(os.getpid()):
            lines.append(line)
    return lines


# ------------------------------------------------------------------ the library


def test_importing_it_leaves_the_environment_alone(tmp_path):
    """MoviePy loads the .env file of the working folder; what is in it stays out of the process."""
    (tmp_path / ".env").write_text("SOMEBODYS_KEY=secret\n")
    look = "import os; print(os.environ.get('SOMEBODYS_KEY'))"

    answers = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", f"import {module}; {look}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for module in ("visionpulse.renderers.moviepy", "moviepy")
    ]

    assert answers == ["None", "secret"]


def test_without_moviepy_the_extra_is_named(monkeypatch, pipeline):
    """Asked for by name, or for a clip."""
    video = pipeline.run(SCRIPT, options=TINY)
    monkeypatch.delitem(sys.modules, "visionpulse.renderers.moviepy")
    monkeypatch.setitem(sys.modules, "moviepy", None)

    for ask in (
        lambda: registry.renderer("moviepy"),
        lambda: VideoService(ledger=pipeline.ledger).to_moviepy(video),
    ):
        with pytest.raises(ConfigurationError, match=r'pip install "visionpulse\[moviepy\]"'):
            ask()


# ------------------------------------------------------------------ the picture


@pytest.mark.parametrize("motion", ["in", "left", "none"])
def test_a_piece_is_the_same_file_as_from_ffmpeg(tmp_path, piece, motion):
    """The way through RGB loses nothing, so even the bytes are those of the other renderer."""
    one = replace(piece, still=replace(piece.still, motion=motion))

    ours = encode(one, tmp_path / "ours.mp4")

    assert ours.read_bytes() == encode(one, tmp_path / "f.mp4", FFmpegRenderer).read_bytes()


@pytest.mark.parametrize("quality", ["draft", "standard", "high"])
def test_a_crossfade_is_the_same_file_as_from_ffmpeg(tmp_path, piece, quality):
    """At every quality."""
    into = move(texture(tmp_path / "b.png", 2), "up")
    fade = replace(piece, into=into, quality=quality)

    ours = encode(fade, tmp_path / "ours.mp4")

    assert ours.read_bytes() == encode(fade, tmp_path / "f.mp4", FFmpegRenderer).read_bytes()


def test_pure_colours_differ_at_their_edges_alone(tmp_path):
    """There halved colour planes hold colours that are not in RGB; inside, all is equal."""
    dice = np.random.default_rng(1)
    colours = dice.integers(0, 2, (4, 4, 3), np.uint8) * np.uint8(255)
    Image.fromarray(colours.repeat(64, 0).repeat(64, 1)).save(tmp_path / "a.png")
    still = move(tmp_path / "a.png", "none")
    piece = Piece(WIDTH, HEIGHT, FPS, 5, still, 0, quality="high")

    ours = seen(encode(piece, tmp_path / "ours.mp4")).astype(int)

    theirs = seen(encode(piece, tmp_path / "f.mp4", FFmpegRenderer))
    off = (np.abs(ours - theirs).max(-1) > 8).reshape(5, HEIGHT, WIDTH)
    edge = np.abs(np.diff(theirs.astype(int), axis=2, prepend=0)).max(-1) > 64
    edge |= np.abs(np.diff(theirs.astype(int), axis=1, prepend=0)).max(-1) > 64
    near = sum(np.roll(edge, (y, x), (1, 2)) for y in range(-8, 9) for x in range(-8, 9)) > 0
    assert near.mean() < 0.7
    assert off[~near].mean() < 0.001


def test_subtitles_are_drawn_on_their_frames(tmp_path, piece):
    """From the first to the one before the end, in bodies and in crossfades."""
    face = shipped()
    font = Font(face.family, face.path, hashlib.sha256(face.path.read_bytes()).hexdigest())
    words = (Subtitle(4, 9, rf"{{\fn{face.family}}}The sea"),)
    into = move(texture(tmp_path / "b.png", 2), "up")
    for plain in (piece, replace(piece, into=into)):
        written = replace(plain, subtitles=words, fonts=(font,))

        pair = zip(
            seen(encode(written, tmp_path / "written.mp4")),
            seen(encode(plain, tmp_path / "plain.mp4")),
            strict=True,
        )

        # Elsewhere the encoder has made other choices, nothing more.
        changed = [int(np.abs(one.astype(int) - other).max()) > 60 for one, other in pair]
        assert changed == [4 <= number < 9 for number in range(30)]


@pytest.mark.parametrize(("frames", "fps"), [(1, 24), (29, 25), (123, 30), (247, 60)])
def test_a_piece_has_all_of_its_frames(tmp_path, piece, frames, fps):
    """MoviePy multiplies seconds by frames a second and rounds down: 29 frames would be 28."""
    small = replace(
        piece,
        width=64,
        height=36,
        fps=fps,
        frames=frames,
        still=move(piece.still.picture, frames=300),
    )

    found = probe(encode(small, tmp_path / "out.mp4"))

    assert (found.frames, float(found.fps)) == (frames, fps)
    assert found.colour == "tv, bt709"


def test_nothing_is_printed_and_nothing_left(tmp_path, monkeypatch, piece, capfd):
    """No progress bar, no temporary file in the working folder."""
    folder = tmp_path / "working"
    folder.mkdir()
    monkeypatch.chdir(folder)

    encode(piece, Path("-piece.mp4"))

    assert capfd.readouterr() == ("", "")
    assert [each.name for each in folder.iterdir()] == ["-piece.mp4"]


def test_its_pieces_are_joined_and_named_apart(tmp_path, piece):
    """The ledger keeps the pieces of the two renderers apart; a film is whole with either."""
    cue = tmp_path / "a.wav"
    with wave.open(str(cue), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        tone = 9_000 * np.sin(np.arange(55_000) / 20)
        file.writeframes(tone.astype("<i2").tobytes())
    renderer, sound, film = MoviePyRenderer(), tmp_path / "s.m4a", tmp_path / "film.mp4"
    parts = [encode(piece, tmp_path / "1.mp4"), encode(piece, tmp_path / "2.mp4")]

    asyncio.run(renderer.mix(Soundtrack(24_000, 57_600, ((0, cue),)), sound))
    asyncio.run(renderer.join(parts, sound, film, Tags("Two", "en")))

    asyncio.run(renderer.check(film, width=WIDTH, height=HEIGHT, fps=FPS, seconds=2.4))
    assert renderer.identity != FFmpegRenderer().identity


# ------------------------------------------------------------------ what goes wrong


def wrapped_ffmpeg(path, body):
    """Write a program that MoviePy takes for ffmpeg."""
    path.write_text(
        f'#!/bin/sh\ncase "$*" in *-encoders*) exec {FFMPEG} -encoders;; esac\n{body}\n'
    )
    path.chmod(0o755)
    return str(path)


@LINUX
def test_a_hung_writer_is_ended_by_its_deadline(tmp_path, monkeypatch, piece):
    """Its last words are in the error, and its file is gone."""
    body = f"echo half >{tmp_path}/out.mp4; echo 'I am stuck' >&2; exec sleep 987.375"
    stuck = wrapped_ffmpeg(tmp_path / "hangs", body)
    monkeypatch.setattr(moviepy.ffmpeg_writer, "FFMPEG_BINARY", stuck)

    begun = time.monotonic()
    with pytest.raises(RenderError, match=r"longer than 1 seconds.*I am stuck") as caught:
        asyncio.run(MoviePyRenderer(deadline=1).encode(piece, tmp_path / "out.mp4"))

    assert time.monotonic() - begun < 10
    assert caught.value.code == "render_timeout"
    assert not (tmp_path / "out.mp4").exists()
    assert alive("987.375") == []


def test_a_writer_that_fails_says_why(tmp_path, monkeypatch, piece):
    """The child's own words and its exit code are in the error; nothing is left."""
    body = f"echo half >{tmp_path}/out.mp4; echo 'out of cheese' >&2; exit 3"
    fails = wrapped_ffmpeg(tmp_path / "fails", body)
    monkeypatch.setattr(moviepy.ffmpeg_writer, "FFMPEG_BINARY", fails)

    with pytest.raises(RenderError, match=r"ended with 3\. .*out of cheese"):
        encode(piece, tmp_path / "out.mp4")

    assert not (tmp_path / "out.mp4").exists()


def test_another_ffmpeg_of_moviepys_is_another_renderer(tmp_path, monkeypatch):
    """FFMPEG_BINARY in the environment gives it one; what it makes is named by that one."""
    identity = MoviePyRenderer().identity
    other = tmp_path / "other"
    other.write_text(f"#!/bin/sh\necho 'made elsewhere' >&2\nexec {FFMPEG} $*\n")
    other.chmod(0o755)
    monkeypatch.setattr(moviepy.ffmpeg_writer, "FFMPEG_BINARY", str(other))

    assert MoviePyRenderer().identity != identity


@LINUX
def test_cancelling_ends_the_writer_and_leaves_no_file(tmp_path):
    """A cancelled encode is over in a moment: no process, no thread that goes on, no file."""
    still = move(texture(tmp_path / "a.png"), "in", 3000)
    out = tmp_path / "cancelled-clip.mp4"

    async def cancel_soon():
        long = Piece(1280, 720, 30, 3000, still, 0)
        task = asyncio.create_task(MoviePyRenderer().encode(long, out))
        while not alive("cancelled-clip"):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - begun

    assert asyncio.run(cancel_soon()) < 3
    assert not out.exists()
    assert alive("cancelled-clip") == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_says_so_and_leaves_no_half_file(tmp_path, piece):
    """In plain words."""
    out = tmp_path / "out.mp4"
    out.symlink_to("/dev/full")

    with pytest.raises(StorageError, match="the disk is full") as caught:
        encode(piece, out)

    assert caught.value.code == "disk_full"
    assert not out.is_symlink()


# ------------------------------------------------------------------ films as clips


@pytest.fixture(params=["off", "burned"])
def film(request, pipeline):
    """A finished video, whose frames are drawn again or, with captions on them, decoded."""
    options = TINY.model_copy(update={"captions": request.param})
    return pipeline.run(SCRIPT, title="Duration: 1, 2 fps; # 'x'", options=options)


@pytest.fixture
def service(pipeline):
    return VideoService(ledger=pipeline.ledger)


def test_a_clip_shows_the_film(service, film):
    """Frame by frame, also beyond crossfades and in any order, in the film's size and colours."""
    due = seen(film.video_path)

    with service.to_moviepy(film) as clip:
        assert (clip.size, clip.fps) == ((128, 72), 24)
        assert abs(clip.duration - film.duration) < 1 / 24 / 100
        order = [*range(len(due)), *np.random.default_rng(1).permutation(len(due))[:20]]
        for number in order:
            assert apart(clip.get_frame(number / 24), due[number]) < 2, number
        assert apart(clip.get_frame(0), due[-1]) > 5


def test_a_clip_sounds_like_the_film(service, film):
    """Sample by sample, in both channels; silence comes after."""
    due = heard(film.video_path)

    with service.to_moviepy(film) as clip:
        sound = clip.audio
        found = sound.get_frame(np.arange(len(due)) / 48_000)
        (after,) = sound.get_frame(np.array([film.duration + 1]))

    assert np.abs(due).max() > 0.1
    assert np.abs(found - due).max() < 2 / 32_768
    assert np.abs(after).max() < 0.001


@pytest.mark.slow
def test_part_of_a_clip_is_written_by_moviepy(service, film, tmp_path):
    """What MoviePy makes of it goes on from there: a second from the middle, all 24 frames."""
    out = tmp_path / "part.mp4"
    due = seen(film.video_path)[24:48]

    with service.to_moviepy(film) as clip:
        part = clip.subclipped(1, 2)
        part.write_videofile(
            str(out), audio_codec="aac", logger=None, temp_audiofile_path=str(tmp_path)
        )

    found = probe(out)
    assert (found.frames, found.audio_codec) == (24, "aac")
    # MoviePy writes the colours of BT.601 and no tags.
    (first, *_), (like, *_) = seen(out), due
    assert apart(first, like) < 12


@pytest.mark.slow
@LINUX
def test_a_closed_clip_leaves_nothing(service, film, tmp_path, monkeypatch):
    """No process, no temporary file, no pipe; closing twice does no harm."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))

    clip = service.to_moviepy(film)
    for second in (3, 0, clip.duration):
        clip.get_frame(second)
    assert any(folder.iterdir())
    reading = Path(film.files[f"videos/{film.id}.mp4"]).stem
    begun = time.monotonic()
    while alive(reading) and time.monotonic() < begun + 10:
        time.sleep(0.01)  # A child that has read all ends by itself, and MoviePy forgets its pipes.
    clip.close()
    clip.close()

    assert not any(folder.iterdir())
    assert alive(reading) == []
    del clip
    gc.collect()  # A pipe left open would be a warning, and so an error, here.


def test_only_a_completed_film_is_a_clip(service, pipeline):
    """An edited one has to be run first; the error says so."""
    video = pipeline.run(SCRIPT, options=TINY)

    with pytest.raises(InputError, match=r"is pending.*Run it first"):
        service.to_moviepy(video.edit(0, prompt="candles"))


def test_a_film_is_made_with_moviepy_by_name(tmp_path, prompts, images, speech):
    """`renderer="moviepy"` is all it takes."""
    from visionpulse import Pipeline

    with Pipeline(
        "offline", prompts=prompts, images=images, speech=speech, home=tmp_path, renderer="moviepy"
    ) as pipeline:
        video = pipeline.run(SCRIPT, options=TINY)

    assert probe(Path(video.video_path)).frames == round(video.duration * 24)
