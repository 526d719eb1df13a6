"""The renderer: stills and sentences in, a film a person can watch out."""

import asyncio
import hashlib
import os
import subprocess
import sys
import time
import wave
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from visionpulse.errors import ConfigurationError, RenderError, StorageError
from visionpulse.models import SpokenSentence
from visionpulse.protocols import Move, Piece, Renderer, Soundtrack, Tags
from visionpulse.renderers.camera import plan
from visionpulse.renderers.ffmpeg import FFmpegRenderer
from visionpulse.renderers.frames import frames
from visionpulse.renderers.languages import three_letters
from visionpulse.renderers.mp4 import order_of_boxes
from visionpulse.renderers.pipes import FramePipe
from visionpulse.renderers.probe import check_film, probe
from visionpulse.renderers.process import Job, find_ffmpeg
from visionpulse.renderers.sound import loudness_of
from visionpulse.testing import assert_video
from visionpulse.timeline import MOTIONS, Still, film, lay_out, soundtrack

WIDTH, HEIGHT, FPS, RATE = 256, 144, 25, 24_000
FFMPEG = find_ffmpeg().path


# ------------------------------------------------------------------ material


def texture(seed, size=(256, 256)):
    """Cloudy colours with detail at every scale, like a photograph."""
    dice = np.random.default_rng(seed)
    total = np.zeros((size[1], size[0], 3))
    for cells in (4, 8, 16, 32, 64):
        noise = Image.fromarray(dice.integers(0, 256, (cells, cells, 3), np.uint8))
        total += np.asarray(noise.resize(size, Image.Resampling.BICUBIC), float)
    return Image.fromarray((total / 5).astype(np.uint8))


def murmur(seed, seconds, level=0.2):
    """Noise that rises and falls like syllables."""
    time_ = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(size=time_.size) * (
        0.6 + 0.4 * np.sin(2 * np.pi * 4 * time_)
    )
    return np.clip(noise * level * 32767 / 3, -32768, 32767).astype("<i2")


def write_wav(path, samples, rate=RATE, channels=1):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.asarray(samples, "<i2").tobytes())
    return path


def still(path, motion="in"):
    return Still(path, hashlib.sha256(path.read_bytes()).hexdigest(), motion)


def move(path, motion="none", frames=25):
    return Move(*still(path, motion), frames)


def run(coroutine):
    return asyncio.run(coroutine)


async def make_film(folder, stills, sentences, *, fps=FPS, size=(WIDTH, HEIGHT), at_once=True):
    """Render one sentence for each still."""
    renderer = FFmpegRenderer()
    files, scenes = [], []
    for number, samples in enumerate(sentences):
        files.append(write_wav(folder / f"{number}.wav", samples))
        spoken = SpokenSentence(
            text="x", start=0, end=1, key="x.wav", samples=len(samples), sample_rate=RATE
        )
        scenes.append([spoken])
    timeline = lay_out(scenes, fps=fps)
    pieces = film(timeline, stills, width=size[0], height=size[1])
    parts = [folder / f"{number}.mp4" for number in range(len(pieces))]
    jobs = [renderer.encode(piece, part) for piece, part in zip(pieces, parts, strict=True)]
    if at_once:
        await asyncio.gather(*jobs)
    else:
        for job in jobs:
            await job
    sound, out = folder / "sound.m4a", folder / "film.mp4"
    await renderer.mix(soundtrack(timeline, files, sample_rate=RATE), sound)
    edges = [float(timeline.start(n)) for n in range(len(scenes))] + [float(timeline.seconds)]
    chapters = tuple((edges[n], edges[n + 1], f"Scene {n}; = # \\") for n in range(len(scenes)))
    tags = Tags("The 'deep' ocean = 1; #", "pt-BR", chapters, "Made by models; of course")
    await renderer.join(parts, sound, out, tags)
    return out, timeline, parts


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A film of three scenes, made once."""
    folder = tmp_path_factory.mktemp("it's a film")
    stills = []
    for number, motion in enumerate(("in", "up", "left")):
        texture(number).save(folder / f"{number}.png")
        stills.append(still(folder / f"{number}.png", motion))
    sentences = [murmur(n, seconds) for n, seconds in enumerate((1.13, 0.77, 0.91))]
    return run(make_film(folder, stills, sentences)), stills, sentences


def decoded(path, *filters):
    """Return the luma of all frames."""
    answer = subprocess.run(
        [FFMPEG, "-v", "error", "-i", path, *filters, "-f", "rawvideo", "-pix_fmt", "gray", "-"],
        capture_output=True,
        check=True,
    )
    info = probe(path)
    return np.frombuffer(answer.stdout, np.uint8).reshape(-1, info.height, info.width)


def heard(path, rate=48_000):
    answer = subprocess.run(
        [FFMPEG, "-v", "error", "-i", path, "-ac", "1", "-ar", str(rate), "-f", "s16le", "-"],
        capture_output=True,
        check=True,
    )
    return np.frombuffer(answer.stdout, "<i2").astype(float)


def checksums(path):
    answer = subprocess.run(
        [FFMPEG, "-v", "error", "-i", path, "-map", "0:v", "-f", "framemd5", "-"],
        capture_output=True,
        check=True,
        text=True,
    )
    return [line.split(",")[-1] for line in answer.stdout.splitlines() if line[0] != "#"]


def decoding_times(path):
    """Return when each packet is decoded, in ticks."""
    answer = subprocess.run(
        [FFMPEG, "-v", "error", "-i", path, "-map", "0:v", "-c", "copy", "-f", "framecrc", "-"],
        capture_output=True,
        check=True,
        text=True,
    )
    return [int(line.split(",")[1]) for line in answer.stdout.splitlines() if line[0] != "#"]


def packets(path, stream):
    """Return when each packet that lasts is due, and how long it does, in milliseconds."""
    answer = subprocess.run(
        [FFMPEG, "-v", "error", "-i", path, "-map", stream, "-c", "copy", "-f", "framecrc", "-"],
        capture_output=True,
        check=True,
        text=True,
    )
    rows = [line.split(",") for line in answer.stdout.splitlines() if line[0] != "#"]
    unit = next(line.split()[-1] for line in answer.stdout.splitlines() if "#tb" in line)
    ticks = int(unit.split("/")[1]) / 1000
    return [(int(row[2]) / ticks, int(row[3]) / ticks) for row in rows if int(row[3])]


def luma_of(piece):
    """Return the luma of a piece's frames before they are encoded."""
    return [planes_of(frame, piece)[0] for frame in frames(piece)]


