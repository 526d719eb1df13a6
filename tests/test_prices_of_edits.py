"""What a change of a finished film costs, by the vendor's own count: the price of what changed."""

from __future__ import annotations

from collections import Counter

import pytest

from visionpulse import Pipeline, VideoOptions
from visionpulse.testing.fakes import FakeImages, FakeSpeech

from .conftest import AT_ONCE

SCRIPT = " ".join(
    f"On day {day} the keeper climbs the tower. He lights the lamp at {hour} o'clock."
    for day, hour in zip(
        ("one", "two", "three", "four", "five", "six", "seven"),
        ("four", "five", "six", "seven", "eight", "nine", "ten"),
        strict=True,
    )
)
SHAPE = VideoOptions(width=128, height=72, fps=24, scene_count=7, quality="draft")


@pytest.fixture
def pipeline(tmp_path, vendor, monkeypatch):
    """OpenAI, as far as it can tell."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-1234567890")
    monkeypatch.setenv("OPENAI_BASE_URL", vendor.url)
    with Pipeline("openai", home=tmp_path, retry=AT_ONCE) as made:
        yield made


def calls(vendor):
    """Return how many calls of each kind there were since the last time."""
    found = Counter(call.kind for call in vendor.calls)
    vendor.calls.clear()
    return dict(found)


@pytest.mark.slow
def test_a_finished_film_is_changed_for_the_price_of_the_change(pipeline, vendor):
    """One picture; one sentence; a voice without a picture; the same again for nothing."""
    video = pipeline.run(SCRIPT, options=SHAPE)
    first = calls(vendor)

    redrawn = pipeline.run(video.edit(3, prompt="The lamp from below, a moth"))
    after_prompt = calls(vendor)
    words = redrawn.scenes[2].text.replace("at six", "at half past six")
    told = pipeline.run(redrawn.edit(2, text=words))
    after_text = calls(vendor)
    pipeline.run(told.edit(voice="onyx"))
    after_voice = calls(vendor)
    pipeline.run(SCRIPT, options=SHAPE)
    again = calls(vendor)

    assert first == {"prompts": 1, "images": 7, "speech": 14}
    assert after_prompt == {"images": 1}
    assert after_text == {"speech": 1}
    assert after_voice == {"speech": 14}
    assert again == {}


@pytest.mark.slow
def test_a_script_of_thirty_thousand_characters_is_narrated_and_illustrated(
    tmp_path, vendor, monkeypatch
):
    """Planned in parts that keep to one bible; every sentence spoken, every scene drawn."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-1234567890")
    monkeypatch.setenv("OPENAI_BASE_URL", vendor.url)
    images, speech = FakeImages(), FakeSpeech(sample_rate=8000)
    script = "\n\n".join(
        f"Chapter {number}. " + " ".join(f"{word} {number} times." for word in WORDS)
        for number in range(1, 56)
    )

    with Pipeline("openai", images=images, speech=speech, home=tmp_path) as pipeline:
        video = pipeline.run(script, until="narration")

    assert len(script) > 30_000
    assert "".join(scene.text for scene in video.scenes) == script
    assert len(images.drawn) == len(video.image_paths) == len(video.scenes) > 100
    assert "".join(speech.spoken).count("times.") == 55 * len(WORDS)
    first, *others = vendor.bodies("prompts")
    keeper = video.bible.characters[0].look
    assert keeper not in first["messages"][1]["content"]
    assert [keeper in body["messages"][1]["content"] for body in others] == [True] * len(others)
    assert others


WORDS = [
    f"The {thing} of the old town was {verb} by the people of the coast"
    for thing in ("bridge", "tower", "harbour", "market", "school")
    for verb in ("painted", "rebuilt")
]
