"""Pictures without a key or a network: scenes chosen by a prompt's words, drawn from a seed."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from visionpulse.errors import InputError
from visionpulse.models import Picture, PictureRequest
from visionpulse.protocols import FREE, Quote
from visionpulse.providers.offline.scenery.brief import Brief
from visionpulse.providers.offline.scenery.canvas import Canvas
from visionpulse.providers.offline.scenery.families import choose_family
from visionpulse.providers.offline.scenery.treatments import treat

_VERSION = 2
"""Raised whenever the same request would be drawn differently: the ledger names pictures by it."""

_SMALLEST, _LARGEST = 64, 4096
_SKETCH_SIDE = 256
"""Pictures with a shorter side than this are drawn larger and reduced: fine lines survive."""
_DRAWN_PIXELS = 2_200_000
"""Larger pictures are drawn at this size and enlarged: time and memory stay bounded."""


class Illustrator:
    """Draws a scene that fits the words; the same request gives the same bytes.

    It shows a prompt's theme, not its sentence: a family of scenes (mountains, a city, a storm ...)
    is chosen by the words, and everything in it by a seed made of them. The style's colours grade
    the picture, and its name or look decides the medium.
    """

    provider: str = "offline"
    model: str = f"illustrator-{_VERSION}"
    identity: str = f"offline:illustrator:{_VERSION}"
    concurrency: int = 2

    def check(self, request: PictureRequest) -> None:
        """Refuse sizes that cannot be drawn."""
        if not all(_SMALLEST <= side <= _LARGEST for side in (request.width, request.height)):
            raise InputError(
                f"A picture of {request.width}x{request.height} pixels cannot be drawn offline.",
                hint=f"Each side must be from {_SMALLEST} to {_LARGEST} pixels.",
            )

    def quote(self, request: PictureRequest) -> Quote:
        """Return a price of nothing."""
        return FREE

    def parameters(self, request: PictureRequest) -> Mapping[str, Any]:
        """Return all that decides what the picture looks like."""
        style = request.style
        return {
            "prompt": request.prompt,
            "width": request.width,
            "height": request.height,
            "avoid": list(request.avoid),
            "take": request.take,
            "style": [style.name, style.title, style.look] if style else [],
            "palette": [*style.palette, *style.colours] if style else [],
        }

    def draw(self, request: PictureRequest) -> Picture:
        """Draw a PNG of exactly the size that was asked for. Raises InputError."""
        self.check(request)
        style = request.style
        take = f"\n{request.take}" if request.take else ""
        seed = hashlib.sha256(
            f"{style.name if style else ''}\n{request.prompt}{take}".encode("utf-8", "replace")
        )
        rng = np.random.Generator(np.random.PCG64(int.from_bytes(seed.digest(), "big")))
        canvas = Canvas(*_drawn_size(request.width, request.height), rng)
        brief = Brief(request.prompt, request.avoid, style, rng)
        choose_family(brief).draw(canvas, brief)
        drawn = treat(canvas, style)
        pixels = (np.clip(drawn, 0, 1) * 255 + 0.5).astype(np.uint8)
        image = Image.fromarray(pixels).resize(
            (request.width, request.height), Image.Resampling.LANCZOS
        )
        buffer = io.BytesIO()
        image.save(buffer, "PNG", compress_level=4)
        return Picture(data=buffer.getvalue())


def _drawn_size(width: int, height: int) -> tuple[int, int]:
    scale = max(1.0, _SKETCH_SIDE / min(width, height))
    scale = min(scale, (_DRAWN_PIXELS / (width * height)) ** 0.5)
    return max(1, round(width * scale)), max(1, round(height * scale))