def planes_of(frame, piece):
    """Return a frame's luma and its two of colour."""
    luma, chroma = piece.width * piece.height, piece.width * piece.height // 4
    y, u, v = np.split(np.frombuffer(frame, np.uint8).astype(float), [luma, luma + chroma])
    half = piece.height // 2, piece.width // 2
    return y.reshape(piece.height, piece.width), u.reshape(half), v.reshape(half)


def shift_between(one, other):
    """Return how far (x, y) pixels the second picture has moved, to a hundredth, by correlation."""
    window = np.outer(np.hanning(one.shape[0]), np.hanning(one.shape[1]))
    a = np.fft.rfft2((one - one.mean()) * window)
    b = np.fft.rfft2((other - other.mean()) * window)
    cross = b * a.conj()
    rows = np.fft.fftfreq(one.shape[0])[:, None]
    columns = np.fft.rfftfreq(one.shape[1])[None, :]
    # The slope of the phase over low frequencies, where it does not wrap, is the shift.
    low = (np.abs(rows) < 0.1) & (columns < 0.1)
    weight = np.abs(cross) * low
    phase = np.angle(cross)
    design = np.stack([(columns + 0 * rows)[low], (rows + 0 * columns)[low]], 1)
    w = np.sqrt(weight[low])
    slope, *_ = np.linalg.lstsq(design * w[:, None], phase[low] * w, rcond=None)
    return -slope / (2 * np.pi)


# ------------------------------------------------------------------ the film


def test_it_is_a_renderer():
    """It fits the seam, and its identity says who encodes and how."""
    renderer = FFmpegRenderer()

    assert isinstance(renderer, Renderer)
    assert renderer.identity.startswith("ffmpeg:")
    assert "x264" in renderer.identity


def test_a_film_can_be_watched(made):
    """Size, rate, length, codecs, tags, faststart, picture, sound and loudness are right."""
    (out, timeline, _), _, _ = made

    assert_video(out, size=(WIDTH, HEIGHT), fps=FPS, seconds=float(timeline.seconds))
    info = check_film(out, width=WIDTH, height=HEIGHT, fps=FPS, seconds=float(timeline.seconds))
    assert info.frames == timeline.frames
    assert info.channels == "stereo"
    assert info.sound_seconds == pytest.approx(float(timeline.seconds), abs=1 / 48_000)


def test_the_same_input_gives_the_same_bytes(made, tmp_path):
    """Made again, one piece after another, in another folder: not a byte differs."""
    (out, _, _), stills, sentences = made

    again, _, _ = run(make_film(tmp_path, stills, sentences, at_once=False))

    assert again.read_bytes() == out.read_bytes()


def test_joining_changes_no_picture(made):
    """The film's frames are its pieces' frames, in order."""
    (out, _, parts), _, _ = made

    assert checksums(out) == [sum_ for part in parts for sum_ in checksums(part)]


