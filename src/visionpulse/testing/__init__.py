"""Fakes, faults and conformance suites, for tests of VisionPulse and of what plugs into it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from visionpulse.testing.film import assert_video

__all__ = ["assert_video"]

# Loaded when asked for: a test of a storage has no use for numpy and ffmpeg.
_HOMES = {"assert_video": "visionpulse.testing.film"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
