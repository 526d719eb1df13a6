"""A script goes in, a narrated video comes out.

    from visionpulse import Pipeline

    video = Pipeline("offline").run("The deep ocean is the largest habitat on Earth.")
    video.video_path

The public names are loaded when they are first used: `import visionpulse` costs almost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from visionpulse.audio import AudioService
    from visionpulse.calls import RetryPolicy
    from visionpulse.errors import VisionPulseError
    from visionpulse.images import ImageService
    from visionpulse.ledger import Ledger
    from visionpulse.models import Event, Scene, Video, VideoOptions
    from visionpulse.pipeline import Pipeline
    from visionpulse.video import VideoService
    from visionpulse.workflow import build_workflow

__version__ = "0.1.0"

__all__ = [
    "AudioService",
    "Event",
    "ImageService",
    "Ledger",
    "Pipeline",
    "RetryPolicy",
    "Scene",
    "Video",
    "VideoOptions",
    "VideoService",
    "VisionPulseError",
    "build_workflow",
]

_HOMES = {
    "AudioService": "audio",
    "Event": "models",
    "ImageService": "images",
    "Ledger": "ledger",
    "Pipeline": "pipeline",
    "RetryPolicy": "calls",
    "Scene": "models",
    "Video": "models",
    "VideoOptions": "models",
    "VideoService": "video",
    "VisionPulseError": "errors",
    "build_workflow": "workflow",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'visionpulse' has no attribute {name!r}")
    return getattr(import_module(f"visionpulse.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
