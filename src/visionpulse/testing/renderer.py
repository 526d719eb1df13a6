"""What every renderer keeps to: run the checks over yours.

@pytest.mark.parametrize("check", RENDERER_CHECKS, ids=lambda check: check.__name__)
def test_conforms(check):
    check(MyRenderer)  # any callable that returns a renderer; its methods may be plain or async

The films are 128x72 and seconds long; they lie in folders whose names are no friend of ffmpeg's.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import re
import wave
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from visionpulse import loop
from visionpulse.errors import RenderError
from visionpulse.models import Motion
from visionpulse.protocols import Move, Piece, Soundtrack, Tags
from visionpulse.renderers.probe import faults, probe
from visionpulse.renderers.process import Job
from visionpulse.renderers.sound import LOUDNESS, loudness_of

# Not `Callable[[], Renderer]`: a type checker would refuse one whose methods are plain.
MakeRenderer = Callable[[], Any]
Pixels = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.int16]

_WIDTH, _HEIGHT, _FPS = 128, 72, 24
_RATE = 24_000


@contextmanager
def _folder() -> Generator[Path]:
    with TemporaryDirectory(prefix="it's 100%d of a film #1, ") as folder:
        yield Path(folder)


def _do(method: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    """Call a renderer's method, plain or async, and wait."""
    loop.run(lambda: loop.call(_Named(method, named), *arguments))


class _Named:
    """A method with some arguments given, still known as plain or async."""

    def __init__(self, method: Callable[..., Any], named: dict[str, Any]) -> None:
        self.method, self.named = method, named

    def __call__(self, *arguments: Any) -> Any:
        return self.method(*arguments, **self.named)
