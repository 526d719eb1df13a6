"""Fakes, faults and conformance suites, for tests of VisionPulse and of what plugs into it.

Each suite is a tuple of functions that take a factory of what they examine, and assert:

@pytest.mark.parametrize("check", STORAGE_CHECKS, ids=lambda check: check.__name__)
def test_conforms(check):
    check(MyStorage)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from visionpulse.testing.fakes import FakeImages, FakePrompts, FakeSpeech
    from visionpulse.testing.film import assert_video
    from visionpulse.testing.models import (
        IMAGE_MODEL_CHECKS,
        PROMPT_MODEL_CHECKS,
        SPEECH_MODEL_CHECKS,
    )
    from visionpulse.testing.renderer import RENDERER_CHECKS
    from visionpulse.testing.repository import LEDGER_STORE_CHECKS, REPOSITORY_CHECKS
    from visionpulse.testing.storage import STORAGE_CHECKS

__all__ = [
    "IMAGE_MODEL_CHECKS",
    "LEDGER_STORE_CHECKS",
    "PROMPT_MODEL_CHECKS",
    "RENDERER_CHECKS",
    "REPOSITORY_CHECKS",
    "SPEECH_MODEL_CHECKS",
    "STORAGE_CHECKS",
    "FakeImages",
    "FakePrompts",
    "FakeSpeech",
    "assert_video",
]

# Loaded when asked for: a test of a storage has no use for numpy and ffmpeg.
_HOMES = {
    "IMAGE_MODEL_CHECKS": "models",
    "LEDGER_STORE_CHECKS": "repository",
    "PROMPT_MODEL_CHECKS": "models",
    "RENDERER_CHECKS": "renderer",
    "REPOSITORY_CHECKS": "repository",
    "SPEECH_MODEL_CHECKS": "models",
    "STORAGE_CHECKS": "storage",
    "FakeImages": "fakes",
    "FakePrompts": "fakes",
    "FakeSpeech": "fakes",
    "assert_video": "film",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
