"""Objects in a dictionary: for tests, and for programs that keep nothing."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from visionpulse.errors import ObjectNotFoundError
from visionpulse.protocols import Stored
from visionpulse.storage.keys import parts_of


class MemoryStorage:
    """A storage that lives as long as the object.

    Threads may share it: every method is one step on the dictionary.
    """

    def __init__(self) -> None:
        self._objects: dict[str, tuple[bytes, datetime]] = {}

    def put(self, key: str, source: bytes | Path) -> None:
        """Store bytes, or a copy of a file; replaces what was there."""
        parts_of(key)
        data = source.read_bytes() if isinstance(source, Path) else bytes(source)
        self._objects[key] = data, datetime.now(UTC)

    def open(self, key: str) -> BinaryIO:
        """Open for reading. Raises ObjectNotFoundError."""
        return io.BytesIO(self._read(key))

    def stat(self, key: str) -> Stored | None:
        """Describe an object; None if there is none."""
        parts_of(key)
        found = self._objects.get(key)
        return Stored(key, len(found[0]), found[1]) if found else None

    def link(self, key: str, name: str) -> None:
        """Let `name` show the object `key` too, replacing what `name` showed."""
        parts_of(name)
        self._objects[name] = self._read(key), datetime.now(UTC)

    def delete(self, key: str) -> None:
        """Remove a key; one that is not there is no error."""
        parts_of(key)
        self._objects.pop(key, None)

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """Yield all objects whose key begins with `prefix`, by key."""
        folder, slash, _ = prefix.rpartition("/")
        if slash:
            parts_of(folder)
        found = sorted((key, *entry) for key, entry in self._objects.copy().items())
        return (
            Stored(key, len(data), modified)
            for key, data, modified in found
            if key.startswith(prefix)
        )

    def fetch(self, key: str, folder: Path) -> Path:
        """Write the object to `folder` and return the file. Raises ObjectNotFoundError."""
        data = self._read(key)
        path = folder.joinpath(*parts_of(key))
        path.parent.mkdir(parents=True, exist_ok=True)
        # Somebody may be reading the file from an earlier fetch of the same key.
        part = path.with_name(f".{uuid.uuid4().hex}.part")
        part.write_bytes(data)
        part.replace(path)
        return path

    def locate(self, key: str) -> str:
        """Return a name for people; there is no place to look at."""
        parts_of(key)
        return f"memory:{key}"

    def _read(self, key: str) -> bytes:
        parts_of(key)
        try:
            return self._objects[key][0]
        except KeyError:
            raise ObjectNotFoundError(f"Nothing is stored under {key!r}.") from None
