"""One scene is changed, added, moved, removed or shown otherwise: nothing else is bought again."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from visionpulse import Pipeline
from visionpulse.errors import InputError
from visionpulse.renderers.ffmpeg import FFmpegRenderer

from .conftest import SCRIPT, TINY

THREE = TINY.model_copy(update={"scene_count": 3})


@pytest.fixture
def own(tmp_path):
    """A picture of the user's."""
    file = tmp_path / "own.png"
    Image.new("RGB", (320, 180), "tomato").save(file)
    return file


@pytest.fixture
def video(pipeline):
    """A storyboard with pictures."""
    return pipeline.run(SCRIPT, options=THREE, until="narration")


@pytest.fixture
def asked(prompts, images, speech):
    """How many calls of each kind there were since the last time."""
    before = [0, 0, 0]

    def count() -> list[int]:
        now = [len(prompts.asked), len(images.drawn), len(speech.spoken)]
        new = [b - a for a, b in zip(before, now, strict=True)]
        before[:] = now
        return new

    return count


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).copy()


# ------------------------------------------------------------------ scenes


def test_a_removed_scene_costs_nothing(pipeline, video, asked):
    """What it said is gone; the rest is as it was."""
    asked()

    shorter = pipeline.run(video.remove(1), until="narration")

    assert asked() == [0, 0, 0]
    assert [scene.id for scene in shorter.scenes] == [video.scenes[0].id, video.scenes[2].id]
    assert shorter.script == video.scenes[0].text + video.scenes[2].text
    assert len(shorter.image_paths) == 2


def test_scenes_in_another_order_cost_nothing(pipeline, video, asked):
    """Pictures and sentences go with their scenes, and the words stay apart."""
    last = pixels(video.image_paths[2])
    asked()

    moved = pipeline.run(video.reorder([2, 0, 1]), until="narration")

    assert asked() == [0, 0, 0]
    assert [scene.id for scene in moved.scenes] == [video.scenes[n].id for n in (2, 0, 1)]
    assert "Smith. The first" in moved.script
    assert "".join(scene.text for scene in moved.scenes) == moved.script
    assert (pixels(moved.image_paths[0]) == last).all()


def test_an_inserted_scene_is_the_only_one_made(pipeline, video, asked, prompts):
    """A prompt, a picture, its sentences."""
    asked()

    longer = pipeline.run(video.insert(1, "A dog barked twice."), until="narration")

    assert asked() == [1, 1, 1]
    assert prompts.asked[-1].sentences == ("A dog barked twice.",)
    assert "A dog barked twice." in longer.scenes[1].prompt
    assert [scene.id for scene in longer.scenes][::2] == [video.scenes[n].id for n in (0, 1)]


def test_an_inserted_scene_may_bring_its_prompt(pipeline, video, asked):
    """Then none is written."""
    asked()

    longer = pipeline.run(video.insert(3, "The end.", prompt="A setting sun"), until="narration")

    assert asked() == [0, 1, 1]
    assert longer.prompts[3] == "A setting sun"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda video: video.insert(4, "Too far."), "no place 4"),
        (lambda video: video.insert(0, "  "), "text is empty"),
        (lambda video: video.remove(3), "no scene 3"),
        (lambda video: video.reorder([0, 1]), "each of the 3 scenes once"),
        (lambda video: video.reorder([0, 1, 1]), "each of the 3 scenes once"),
        (lambda video: video.remove(0).remove(0).remove(0), "needs a scene"),
        (lambda video: video.edit(0, take=1), "no take 1"),
        (lambda video: video.edit(0, take=0, prompt="A door"), "shows one picture"),
    ],
)
def test_a_change_that_makes_no_sense_says_so(video, change, says):
    """Before anything is run."""
    with pytest.raises(InputError, match=says):
        change(video)


# ------------------------------------------------------------------ takes


def test_an_earlier_take_comes_back_for_free(pipeline, video, asked):
    """The picture of another prompt, and of a redraw, and of a file."""
    first = pixels(video.image_paths[0])
    changed = pipeline.run(video.edit(0, prompt="A storm"), until="pictures")
    again = pipeline.run(changed.edit(0, redraw=True), until="pictures")
    asked()

    back = pipeline.run(again.edit(0, take=0), until="pictures")

    assert asked() == [0, 0, 0]
    assert [take.prompt for take in back.scenes[0].takes][1:] == ["A storm", "A storm"]
    assert [take.take for take in back.scenes[0].takes] == [0, 0, 1]
    assert (pixels(back.image_paths[0]) == first).all()


def test_a_redraw_after_an_earlier_take_is_a_new_one(pipeline, video, images):
    """Never the number of a take that was drawn."""
    drawn = pipeline.run(video.edit(0, redraw=True), until="pictures")

    again = drawn.edit(0, take=0).edit(0, redraw=True)

    assert again.scenes[0].take == 2


# ------------------------------------------------------------------ pictures of the user's


def test_a_scene_shows_a_picture_of_the_users(pipeline, video, own, asked):
    """Nothing is bought, and the file is not needed any more."""
    asked()

    edited = pipeline.run(video.edit(1, image=own), until="pictures")
    own.unlink()
    again = pipeline.run(edited, until="pictures")

    assert asked() == [0, 0, 0]
    assert pixels(again.image_paths[1]).shape == (180, 320, 3)


