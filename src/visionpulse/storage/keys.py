"""What a storage key may be: one rule, so that a key that works in one storage works in all."""

from __future__ import annotations

import re

from visionpulse.errors import StorageKeyError

TEMPORARY = ".tmp"
"""First part of the names unfinished files have; no key may begin with it."""

# Windows opens a device for these, whatever comes after the first dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)", re.IGNORECASE)
# Separators, drive letters, streams and wildcards of Windows, and control characters.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')


def parts_of(key: str) -> list[str]:
    """Return the parts of a key.

    Raises:
        StorageKeyError: The key is not a plain relative path on some system we run on.
    """
    parts = key.split("/")
    wrong = next(filter(None, map(_fault, parts)), None)
    if wrong is None and parts[0].lower() == TEMPORARY:
        wrong = f"{TEMPORARY!r} is kept for unfinished files"
    if wrong is None and len(key) > 1024:
        wrong = "it is longer than 1024 characters"
    if wrong:
        shown = key if len(key) <= 80 else key[:77] + "..."
        raise StorageKeyError(
            f"{shown!r} cannot be a storage key: {wrong}.",
            hint="A key is a plain relative path such as 'images/ab12/image_000.png'.",
        )
    return parts


def _fault(part: str) -> str | None:
    if part in {"", ".", ".."}:
        return f"{part!r} is not a name"
    if found := _FORBIDDEN.search(part):
        return f"it has the character {found[0]!r}"
    if part != part.rstrip(". "):
        return "a part ends with a dot or a space"
    if _DEVICE.match(part):
        return f"{part!r} is a device on Windows"
    try:
        size = len(part.encode())
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    return "a part is longer than 255 bytes" if size > 255 else None
