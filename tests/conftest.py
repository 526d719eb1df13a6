"""What the tests share: a folder of their own, models that cost nothing, small films."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from visionpulse import Pipeline, RetryPolicy, VideoOptions
from visionpulse.testing.fakes import FakeImages, FakePrompts, FakeSpeech

# The machine may be busy with anything else: how long an example takes says nothing.
settings.register_profile(
    "busy", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")

SCRIPT = (
    "The first day was bright. We walked to the sea.\n\n"
    "Then came rain! It was 3.5 degrees colder, said Dr. Smith."
)

#: Films as small as they come: seconds of work become tenths.
TINY = VideoOptions(width=128, height=72, fps=24, scene_count=2, picture_size="128x128")

#: Retries without waiting.
AT_ONCE = RetryPolicy(first_wait=0.001, longest_wait=0.002)


@pytest.fixture(autouse=True)
def own_environment(monkeypatch, tmp_path):
    """No test sees the machine's keys or settings, or writes into the working folder."""
    import os

    for name in os.environ:
        if name.startswith(("VISIONPULSE_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def prompts():
    return FakePrompts()


@pytest.fixture
def images():
    return FakeImages()


@pytest.fixture
def speech():
    return FakeSpeech()


@pytest.fixture
def pipeline(tmp_path, prompts, images, speech):
    with Pipeline(
        "offline",
        prompts=prompts,
        images=images,
        speech=speech,
        home=tmp_path,
        retry=AT_ONCE,
    ) as made:
        yield made


@pytest.fixture
def vendor():
    """An OpenAI on 127.0.0.1 that counts, and fails when told to."""
    from tests.vendor import Vendor

    with Vendor() as made:
        yield made
