"""How a Video shows itself in a notebook."""

from __future__ import annotations

import base64
import io
from contextlib import suppress
from html import escape
from pathlib import Path

from visionpulse.models import Video

EMBED_BYTES = 8_000_000
"""Up to this size a film is put into the notebook itself, and grows it by a third more."""
_WIDTH = 480


def player(video: Video) -> str:
    """Return HTML: an inline player, or the first picture and where the film is.

    The film is inside the HTML up to 8 MB, so that the notebook plays wherever it is opened.
    """
    title = f"<strong>{escape(video.title)}</strong>"
    return f'<div style="max-width: {_WIDTH}px">{title}<br>{_film(video) or _still(video)}</div>'


def _film(video: Video) -> str | None:
    with suppress(OSError):
        if video.video_path and Path(video.video_path).stat().st_size <= EMBED_BYTES:
            source = _data_uri("video/mp4", Path(video.video_path).read_bytes())
            return (
                f'<video controls preload="metadata" style="width: 100%" src="{source}">'
                f"{escape(video.video_path)}</video>"
            )
    return None


def _still(video: Video) -> str:
    where = f"<code>{escape(video.video_path)}</code>" if video.video_path else ""
    state = escape(video.error_message or ("" if where else video.status))
    return f"{_poster(video)}{state}{where}"


def _poster(video: Video) -> str:
    # Here, not above: a player that plays needs no Pillow.
    from PIL import Image

    with suppress(OSError):
        for path in video.image_paths[:1]:
            jpeg = io.BytesIO()
            with Image.open(path, formats=("PNG", "JPEG", "WEBP")) as picture:
                picture.thumbnail((_WIDTH, _WIDTH))
                picture.convert("RGB").save(jpeg, "JPEG")
            source = _data_uri("image/jpeg", jpeg.getvalue())
            return f'<img alt="The first picture" style="width: 100%" src="{source}"><br>'
    return ""


def _data_uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
