"""The card that stands in for a picture nobody would draw: a field of the style's colours."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageColor

VERSION = 1
"""Raised when the same colours give another card."""
_GREYS = ("#202428", "#3a4046", "#70767c")


def card(colours: Sequence[str], width: int, height: int) -> bytes:
    """Return a PNG that goes softly from the first colours to the last.

    Args:
        colours: `#rrggbb`, from the darkest to the lightest; greys if there are none.
        width: Pixels.
        height: Pixels.
    """
    stops = [ImageColor.getrgb(colour) for colour in colours or _GREYS]
    # One pixel a colour, enlarged: the filter draws the gradient.
    strip = Image.new("RGB", (2, len(stops)))
    for number, colour in enumerate(stops):
        row = len(stops) - 1 - number
        for column in range(2):
            shade = tuple(round(part * (1 - 0.15 * column)) for part in colour[:3])
            strip.putpixel((column, row), shade)
    buffer = io.BytesIO()
    strip.resize((width, height), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()