def test_pieces_of_a_frame_or_two_can_be_joined(tmp_path):
    """The shortest pieces keep their place, though the encoder would reorder their frames."""
    texture(1).save(tmp_path / "a.png")
    still_ = move(tmp_path / "a.png", "in", 60)
    renderer = FFmpegRenderer()
    lengths = [1, 2, 3, 1, 9, 1]
    sound = write_wav(tmp_path / "s.wav", murmur(1, sum(lengths) / 30))
    parts, at = [], 0
    for number, length in enumerate(lengths):
        parts.append(tmp_path / f"{number}.mp4")
        piece = Piece(WIDTH, HEIGHT, 30, length, still_, at)
        run(renderer.encode(piece, parts[-1]))
        at += length
    run(renderer.mix(Soundtrack(RATE, at * RATE // 30, ((0, sound),)), tmp_path / "s.m4a"))

    run(renderer.join(parts, tmp_path / "s.m4a", tmp_path / "out.mp4", Tags("", "")))

    check_film(tmp_path / "out.mp4", width=WIDTH, height=HEIGHT, fps=30, seconds=at / 30)
    assert checksums(tmp_path / "out.mp4") == [s for part in parts for s in checksums(part)]
    assert set(np.diff(decoding_times(tmp_path / "out.mp4"))) == {512}


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60])
@pytest.mark.parametrize("size", [(144, 256), (144, 144), (250, 98)])
def test_every_shape_and_rate(tmp_path, fps, size):
    """Tall, square and odd-looking films at every rate are exact too."""
    texture(1, (200, 170)).save(tmp_path / "a.jpg")
    stills = [still(tmp_path / "a.jpg", motion) for motion in ("right", "out")]
    sentences = [murmur(1, 0.31), murmur(2, 0.29)]

    out, timeline, _ = run(make_film(tmp_path, stills, sentences, fps=fps, size=size))

    check_film(out, width=size[0], height=size[1], fps=fps, seconds=float(timeline.seconds))


def test_the_container_says_what_the_film_is(made):
    """Title, language and a chapter for each scene are in the file; no program and no date is."""
    (out, timeline, _), _, _ = made

    answer = subprocess.run([FFMPEG, "-hide_banner", "-i", out], capture_output=True, check=False)
    told = answer.stderr.decode()

    assert "title           : The 'deep' ocean = 1; #" in told
    assert "(por): Audio" in told
    assert told.count("Scene ") == 3
    assert "title           : Scene 2; = # \\" in told
    assert f"end {float(timeline.seconds):.6f}" in told
    assert "creation_time" not in told
    assert b"Lavf" not in out.read_bytes()


def test_the_container_says_that_models_made_it(made):
    """The comment says so to people, and IPTC's digital source type to programs."""
    (out, _, _), _, _ = made
    told = subprocess.run([FFMPEG, "-i", out], capture_output=True, check=False).stderr.decode()

    assert "comment         : Made by models; of course" in told
    assert order_of_boxes(out)[-1] == "uuid"
    packet = out.read_bytes().split(b'begin="\xef\xbb\xbf" id=')[1]
    assert b"digitalsourcetype/trainedAlgorithmicMedia" in packet
    assert b"<rdf:li xml:lang=\"x-default\">The 'deep' ocean = 1; #</rdf:li>" in packet


def test_captions_can_be_a_track_of_the_film(made, tmp_path):
    """Viewers switch it on; its texts and times are those of the file, to the character."""
    (_, timeline, parts), _, sentences = made
    lines = r"A <b> & {\i1} ünï\N" + "\nدو 二"
    sound = write_wav(tmp_path / "s.wav", sentences[0])
    track = Soundtrack(RATE, round(timeline.seconds * RATE), ((0, sound),))
    run(FFmpegRenderer().mix(track, tmp_path / "s.m4a"))
    tags = Tags("", "pt-BR", captions=((0.1, 1.2, lines), (1.2, 2, "…")))

    run(FFmpegRenderer().join(parts, tmp_path / "s.m4a", tmp_path / "out.mp4", tags))

    command = [FFMPEG, "-v", "error", "-i", tmp_path / "out.mp4", "-map", "0:s:0", "-c", "copy"]
    told = subprocess.run([*command, "-f", "data", "-"], capture_output=True, check=True)
    # 3GPP timed text: each text follows its length in bytes.
    for text in (lines, "…"):
        assert len(text.encode()).to_bytes(2) + text.encode() in told.stdout
    assert packets(tmp_path / "out.mp4", "0:s:0") == [(0, 100), (100, 1100), (1200, 800)]
    facts = subprocess.run([FFMPEG, "-i", tmp_path / "out.mp4"], capture_output=True, check=False)
    assert b"(por): Subtitle: mov_text" in facts.stderr
    check_film(
        tmp_path / "out.mp4", width=WIDTH, height=HEIGHT, fps=FPS, seconds=float(timeline.seconds)
    )


@pytest.mark.parametrize("size", [(256, 144), (144, 256)])
def test_a_poster_shows_the_middle_of_the_piece(tmp_path, size):
    """A JPEG of the film's size, with the picture's own colours."""
    picture = texture(5)
    picture.save(tmp_path / "a.png")
    piece = Piece(*size, FPS, 41, move(tmp_path / "a.png", "in", 100), 20)

    run(FFmpegRenderer().poster(piece, tmp_path / "poster.jpg"))

    window = plan("in", picture.size, size, 100, FPS).at(40)
    box = window.left, window.top, window.left + window.width, window.top + window.height
    due = np.asarray(picture.resize(size, Image.Resampling.LANCZOS, box), float)
    with Image.open(tmp_path / "poster.jpg") as poster:
        assert (poster.format, poster.size) == ("JPEG", size)
        assert np.abs(np.asarray(poster, float) - due).mean() < 4


@pytest.mark.parametrize(
    ("language", "word"),
    [
        ("en", "eng"),
        ("pt-BR", "por"),
        ("zh_Hans", "zho"),
        ("deu", "deu"),
        ("", "und"),
        ("x1", "und"),
    ],
)
def test_languages_have_three_letters_in_containers(language, word):
    """BCP 47 tags become ISO 639-2 codes."""
    assert three_letters(language) == word


# ------------------------------------------------------------------ the picture


def test_colours_come_out_as_they_went_in(tmp_path):
    """A player that reads the BT.709 tags shows the picture's own colours."""
    colours = [(200, 30, 40), (20, 180, 60), (30, 60, 210), (240, 240, 240), (128, 128, 128)]
    for colour in colours:
        Image.new("RGB", (64, 64), colour).save(tmp_path / "flat.png")
        piece = Piece(64, 64, 25, 3, move(tmp_path / "flat.png"), 0)
        run(FFmpegRenderer().encode(piece, tmp_path / "flat.mp4"))

        answer = subprocess.run(
            [FFMPEG, "-v", "error", "-i", tmp_path / "flat.mp4", "-f", "rawvideo", "-"],
            capture_output=True,
            check=True,
        )
        luma, u, v = (
            np.frombuffer(answer.stdout, np.uint8, count, at).mean()
            for count, at in ((4096, 0), (1024, 4096), (1024, 5120))
        )
        # Rec. ITU-R BT.709-6, read backwards.
        y, cb, cr = (luma - 16) / 219, (u - 128) / 224, (v - 128) / 224
        red, blue = y + 1.5748 * cr, y + 1.8556 * cb
        green = (y - 0.2126 * red - 0.0722 * blue) / 0.7152
        shown = np.array([red, green, blue]) * 255

        assert np.abs(shown - colour).max() < 2, f"{colour} is shown as {shown}"


def test_colour_lies_where_h264_says(tmp_path):
    """Chroma samples belong to every second luma column, not between two of them."""
    blue = np.zeros((144, 256, 3), np.uint8)
    blue[..., 2] = np.arange(256)
    Image.fromarray(blue).save(tmp_path / "ramp.png")

    piece = Piece(256, 144, 25, 1, move(tmp_path / "ramp.png"), 0)

    _, u, _ = planes_of(next(frames(piece)), piece)

    u = u.mean(0)
    expected = 128 + np.arange(0, 256, 2) / 255 * 112
    # Half a luma column would be 0.22.
    assert np.abs((u - expected)[4:-4].mean()) < 0.1


def test_a_crossfade_goes_from_one_picture_to_the_other(tmp_path):
    """In its middle both pictures are seen equally; it never jumps."""
    Image.new("L", (64, 64), 0).save(tmp_path / "black.png")
    Image.new("L", (64, 64), 255).save(tmp_path / "white.png")
    piece = Piece(64, 64, 25, 11, move(tmp_path / "black.png"), 0, move(tmp_path / "white.png"))

    seen = [float(plane.mean()) for plane in luma_of(piece)]

    assert seen[5] == pytest.approx((16 + 235) / 2, abs=0.5)
    steps = np.diff([16, *seen, 235])
    assert steps == pytest.approx(np.full(12, 219 / 12), abs=1.5)


@given(
    st.sampled_from([*MOTIONS, "none"]),
    st.tuples(st.integers(1, 4000), st.integers(1, 4000)),
    st.sampled_from([(1920, 1080), (1080, 1920), (1080, 1080), (64, 7680)]),
    st.integers(1, 2000),
)
def test_the_camera_never_sees_an_edge(motion, picture, size, length):
    """Whatever the shapes, the window lies in the picture and has the film's aspect."""
    camera = plan(motion, picture, size, length, 30)

    for frame in (0, 1, length // 3, length // 2, length - 1):
        window = camera.at(min(frame, length - 1))
        assert window.left >= -1e-6
        assert window.top >= -1e-6
        assert window.left + window.width <= picture[0] + 1e-6
        assert window.top + window.height <= picture[1] + 1e-6
        assert window.width / window.height == pytest.approx(size[0] / size[1])


@pytest.mark.parametrize("motion", MOTIONS)
@pytest.mark.parametrize("picture", [(1024, 1024), (1536, 1024), (1920, 1080), (600, 2000)])
def test_the_camera_starts_and_stops_without_a_jerk(motion, picture):
    """Speed grows from nothing and falls to nothing; it never turns back."""
    camera = plan(motion, picture, (1920, 1080), 270, 30)
    path = np.array([camera.at(frame) for frame in range(270)])
    # Of all that changes (place or size), what changes most, in pixels of the film.
    way = path[:, np.argmax(np.abs(path[-1] - path[0]))] * 1920 / path[0][2]

    speed = np.diff(way) * np.sign(way[-1] - way[0])

    assert np.abs(way[-1] - way[0]) > 60
    assert speed.min() >= 0
    assert speed[0] < 0.02 * speed.max()
    assert speed[-1] < 0.02 * speed.max()
    assert np.abs(np.diff(speed)).max() < 0.05 * speed.max()


def test_a_square_picture_pans_over_what_a_crop_would_lose(tmp_path):
    """On 16:9 a pan up or down travels at full width, on 9:16 left or right at full height."""
    wide = plan("down", (1024, 1024), (1920, 1080), 300, 30)
    tall = plan("right", (1024, 1024), (1080, 1920), 300, 30)

    assert wide.at(0).width == 1024
    assert wide.at(299).top - wide.at(0).top > 200
    assert tall.at(0).height == 1024
    assert tall.at(299).left - tall.at(0).left > 200


@pytest.mark.parametrize(("motion", "axis"), [("left", 0), ("down", 1)])
def test_pans_are_smooth_to_a_fraction_of_a_pixel(tmp_path, motion, axis):
    """Measured by correlation, every frame lies where the eased path says, to 0.1 pixel."""
    texture(7, (512, 512)).save(tmp_path / "a.png")
    moved = move(tmp_path / "a.png", motion, 75)
    piece = Piece(320, 180, 25, 75, moved, 0)
    camera = plan(motion, (512, 512), (320, 180), 75, 25)

    seen = luma_of(piece)

    for before in range(0, 72, 3):
        step = shift_between(seen[before], seen[before + 1])[axis]
        scale = 320 / camera.at(before).width
        due = (camera.at(before)[axis] - camera.at(before + 1)[axis]) * scale
        assert step == pytest.approx(due, abs=0.1)


def test_a_pan_at_full_speed_runs_over_whole_pixels(tmp_path):
    """Every frame of a steady pan is the one before, moved by whole pixels, and else the same."""
    texture(7, (200, 2000)).save(tmp_path / "a.png")
    piece = Piece(64, 480, 24, 150, move(tmp_path / "a.png", "down", 150), 0)

    seen = luma_of(piece)[60:90]

    for one, other in pairwise(seen):
        assert np.array_equal(one[1:], other[:-1])


def test_zooms_stay_where_they_are(tmp_path):
    """A slow zoom does not shake: its steps hardly differ from one another."""
    texture(8, (512, 512)).save(tmp_path / "a.png")
    piece = Piece(320, 180, 25, 50, move(tmp_path / "a.png", "in", 250), 100)

    seen = luma_of(piece)

    # A corner moves outwards by about 0.15 pixels a frame.
    corner = [frame[:90, :160] for frame in seen]
    steps = np.array([shift_between(a, b) for a, b in pairwise(corner)])
    assert np.abs(steps.mean(0)).max() > 0.02
    assert steps.std(0).max() < 0.03


@pytest.mark.parametrize("motion", [*MOTIONS, "none"])
@pytest.mark.parametrize("size", [(160, 90), (90, 160), (100, 100)])
def test_a_picture_that_is_to_fit_is_never_cut(tmp_path, motion, size):
    """All of it is seen in every frame of every move, over a darker blur of itself."""
    for shape in ((120, 120), (240, 90), (90, 240)):
        picture = Image.new("RGB", shape, (128, 128, 128))
        for corner in product((0, shape[0] - 20), (0, shape[1] - 20)):
            picture.paste((255, 255, 255), (*corner, corner[0] + 20, corner[1] + 20))
        picture.save(tmp_path / "a.png")
        piece = Piece(*size, FPS, 14, move(tmp_path / "a.png", motion, 14), 0, framing="fit")

        for luma in luma_of(piece)[::13]:
            areas, _ = cv2.connectedComponents((luma > 180).astype(np.uint8))
            assert areas - 1 == 4, (shape, motion)


def test_a_picture_of_the_films_shape_fills_it_either_way(tmp_path):
    """There is nothing to fit."""
    texture(3, (320, 180)).save(tmp_path / "a.png")
    filled = Piece(160, 90, FPS, 3, move(tmp_path / "a.png", "in", 3), 0)

    fitted = luma_of(replace(filled, framing="fit"))

    assert np.array_equal(fitted, luma_of(filled))


def test_qualities_differ_in_size_and_likeness(tmp_path):
    """A draft is the smallest, and high is nearest to what was drawn."""
    texture(4, (400, 300)).save(tmp_path / "a.png")
    drawn = Piece(320, 180, FPS, 30, move(tmp_path / "a.png", "in", 60), 0)
    sizes, distances = [], []
    for quality in ("draft", "standard", "high"):
        out = tmp_path / f"{quality}.mp4"
        run(FFmpegRenderer().encode(replace(drawn, quality=quality), out))
        sizes.append(out.stat().st_size)
        distances.append(np.abs(decoded(out) - np.array(luma_of(drawn))).mean())

    assert sizes == sorted(sizes)
    assert distances == sorted(distances, reverse=True)


def test_the_number_of_opencvs_threads_is_given_back(tmp_path):
    """It belongs to the whole process, in which others may use OpenCV."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    try:
        texture(4).save(tmp_path / "a.png")
        drawing = frames(Piece(64, 64, FPS, 5, move(tmp_path / "a.png"), 0))
        next(drawing)
        during = cv2.getNumThreads()
        drawing.close()

        assert (during, cv2.getNumThreads()) == (1, 3)
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize(
    ("mode", "size"),
    [("RGBA", (80, 60)), ("P", (80, 60)), ("L", (3, 200)), ("I;16", (64, 64)), ("1", (64, 64))],
)
def test_pictures_of_every_kind_are_read(tmp_path, mode, size):
    """Transparent, indexed, grey, 16-bit and tiny pictures fill the frame."""
    path = tmp_path / "a.png"
    if mode == "I;16":
        Image.fromarray(np.full((64, 64), 0x8000, np.uint16)).save(path)
    else:
        Image.new("RGB", size, (128, 128, 128)).convert(mode).save(path)

    (luma,) = luma_of(Piece(WIDTH, HEIGHT, FPS, 1, move(path), 0))

    if mode != "1":
        assert luma.mean() == pytest.approx(16 + 128 / 255 * 219, abs=1)


@pytest.mark.parametrize("motion", [*MOTIONS, "none"])
def test_no_shape_of_picture_is_too_odd(tmp_path, motion):
    """Every shape can be drawn, also where rounding puts the window a hair outside."""
    for size in [(1, 1), (7, 3), (97, 53), (64, 36), (1000, 999), (5, 640), (29, 18)]:
        texture(1, size).save(tmp_path / "a.png")
        for film_size in ((36, 64), (320, 180)):
            moved = move(tmp_path / "a.png", motion, 5)

            drawn = luma_of(Piece(*film_size, 25, 5, moved, 0))

            assert len(drawn) == 5


def test_pictures_are_shown_the_way_up_they_were_taken(tmp_path):
    """The rotation in a photograph's EXIF data is followed."""
    picture = Image.new("L", (64, 64), 0)
    picture.paste(255, (0, 0, 64, 32))
    exif = Image.Exif()
    exif[0x0112] = 3
    picture.save(tmp_path / "a.jpg", exif=exif)

    (luma,) = luma_of(Piece(64, 64, FPS, 1, move(tmp_path / "a.jpg"), 0))

    assert luma[:28].mean() < luma[36:].mean()


def broken_pictures(folder):
    texture(1).save(folder / "whole.png")
    whole = (folder / "whole.png").read_bytes()
    (folder / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (folder / "text.png").write_text("not a picture")
    (folder / "empty.png").write_bytes(b"")
    texture(1).save(folder / "picture.gif")
    Image.new("1", (8000, 5000)).save(folder / "large.png")
    Image.new("1", (20_000, 10_000)).save(folder / "bomb.png")
    return ["truncated.png", "text.png", "empty.png", "picture.gif", "large.png", "bomb.png"]


def test_bad_pictures_are_refused_by_name(tmp_path):
    """Damaged, foreign, missing and enormous pictures: an error that names them, and no file."""
    for name in [*broken_pictures(tmp_path), "missing.png"]:
        piece = Piece(WIDTH, HEIGHT, FPS, 5, Move(tmp_path / name, name, "in", 5), 0)

        with pytest.raises(RenderError, match=name) as caught:
            run(FFmpegRenderer().encode(piece, tmp_path / "out.mp4"))

        assert caught.value.code == "bad_picture"
        assert not (tmp_path / "out.mp4").exists()


def test_odd_sizes_are_refused(tmp_path):
    """H.264 halves the colour planes."""
    texture(1).save(tmp_path / "a.png")

    with pytest.raises(RenderError, match="even sides, not 255x144"):
        run(
            FFmpegRenderer().encode(
                Piece(255, 144, FPS, 1, move(tmp_path / "a.png"), 0), tmp_path / "out.mp4"
            )
        )


# ------------------------------------------------------------------ the sound


def test_sentences_begin_on_their_sample(tmp_path):
    """In the film's sound each sentence lies where the soundtrack put it, to a millisecond."""
    bursts = [murmur(n, 0.2) for n in range(3)]
    for burst in bursts:
        burst[2_000::1_000] = 32_000  # So that the limiter has to work, which looks ahead.
    places = [0, 17_777, 40_001]
    cues = tuple(
        (at, write_wav(tmp_path / f"{n}.wav", burst))
        for n, (at, burst) in enumerate(zip(places, bursts, strict=True))
    )

    run(FFmpegRenderer().mix(Soundtrack(RATE, 60_000, cues), tmp_path / "s.m4a"))

    sound = heard(tmp_path / "s.m4a", rate=RATE)
    assert len(sound) == 60_000
    for at, burst in zip(places, bursts, strict=True):
        around = np.pad(sound, 200)[at : at + len(burst) + 400]
        lag = int(np.argmax(np.correlate(around, burst.astype(float)))) - 200
        assert abs(lag) <= RATE // 1000


@pytest.mark.parametrize("suffix", [".m4a", ".mp3"])
@pytest.mark.parametrize("samples", [400, 1_000, 24_000, 100_003])
def test_sound_is_as_long_as_asked(tmp_path, suffix, samples):
    """To the sample, at 48 kHz, whatever the codec's frames are."""
    cue = write_wav(tmp_path / "a.wav", murmur(1, samples / RATE))

    run(FFmpegRenderer().mix(Soundtrack(RATE, samples, ((0, cue),)), tmp_path / f"s{suffix}"))

    assert abs(len(heard(tmp_path / f"s{suffix}")) - 2 * samples) <= 2


@pytest.mark.parametrize("level", [0.01, 0.1, 1.0], ids=["whisper", "voice", "shout"])
@pytest.mark.parametrize("suffix", [".m4a", ".mp3"])
def test_every_voice_comes_out_equally_loud(tmp_path, level, suffix):
    """-16 LUFS and a true peak below -1.5 dB, measured on the file; silence does not count."""
    samples = np.concatenate([murmur(n, 1.5, level) * (n % 2) for n in range(6)])
    # Clicks, as plosives are, that a gain alone would push beyond full scale.
    samples[36_000::12_000] = np.clip(samples.max() * 3.0, 0, 32_767)
    cue = write_wav(tmp_path / "a.wav", samples)

    run(FFmpegRenderer().mix(Soundtrack(RATE, 240_000, ((0, cue),)), tmp_path / f"s{suffix}"))

    found = loudness_of(Job(), tmp_path / f"s{suffix}")
    assert found.integrated == pytest.approx(-16, abs=1)
    assert found.peak <= -1.5


def test_a_word_too_short_to_measure_is_heard(tmp_path):
    """A sound shorter than the meter's window is brought to its loudness too."""
    cue = write_wav(tmp_path / "a.wav", murmur(1, 0.1, level=0.01))

    run(FFmpegRenderer().mix(Soundtrack(RATE, 2_400, ((0, cue),)), tmp_path / "s.m4a"))

    # This noise peaks about 6 dB above its loudness, so 10 dB below full scale at -16 LUFS.
    assert 5_000 < np.abs(heard(tmp_path / "s.m4a")).max() < 20_000


@pytest.mark.parametrize("hiss", [0, 1])
def test_silence_stays_silence(tmp_path, hiss):
    """A soundtrack of silence, or of the last bit's hiss, is not made loud."""
    noise = np.random.default_rng(1).integers(-hiss, hiss + 1, 40_000)
    cue = write_wav(tmp_path / "a.wav", noise)

    run(FFmpegRenderer().mix(Soundtrack(RATE, 48_000, ((10, cue),)), tmp_path / "s.m4a"))

    assert np.abs(heard(tmp_path / "s.m4a")).max() <= 4


def test_sentences_cut_inside_a_wave_do_not_click(tmp_path):
    """A constant that begins and ends at once is faded over milliseconds."""
    cue = write_wav(tmp_path / "a.wav", np.full(12_000, 12_000))

    run(FFmpegRenderer().mix(Soundtrack(RATE, 24_000, ((6_000, cue),)), tmp_path / "s.m4a"))

    sound = heard(tmp_path / "s.m4a")
    assert np.abs(np.diff(sound)).max() < 0.1 * np.abs(sound).max()


def test_sound_that_cannot_be_mixed_is_refused(tmp_path):
    """Missing, cut, other rates, overlaps, and sentences beyond the end: each its own words."""
    good = write_wav(tmp_path / "good.wav", murmur(1, 0.5))
    stereo = write_wav(tmp_path / "stereo.wav", murmur(1, 0.5), channels=2)
    slow = write_wav(tmp_path / "slow.wav", murmur(1, 0.5), rate=16_000)
    text = tmp_path / "text.wav"
    text.write_text("hello")
    empty = tmp_path / "empty.wav"
    empty.write_bytes(b"")
    cases = {
        "missing.wav cannot be read": ((0, tmp_path / "missing.wav"),),
        "text.wav cannot be read": ((0, text),),
        "empty.wav cannot be read": ((0, empty),),
        "stereo.wav is not 16-bit mono": ((0, stereo),),
        "slow.wav is not 16-bit mono at 24000": ((0, slow),),
        "before the sentence before it has ended": ((0, good), (11_999, good)),
        "ends after the film": ((12_001, good),),
    }
    for words, cues in cases.items():
        with pytest.raises(RenderError, match=words):
            run(FFmpegRenderer().mix(Soundtrack(RATE, 24_000, cues), tmp_path / "s.m4a"))
        assert not (tmp_path / "s.m4a").exists()

    with pytest.raises(RenderError, match=r"not as s\.ogg"):
        run(FFmpegRenderer().mix(Soundtrack(RATE, 24_000, ()), tmp_path / "s.ogg"))


# ------------------------------------------------------------------ what goes wrong


def wrapped_ffmpeg(path, body):
    """Write a program that answers like ffmpeg when it is looked at, and else does `body`."""
    path.write_text(
        f'#!/bin/sh\ncase "$*" in *-encoders*) exec {FFMPEG} -encoders;; esac\n{body}\n'
    )
    path.chmod(0o755)
    return str(path)


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


@pytest.fixture
def piece(tmp_path):
    texture(1).save(tmp_path / "a.png")
    return Piece(WIDTH, HEIGHT, FPS, 50, move(tmp_path / "a.png", "in", 50), 0)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_hung_encoder_is_ended_by_its_deadline(tmp_path, monkeypatch, piece):
    """Its last words are in the error, its file is gone, and so is every process it started."""
    hangs = wrapped_ffmpeg(
        tmp_path / "hangs", f"echo half >{tmp_path}/out.mp4; echo 'I am stuck' >&2; sleep 987.125"
    )
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", hangs)

    begun = time.monotonic()
    with pytest.raises(RenderError, match=r"longer than 1 seconds.*I am stuck") as caught:
        run(FFmpegRenderer(deadline=1).encode(piece, tmp_path / "out.mp4"))

    assert time.monotonic() - begun < 10
    assert caught.value.retryable
    assert not (tmp_path / "out.mp4").exists()
    assert alive("987.125") == []


@pytest.mark.parametrize(
    ("trouble", "said"), [("sleep 987.5", "took longer"), ("kill -9 $$", "ended by SIGKILL")]
)
def test_a_piece_whose_encoder_hangs_or_crashes_is_tried_once_more(
    tmp_path, monkeypatch, piece, caplog, trouble, said
):
    """The second try makes it, and the log says what happened to the first."""
    once = f"test -e {tmp_path}/tried || {{ touch {tmp_path}/tried; {trouble}; }}"
    once += f'\nexec {FFMPEG} "$@"'
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", wrapped_ffmpeg(tmp_path / "once", once))

    run(FFmpegRenderer(deadline=3).encode(piece, tmp_path / "out.mp4"))

    assert probe(tmp_path / "out.mp4").frames == piece.frames
    assert said in caplog.text


def test_a_piece_is_not_tried_a_third_time(tmp_path, monkeypatch, piece):
    """Two crashes are a failure, which says that the machine may have too little memory."""
    crashes = wrapped_ffmpeg(tmp_path / "crashes", f"echo >> {tmp_path}/tries; kill -9 $$")
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", crashes)

    with pytest.raises(RenderError, match="SIGKILL") as caught:
        run(FFmpegRenderer().encode(piece, tmp_path / "out.mp4"))

    assert "memory" in caught.value.hint
    assert (tmp_path / "tries").read_text() == "\n\n"


def test_an_encoder_that_fails_says_why(tmp_path, monkeypatch, piece):
    """The child's own words and its exit code are in the error."""
    fails = wrapped_ffmpeg(tmp_path / "fails", "echo 'out of cheese' >&2; exit 3")
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", fails)

    with pytest.raises(RenderError, match=r"ended with 3\. .*out of cheese"):
        run(FFmpegRenderer().encode(piece, tmp_path / "out.mp4"))


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_cancelling_ends_the_child_and_leaves_no_file(tmp_path):
    """A cancelled encode is over in a moment: no process, no thread that goes on, no file."""
    texture(1).save(tmp_path / "a.png")
    long = Piece(1280, 720, 30, 3000, move(tmp_path / "a.png", "in", 3000), 0)
    out = tmp_path / "cancelled-film.mp4"

    async def cancel_soon():
        task = asyncio.create_task(FFmpegRenderer().encode(long, out))
        while not alive("cancelled-film"):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - begun

    assert run(cancel_soon()) < 3
    assert not out.exists()
    assert alive("cancelled-film") == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_says_so_and_leaves_no_half_file(tmp_path, piece):
    """Plain words for encoding and mixing, and nothing left behind."""
    cue = write_wav(tmp_path / "a.wav", murmur(1, 0.5))
    work = {
        "out.mp4": lambda out: FFmpegRenderer().encode(piece, out),
        "out.m4a": lambda out: FFmpegRenderer().mix(Soundtrack(RATE, 24_000, ((0, cue),)), out),
    }
    for name, write in work.items():
        out = tmp_path / name
        out.symlink_to("/dev/full")

        with pytest.raises(StorageError, match="the disk is full") as caught:
            run(write(out))

        assert caught.value.code == "disk_full"
        assert not out.is_symlink()


def test_an_unusable_ffmpeg_is_a_matter_of_setup(tmp_path, monkeypatch):
    """Nonsense, something that is not ffmpeg, and an ffmpeg without x264: before any work."""
    other = tmp_path / "other"
    other.write_text("#!/bin/sh\necho hello\n")
    poor = tmp_path / "poor"
    poor.write_text("#!/bin/sh\necho 'ffmpeg version 7.1' >&2\necho ' A....D aac  AAC'\n")
    for program in (other, poor):
        program.chmod(0o755)
    cases = {
        str(tmp_path / "nowhere"): "cannot be run as ffmpeg",
        str(other): "is not ffmpeg",
        str(poor): "lacks libx264, libmp3lame",
    }
    for path, words in cases.items():
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", path)
        with pytest.raises(ConfigurationError, match=words):
            FFmpegRenderer()


def test_pieces_of_different_films_are_not_joined(tmp_path, piece):
    """Other settings would play as garbage; the error names the piece."""
    one, other = tmp_path / "one.mp4", tmp_path / "other.mp4"
    sound = tmp_path / "s.m4a"
    cue = write_wav(tmp_path / "a.wav", murmur(1, 0.5))
    run(FFmpegRenderer().mix(Soundtrack(RATE, 24_000, ((0, cue),)), sound))
    run(FFmpegRenderer().encode(piece, one))
    for other_piece in (
        Piece(128, 144, FPS, 5, piece.still, 0),
        Piece(WIDTH, HEIGHT, 30, 5, piece.still, 0),
    ):
        run(FFmpegRenderer().encode(other_piece, other))
        with pytest.raises(RenderError, match=r"other\.mp4 was encoded with other settings"):
            run(FFmpegRenderer().join([one, other], sound, tmp_path / "out.mp4", Tags("", "")))
    other.write_bytes(one.read_bytes()[:200])
    with pytest.raises(RenderError, match=r"other\.mp4"):
        run(FFmpegRenderer().join([one, other], sound, tmp_path / "out.mp4", Tags("", "")))
    assert not (tmp_path / "out.mp4").exists()


# ------------------------------------------------------------------ looking at films


def remade(source, out, *arguments):
    subprocess.run([FFMPEG, "-v", "error", "-y", "-i", source, *arguments, out], check=True)
    return out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-c", "copy", "-an", "-movflags", "+faststart"], "its sound is None"),
        (["-c", "copy"], "cannot play before it is wholly downloaded"),
        (["-c", "copy", "-t", "2", "-movflags", "+faststart"], "it lasts 2"),
        (["-vf", "geq=lum=16:cb=128:cr=128", "-movflags", "+faststart"], "it is black"),
        (["-c:v", "copy", "-af", "volume=0", "-movflags", "+faststart"], "it is silent"),
        (["-c:v", "copy", "-af", "volume=-9dB", "-movflags", "+faststart"], "LUFS, not -16"),
        (["-c:v", "copy", "-ar", "44100", "-movflags", "+faststart"], "44100 Hz"),
        (["-c:v", "copy", "-t:a", "2", "-movflags", "+faststart"], "end apart"),
        (["-pix_fmt", "yuv444p", "-movflags", "+faststart"], "yuv444p"),
        (["-vf", "setpts=N*(1+eq(N\\,20)/2)/25/TB", "-fps_mode", "vfr"], "not evenly spaced"),
        (["-c:v", "mpeg4", "-movflags", "+faststart"], "its picture is mpeg4"),
        (["-vf", "scale=128:144", "-movflags", "+faststart"], "128x144, not 256x144"),
        (["-r", "50", "-movflags", "+faststart"], "50.000 frames a second, not 25"),
    ],
)
def test_films_that_are_not_right_are_told_apart(made, tmp_path, arguments, words):
    """Each thing a player or a person would stumble over is found and named."""
    (out, timeline, _), _, _ = made
    wrong = remade(out, tmp_path / "wrong.mp4", *arguments)

    with pytest.raises(AssertionError, match=words):
        assert_video(wrong, size=(WIDTH, HEIGHT), fps=FPS, seconds=float(timeline.seconds))


@pytest.mark.parametrize(
    ("picture", "sound", "words"),
    [
        ("drawbox=enable='between(t,2,4)':color=black:t=fill", "anull", r"from 2\.0 s to 4\.\d s"),
        ("null", "volume=enable='between(t,1,5)':volume=0", r"from 1\.\d s on it is silent"),
        ("drawbox=enable='between(t,2,2.6)':color=black:t=fill", "anull", None),
        ("null", "volume=enable='between(t,1,3)':volume=0", None),
    ],
)
def test_stretches_of_nothing_are_noticed(tmp_path, picture, sound, words):
    """More than a second of black and three of silence are not what anybody ordered."""
    film = tmp_path / "film.mp4"
    command = [FFMPEG, "-v", "error", "-f", "lavfi", "-i", "testsrc=s=128x72:r=24:d=8"]
    command += ["-f", "lavfi", "-i", "sine=300:sample_rate=48000:duration=8", "-af", sound]
    command += [
        "-vf",
        f"{picture},setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709",
        "-pix_fmt",
        "yuv420p",
    ]
    command += ["-c:v", "libx264", "-movflags", "+faststart", film]
    subprocess.run(command, check=True)

    if words is None:
        assert_video(film, loudness=None)
    else:
        with pytest.raises(AssertionError, match=words):
            assert_video(film, loudness=None)


def test_untagged_colours_are_noticed(made, tmp_path):
    """A film without BT.709 tags is shown in other colours by half of all players."""
    (out, _, _), _, _ = made
    untagged = "setparams=colorspace=unknown:color_primaries=unknown:color_trc=unknown"
    bare = remade(out, tmp_path / "bare.mp4", "-c:a", "copy", "-vf", untagged)

    with pytest.raises(AssertionError, match="colours are tagged"):
        assert_video(bare)


def test_damage_in_the_middle_is_noticed(made, tmp_path):
    """A film whose packets are all there but do not decode is not done."""
    (out, timeline, _), _, _ = made
    content = bytearray(out.read_bytes())
    middle = content.index(b"mdat") + (len(content) - content.index(b"mdat")) // 3
    content[middle : middle + 400] = bytes(range(100, 200)) * 4
    (tmp_path / "damaged.mp4").write_bytes(content)

    with pytest.raises(AssertionError, match=r"damaged\.mp4"):
        assert_video(tmp_path / "damaged.mp4", seconds=float(timeline.seconds))


@pytest.mark.parametrize("content", [b"", b"hello", b"\0\0\0\x08ftyp\0\0\0\0"])
def test_what_is_no_film_is_said_to_be_none(tmp_path, content):
    """An empty file, a text and a stub are no films."""
    (tmp_path / "x.mp4").write_bytes(content)

    with pytest.raises(AssertionError, match="cannot be read as a film"):
        assert_video(tmp_path / "x.mp4")
    with pytest.raises(AssertionError, match="is not there"):
        assert_video(tmp_path / "y.mp4")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.srt", "1\n00:00:00,000 --> 00:00:01,000\nOne\n\n", None),
        ("a.vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nOne\n", None),
        ("a.vtt", "00:00:00.000 --> 00:00:01.000\nOne\n", "does not begin with WEBVTT"),
        ("a.srt", "", "has no captions"),
        ("a.srt", "2\n00:00:00,000 --> 00:00:01,000\nOne\n\n", "not numbered so"),
        ("a.srt", "1\n00:00:01,000 --> 00:00:00,500\nOne\n\n", "ends before it begins"),
        ("a.srt", "1\n00:00:00,000 --> 00:09:00,000\nOne\n\n", "after the film"),
        ("a.srt", "1\n00:00:00,000 --> 00:00:01,000\n\nOne\n\n", "no times or no text"),
        (
            "a.srt",
            "1\n00:00:00,000 --> 00:00:01,000\nOne\n\n2\n00:00:00,900 --> 00:00:02,000\nTwo\n\n",
            "caption 2 overlaps",
        ),
    ],
)
def test_captions_are_looked_at_too(made, tmp_path, name, text, words):
    """Captions have to parse, not to overlap, and to end with the film."""
    (out, _, _), _, _ = made
    (tmp_path / name).write_text(text)

    if words is None:
        assert_video(out, captions=tmp_path / name)
    else:
        with pytest.raises(AssertionError, match=words):
            assert_video(out, captions=tmp_path / name)


