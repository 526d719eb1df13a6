"""What a film's options do, from the script to the finished file."""

from __future__ import annotations

import subprocess
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from visionpulse import Pipeline, VideoOptions, VideoService
from visionpulse.errors import ConfigurationError, InputError
from visionpulse.renderers.probe import probe
from visionpulse.renderers.process import find_ffmpeg
from visionpulse.testing import assert_video

from .conftest import SCRIPT, TINY

FFMPEG = find_ffmpeg().path
FOUR = " ".join(f"This is sentence number {word}." for word in ("one", "two", "three", "four"))


def shaped(**options) -> VideoOptions:
    return TINY.model_copy(update=options)


def made(pipeline, video, **wishes) -> list[str]:
    """Run a video; return the kinds of what was made, and the video."""
    events = []
    finished = pipeline.run(video, on_event=events.append, **wishes)
    return sorted(event.what for event in events if event.kind == "made"), finished


def seen(film, pixels="gray") -> np.ndarray:
    """Return a film's frames."""
    answer = subprocess.run(
        [FFMPEG, "-v", "error", "-i", film, "-f", "rawvideo", "-pix_fmt", pixels, "-"],
        capture_output=True,
        check=True,
    )
    info = probe(Path(film))
    return np.frombuffer(answer.stdout, np.uint8).reshape(-1, info.height, info.width).astype(int)


def facts(film) -> str:
    return subprocess.run([FFMPEG, "-i", film], capture_output=True, check=False).stderr.decode()


# ------------------------------------------------------------------ what one change costs


def test_a_new_picture_encodes_its_scene_and_its_crossfades(pipeline):
    """Of a film in four scenes three pieces are encoded: a body and the fades at its ends."""
    video = pipeline.run(FOUR, options=shaped(scene_count=4))

    again, _ = made(pipeline, video.edit(1, prompt="candles"))

    assert again == ["film", "picture", "piece", "piece", "piece"]


def test_other_captions_encode_only_what_they_stand_on(pipeline):
    """Burned captions redraw the pieces with words on them; a soft track encodes nothing."""
    video = pipeline.run(FOUR, options=shaped(scene_count=4))

    soft, video = made(pipeline, video.edit(options=shaped(scene_count=4, captions="soft")))
    burned, video = made(pipeline, video.edit(options=shaped(scene_count=4, captions="burned")))
    back, _ = made(pipeline, video.edit(options=shaped(scene_count=4)))

    assert soft == ["film"]
    assert burned.count("piece") >= 4
    assert set(burned) == {"film", "piece"}
    assert back == []


def test_music_touches_no_picture(pipeline, tmp_path):
    """Other music is another sound; the last scene and its crossfade are longer, for the end."""
    video = pipeline.run(SCRIPT, options=TINY)

    first, video = made(pipeline, video.edit(options=shaped(music="calm")))
    song = str(tone(tmp_path / "song.wav"))
    second, _ = made(pipeline, video.edit(options=shaped(music=song)))

    assert first.count("piece") == 2
    assert set(first) <= {"captions", "film", "music", "piece", "sound"}
    assert second == ["film", "import", "sound", "sound"]


# ------------------------------------------------------------------ captions


@pytest.mark.parametrize(
    "size",
    [(320, 180), *(pytest.param(s, marks=pytest.mark.slow) for s in ((180, 320), (180, 180)))],
)
def test_burned_captions_are_seen_while_they_are_spoken(pipeline, size):
    """White letters stand low in the picture when a caption is due, and are gone between."""
    shape = shaped(width=size[0], height=size[1])
    plain = pipeline.run(SCRIPT, options=shape)
    before = seen(plain.video_path)
    burned = pipeline.run(plain.edit(options=shape.model_copy(update={"captions": "burned"})))

    changed = np.abs(seen(burned.video_path) - before) > 60
    rows = np.flatnonzero(changed.any(axis=(0, 2)))
    columns = np.flatnonzero(changed.any(axis=(0, 1)))

    assert rows.min() > size[1] / 2
    assert rows.max() < 0.97 * size[1]
    assert columns.min() > 0
    assert columns.max() < size[0] - 1
    # Five sentences with a pause after each: letters come and go.
    shown = changed.sum(axis=(1, 2)) > 20
    assert shown.any()
    assert not shown.all()


