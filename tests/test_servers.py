"""Servers of one's own, one for each part: where a call goes, and whose key goes with it."""

from __future__ import annotations

import asyncio

import pytest

from tests.conftest import AT_ONCE, SCRIPT, TINY
from tests.vendor import Vendor
from visionpulse import Pipeline
from visionpulse.catalog import style
from visionpulse.errors import ConfigurationError
from visionpulse.models import StoryboardRequest
from visionpulse.providers.openai import OpenAIPrompts

KEY = "sk-Qz7Xw9Lm3Rt5Vb1Nc8Hd2Jf6"
PARTS = {"PROMPT": "prompts", "IMAGE": "images", "SPEECH": "speech"}


@pytest.fixture
def three():
    """A server for each part, by the name that its settings begin with."""
    with Vendor() as prompts, Vendor() as images, Vendor() as speech:
        yield {"PROMPT": prompts, "IMAGE": images, "SPEECH": speech}


def name(monkeypatch, servers: dict[str, Vendor]) -> None:
    for part, server in servers.items():
        monkeypatch.setenv(f"VISIONPULSE_{part}_BASE_URL", server.url)


def keys(server: Vendor) -> set[str]:
    return {call.key for call in server.calls}


def test_three_servers_make_a_film_without_a_key(monkeypatch, tmp_path, three):
    """Each part is asked of its server alone, though nobody has set OPENAI_API_KEY."""
    name(monkeypatch, three)
    monkeypatch.setenv("VISIONPULSE_SPEECH_MODEL", "kokoro")

    with Pipeline("auto", home=tmp_path, retry=AT_ONCE) as pipeline:
        video = pipeline.run(SCRIPT, options=TINY, until="narration")
        video = pipeline.resume(video.id, until="pictures")

    assert len(video.image_paths) == 2
    for part, server in three.items():
        assert {call.kind for call in server.calls} == {PARTS[part]}
    assert {body["model"] for body in three["SPEECH"].bodies("speech")} == {"kokoro"}


def test_openai_s_key_goes_to_nobody_else(monkeypatch, tmp_path, three):
    """Of three servers the one without an address of its own gets the key, its owners' or none."""
    shared = three.pop("PROMPT")
    name(monkeypatch, three)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", shared.url)
    monkeypatch.setenv("VISIONPULSE_IMAGE_API_KEY", "own-key")

    with Pipeline(home=tmp_path, retry=AT_ONCE) as pipeline:
        pipeline.run(SCRIPT, options=TINY, until="narration")
        pipeline.run(SCRIPT, options=TINY, until="pictures")

    assert keys(shared) == {KEY}
    assert keys(three["IMAGE"]) == {"own-key"}
    assert keys(three["SPEECH"])
    assert not keys(three["SPEECH"]) & {KEY, "own-key"}


def test_a_server_named_in_code_is_not_sent_the_environment_s_key(monkeypatch, vendor):
    """`base_url=` alone is no reason to hand OpenAI's key over; with `api_key=` that one goes."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    async def ask(model):
        await model.storyboard(
            StoryboardRequest(sentences=("The tide.",), style=style("noir"), scene_count=1)
        )
        await model.aclose()

    asyncio.run(ask(OpenAIPrompts(base_url=vendor.url)))
    asyncio.run(ask(OpenAIPrompts(base_url=vendor.url, api_key="own-key")))

    without, given = (call.key for call in vendor.calls)
    assert KEY not in without
    assert given == "own-key"


def test_a_part_without_a_server_is_named(monkeypatch, tmp_path, three):
    """Two servers of three, and no key: the error says what is missing."""
    del three["SPEECH"]
    name(monkeypatch, three)

    with pytest.raises(ConfigurationError, match=r"OPENAI_API_KEY .* no server for speech"):
        Pipeline(home=tmp_path)


def test_parts_that_come_from_elsewhere_need_no_server(monkeypatch, tmp_path, three):
    """With the pictures and the voice offline, one server is enough."""
    monkeypatch.setenv("VISIONPULSE_PROMPT_BASE_URL", three["PROMPT"].url)

    with Pipeline(images="offline", speech="offline", home=tmp_path) as pipeline:
        video = pipeline.run(SCRIPT, options=TINY, until="storyboard")

    assert len(video.scenes) == 2
    assert three["PROMPT"].count("prompts") == 1