# ------------------------------------------------------------------ the pipe


class Frames:
    """Large blocks from two buffers in turn, each filled anew just before it is asked for."""

    def __init__(self, count, size):
        self._buffers = [np.empty(size, np.uint8), np.empty(size, np.uint8)]
        self._count = count

    def __iter__(self):
        for number in range(self._count):
            buffer = self._buffers[number % 2]
            buffer[:] = number % 251
            yield buffer.data


@pytest.mark.parametrize("splices", [True, False])
def test_frames_come_through_the_pipe_as_they_were(splices, monkeypatch):
    """To a slow reader too, though buffers are used again, and where memory cannot be shared."""
    size = 3 << 20
    if not splices:
        monkeypatch.setattr(FramePipe, "_spliced", lambda _pipe, _block: 0)
    child = subprocess.Popen(
        [sys.executable, "-c", READ_SLOWLY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )

    with child:
        pipe = FramePipe(child.stdin)
        for block in Frames(20, size):
            pipe.write(block)
        child.stdin.close()
        told = child.stdout.read().decode()

    assert told.split() == [f"{number}:{size}" for number in range(20)]


READ_SLOWLY = """
import itertools, os, time
found = []
while block := os.read(0, 200_000):
    found += [(value, len(list(run))) for value, run in itertools.groupby(block)]
    time.sleep(0.001)
for value, runs in itertools.groupby(found, key=lambda run: run[0]):
    print(f"{value}:{sum(length for _, length in runs)}")
"""