def test_karaoke_lights_one_word_after_another(pipeline):
    """The lit word's colour wanders along the line while the sentence is spoken."""
    shape = shaped(width=640, height=360, captions="karaoke")
    video = pipeline.run("Seven slow yellow boats went home.", options=shape)
    info = probe(Path(video.video_path))
    answer = subprocess.run(
        [FFMPEG, "-v", "error", "-i", video.video_path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        capture_output=True,
        check=True,
    )
    frames = np.frombuffer(answer.stdout, np.uint8).reshape(-1, info.height, info.width, 3)
    red, green, blue = (frames[:, 240:, :, channel].astype(int) for channel in range(3))

    lit = (red > 200) & (green > 150) & (blue < 120)
    places = [np.flatnonzero(frame.any(axis=0)).mean() for frame in lit if frame.sum() > 15]

    steps = [after - before for before, after in pairwise(places) if abs(after - before) > 6]
    assert len(steps) >= 3
    assert sum(step > 0 for step in steps) > len(steps) - 2


def test_a_soft_track_holds_every_caption(pipeline):
    """As many texts as the SRT file has, in a track with the film's language."""
    video = pipeline.run(SCRIPT, options=shaped(captions="soft"))

    command = [FFMPEG, "-v", "error", "-i", video.video_path, "-map", "0:s:0", "-f", "srt", "-"]
    told = subprocess.run(command, capture_output=True, check=True).stdout.decode()

    written = Path(video.caption_paths["srt"]).read_text("utf-8")
    assert told.count("-->") == written.count("-->") > 2
    assert "(eng): Subtitle: mov_text" in facts(video.video_path)


def test_letters_that_no_font_has_are_refused_before_anything_is_bought(
    pipeline, prompts, images, speech
):
    """The characters are named; without captions on the picture the same script is fine."""
    script = "The sign 𓀀 is a seated man."

    with pytest.raises(ConfigurationError, match="𓀀"):
        pipeline.run(script, options=shaped(captions="burned"))

    assert not prompts.asked
    assert not images.drawn
    assert not speech.spoken
    assert pipeline.run(script, options=TINY).status == "completed"


# ------------------------------------------------------------------ music


def tone(path, seconds=3.0):
    """Write a tone of 3 kHz, which no fake voice has."""
    at = np.arange(round(seconds * 48_000)) / 48_000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes((np.sin(2 * np.pi * 3000 * at) * 12_000).astype("<i2").tobytes())
    return path


def heard(film) -> np.ndarray:
    command = [FFMPEG, "-v", "error", "-i", film, "-ac", "1", "-ar", "48000", "-f", "s16le", "-"]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, "<i2")


def test_a_music_file_of_ones_own_is_heard_under_the_voice(pipeline, tmp_path):
    """It sounds to the film's end, quiet, though the file is shorter; and fades there."""
    plain = heard(pipeline.run(SCRIPT, options=TINY).video_path)
    music = tone(tmp_path / "it's my song.wav")

    video = pipeline.run(SCRIPT, options=shaped(music=str(music)))

    def level(sound, start, end):
        part = sound[round(start * 48_000) : round(end * 48_000)].astype(float)
        spectrum = np.abs(np.fft.rfft(part * np.hanning(part.size)))
        at = round(3000 * part.size / 48_000)
        return spectrum[at - 3 : at + 4].max() / part.size

    end, sound = video.duration, heard(video.video_path)
    assert level(sound, end / 2, end / 2 + 1) > 5 * level(plain, end / 2, end / 2 + 1)
    assert level(sound, end - 1.9, end - 1.6) > 2 * level(sound, end - 0.3, end)
    assert_video(video.video_path, seconds=video.duration)


def test_a_music_file_is_kept_with_the_video(pipeline, tmp_path):
    """Once it is in the film, the film can be made again without the file."""
    music = tone(tmp_path / "song.wav")
    video = pipeline.run(SCRIPT, options=shaped(music=str(music)))
    music.unlink()

    again = pipeline.run(pipeline.get(video.id).edit(0, redraw=True))

    assert again.status == "completed"


def test_music_that_is_not_there_is_refused_before_anything_is_bought(pipeline, prompts):
    """The moods are named."""
    with pytest.raises(InputError, match=r"no music 'loud'") as caught:
        pipeline.run(SCRIPT, options=shaped(music="loud"))

    assert "calm" in caught.value.hint
    assert not prompts.asked


# ------------------------------------------------------------------ the rest