def test_a_prompt_takes_the_place_of_a_picture_of_the_users(pipeline, video, own, asked):
    """And the picture stays among the takes."""
    edited = pipeline.run(video.edit(1, image=own), until="pictures")
    asked()

    drawn = pipeline.run(edited.edit(1, prompt="A door"), until="pictures")
    shape = pixels(drawn.image_paths[1]).shape
    back = pipeline.run(drawn.edit(1, take=1), until="pictures")

    assert asked() == [0, 1, 0]
    assert shape == (64, 64, 3)
    assert pixels(back.image_paths[1]).shape == (180, 320, 3)


def test_a_style_keeps_pictures_of_the_users(pipeline, video, own):
    """They are nobody's to draw again."""
    edited = pipeline.run(video.edit(1, image=own), until="pictures")

    noir = pipeline.run(edited.edit(style="noir"), until="pictures")

    assert pixels(noir.image_paths[1]).shape == (180, 320, 3)


def test_a_film_of_the_users_pictures_asks_no_model_for_any(pipeline, tmp_path, asked):
    """They share the script's sentences out among themselves."""
    files = []
    for number, colour in enumerate(("red", "green", "blue")):
        files.append(tmp_path / f"{number}.png")
        Image.new("RGB", (64, 64), colour).save(files[-1])

    video = pipeline.run(SCRIPT, pictures=files, options=TINY, until="narration")

    assert asked() == [0, 0, 4]
    assert "".join(scene.text for scene in video.scenes) == SCRIPT
    assert [tuple(pixels(path)[0, 0]) for path in video.image_paths] == [
        (255, 0, 0),
        (0, 128, 0),
        (0, 0, 255),
    ]


def test_more_pictures_than_sentences_are_refused(pipeline, own):
    """Every picture needs something to be heard over it."""
    with pytest.raises(InputError, match="5 pictures are too many for 4 sentences"):
        pipeline.run(SCRIPT, pictures=[own] * 5, options=TINY)


def test_a_file_that_is_no_picture_is_refused(pipeline, video, tmp_path):
    """And the message names it."""
    (tmp_path / "notes.png").write_text("buy milk")

    with pytest.raises(InputError, match=r"notes\.png is no picture"):
        pipeline.run(video.edit(0, image=tmp_path / "notes.png"), until="pictures")


def test_a_submitted_video_takes_the_users_files_along(pipeline, own, tmp_path):
    """They may be gone when a worker comes to it."""
    video = pipeline.submit(SCRIPT, pictures=[own], options=TINY)
    own.unlink()

    assert video.scenes[0].own_image.startswith("objects/")


# ------------------------------------------------------------------ a recording of the user's


@pytest.fixture
def recording(pipeline, tmp_path):
    """Somebody reading the script, with pauses of their own: an MP3."""
    read = pipeline.run(SCRIPT, options=THREE, until="narration")
    file = tmp_path / "me.mp3"
    file.write_bytes(Path(read.audio_path).read_bytes())
    return file


def seconds_of(path, tmp_path):
    wav = tmp_path / "decoded.wav"
    asyncio.run(FFmpegRenderer().decode(Path(path), wav))
    with wave.open(str(wav)) as sound:
        return sound.getnframes() / sound.getframerate()


def test_a_recording_of_the_users_is_the_narration(pipeline, recording, asked, tmp_path):
    """No voice is bought; the film lasts as long as the recording, and its end."""
    asked()

    video = pipeline.run(SCRIPT, narration=recording, options=THREE)

    assert asked()[2] == 0
    spoken = seconds_of(recording, tmp_path)
    assert spoken <= video.duration <= spoken + 1.2
    assert Path(video.caption_paths["srt"]).read_text().count("-->") >= 3


def test_scenes_follow_a_recordings_words(tmp_path, prompts, images):
    """Within a sixth of a second of where the narrator had begun the same sentences."""
    with Pipeline("offline", prompts=prompts, images=images, home=tmp_path) as pipeline:
        read = pipeline.run(SCRIPT, options=THREE)

        video = pipeline.run(SCRIPT, narration=read.audio_path, options=THREE)

    begins = [scene.start for scene in video.scenes]
    assert begins == pytest.approx([scene.start for scene in read.scenes], abs=1 / 6)


def test_a_recording_that_is_too_short_is_refused(pipeline, tmp_path):
    """It cannot hold the script."""
    with wave.open(str(tmp_path / "short.wav"), "wb") as file:
        file.setparams((1, 2, 24000, 0, "NONE", ""))
        file.writeframes(np.random.default_rng(1).integers(-9000, 9000, 6000, np.int16).tobytes())

    with pytest.raises(InputError, match="too short"):
        pipeline.run(SCRIPT, narration=tmp_path / "short.wav", options=THREE, until="narration")


def test_a_recording_that_is_not_there_is_refused(pipeline, asked):
    """Before any money is spent."""
    with pytest.raises(InputError, match="cannot be read"):
        pipeline.run(SCRIPT, narration="nowhere.mp3", options=TINY)

    assert asked() == [0, 0, 0]
