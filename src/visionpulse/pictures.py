"""Picture files: looked at before they are believed, and taken in from users."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path, PurePosixPath

from PIL import Image

from visionpulse import loop
from visionpulse.calls import Made
from visionpulse.errors import BadAnswerError, InputError
from visionpulse.ledger import Ledger, Recipe
from visionpulse.protocols import Use

_FORMATS = ("PNG", "JPEG", "WEBP")
# Pillow warns at some size and refuses at twice that; both are the same to us.
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# 33 megapixels: an 8K still. More is a decompression bomb, not a picture for a film.
_MOST_PIXELS = 33_177_600


def suffix_of(data: bytes) -> str:
    """Return the suffix for a picture's file, by its first bytes."""
    if data.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    return ".png"


def verify_picture(made: Made) -> None:
    """Decode the whole picture: a cut file passes anything less. Raises BadAnswerError."""
    assert isinstance(made.data, bytes)
    try:
        with Image.open(io.BytesIO(made.data), formats=_FORMATS) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise BadAnswerError(
                    f"The picture claims {picture.width}x{picture.height} pixels; "
                    f"{_MOST_PIXELS:,} are the most that is decoded."
                )
            picture.load()  # pyright: ignore[reportUnknownMemberType]  untyped in Pillow 11
    except (OSError, SyntaxError, ValueError, *_BOMBS) as error:
        raise BadAnswerError(
            f"The {len(made.data)} bytes that came as a picture do not decode: "
            f"{type(error).__name__}."
        ) from error


def is_object(name: str) -> bool:
    """Return whether a name is the storage key of something that was made."""
    return PurePosixPath(name).parts[:1] == ("objects",)


async def taken_in(ledger: Ledger, image: str | Path, use: Use) -> str:
    """Return the storage key of a picture, taking a file of the user's in.

    Raises:
        InputError: It cannot be read, or is no picture.
    """
    if isinstance(image, str) and is_object(image):
        return image
    data = await loop.in_thread(read_file, image)

    async def make(_scratch: Path) -> Made:
        return Made(data, suffix_of(data))

    def verify(made: Made) -> None:
        try:
            verify_picture(made)
        except BadAnswerError as error:
            raise InputError(
                f"{image} is no picture that can be read.",
                hint="Give a whole PNG, JPEG or WebP file.",
            ) from error

    inputs = {"sha256": hashlib.sha256(data).hexdigest()}
    recipe = Recipe("import", 1, "local", "local", inputs)
    return (await ledger.once(recipe, make, verify, use=use)).key


def read_file(name: str | Path) -> bytes:
    """Return what a file of the user's holds. Raises InputError."""
    file = Path(name)
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror}.", hint="Check the path."
        ) from error