@pytest.mark.parametrize("size", [(128, 72), (72, 128)])
def test_a_film_has_a_poster(pipeline, size):
    """A JPEG of its size beside it, which goes when the video is deleted."""
    video = pipeline.run(SCRIPT, options=shaped(width=size[0], height=size[1]))

    with Image.open(video.poster_path) as poster:
        assert (poster.format, poster.size) == ("JPEG", size)
    pipeline.delete(video.id)
    assert not Path(video.poster_path).exists()


def test_chapters_comment_and_language_are_in_the_file(pipeline):
    """One chapter for each scene, and that AI made it."""
    video = pipeline.run(SCRIPT, title="The sea; \\= 1", options=TINY)

    told = facts(video.video_path)

    assert told.count("Chapter #0:") == 2
    assert "(eng): Audio" in told
    comment = "Pictures and voice were generated by AI. Made with VisionPulse."
    assert_video(video.video_path, tags={"title": "The sea; \\= 1", "comment": comment})
    with pytest.raises(AssertionError, match="its title is 'The sea; "):
        assert_video(video.video_path, tags={"title": "The lake"})


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_scene_four_hundred_begins_with_its_sentence(fps):
    """Its first frame is within one frame of its sentence's first sample: nothing adds up."""
    from visionpulse.models import SpokenSentence
    from visionpulse.timeline import lay_out

    dice = np.random.default_rng(4)
    scenes = [
        [
            SpokenSentence(
                text="x", start=0, end=1, key="x", samples=int(samples), sample_rate=44_100
            )
        ]
        for samples in dice.integers(20_000, 200_000, 401)
    ]

    timeline = lay_out(scenes, fps=fps)

    for scene in (1, 77, 400):
        first_sample = timeline.sentences[scene].sample(44_100) / 44_100
        first_frame = sum(shot.frames for shot in timeline.shots[:scene]) / fps
        assert abs(first_sample - first_frame) < 1 / fps


def test_other_renderers_have_names(tmp_path, prompts, images, speech):
    """MoviePy makes the same film; a name that is none is told the others."""
    with Pipeline(
        "offline", prompts=prompts, images=images, speech=speech, renderer="moviepy", home=tmp_path
    ) as pipeline:
        video = pipeline.run(SCRIPT, options=TINY)

    assert_video(video.video_path, size=(128, 72), fps=24, seconds=video.duration)
    with (
        pytest.raises(InputError, match=r"Unknown renderer 'gpu'. Known: ffmpeg, moviepy"),
        Pipeline("offline", renderer="gpu", home=tmp_path) as pipeline,
    ):
        pipeline.run(SCRIPT, options=TINY)


# ------------------------------------------------------------------ long films


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_four_hundred_scenes_make_a_film(pipeline):
    """Each is seen while its sentence is heard, the last as exactly as the first."""
    script = " ".join(f"This is scene number {number} of the film." for number in range(400))

    video = pipeline.run(script, options=shaped(scene_count=400))

    assert len(video.scenes) == 400
    assert_video(video.video_path, size=(128, 72), fps=24, seconds=video.duration)
    sound = heard(video.video_path).astype(float)
    for scene in (video.scenes[0], video.scenes[200], video.scenes[399]):
        # The pause before a scene is silent; its sentence begins with it, to a frame.
        begun = round(scene.start * 48_000)
        frame = 48_000 // 24
        assert np.abs(sound[begun : begun + 2 * frame]).max() > 1000
        if scene.start:
            assert np.abs(sound[begun - 4 * frame : begun - frame]).max() < 100


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_still_lasts_twenty_five_minutes(tmp_path):
    """A narration of one's own over one picture, in pieces of ten seconds."""
    Image.new("RGB", (160, 90), (90, 120, 60)).save(tmp_path / "still.png")
    at = np.arange(8_000 * 60 * 25) / 8_000
    with wave.open(str(tmp_path / "talk.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        swell = 0.6 + 0.4 * np.sin(2 * np.pi * 3 * at)
        file.writeframes((np.sin(2 * np.pi * 200 * at) * swell * 9_000).astype("<i2").tobytes())

    film = VideoService(home=tmp_path).create_video(
        [tmp_path / "still.png"], tmp_path / "talk.wav", "long", options=TINY
    )

    assert film.duration == 1500
    assert_video(film.video_path, size=(128, 72), fps=24, seconds=1500)
