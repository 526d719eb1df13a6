"""Objects as files in one folder.

A file comes under its name whole and durable (temporary name, fsync, rename, fsync of the folder),
or not at all. No key leads out of the folder, and no symbolic link below it is followed.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from visionpulse.errors import ObjectNotFoundError, StorageError, StorageKeyError
from visionpulse.protocols import Stored
from visionpulse.storage.keys import TEMPORARY, parts_of

ENOUGH_BYTES = 200_000_000
"""Free space below which `check` refuses: about what a film of some minutes needs on its way."""
STALE_SECONDS = 3600

# EFBIG is the limit of a process (ulimit -f) or of a FAT disk: full, as far as this file goes.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR}
_ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class LocalStorage:
    """A folder, and nothing outside it.

    What lies under `objects/` is read-only, because it is named by its content. The folder is made
    by the first `put`. Threads and processes may share it.

    Args:
        root: The folder; it may itself be a symbolic link.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root: Path = Path(root).expanduser().resolve()
        self._sweep()

    def check(self) -> None:
        """Make sure that a film can be written here.

        Raises:
            StorageError: The folder cannot be made or written to, or less than 200 MB are free.
        """
        with self._medium("write to", self.root):
            self._make_folder(self.root)
            with self._temporary() as part:
                part.touch()
            free = shutil.disk_usage(self.root).free
        if free < ENOUGH_BYTES:
            raise _full(f"Only {free // 1_000_000} MB are free in {self.root}.")

    def put(self, key: str, source: bytes | Path) -> None:
        """Store bytes, or a copy of a file, durably; replaces what was there."""
        self._path(key)
        if isinstance(source, Path):
            with source.open("rb") as file:
                self._write(key, file)
        else:
            self._write(key, source)

    def open(self, key: str) -> BinaryIO:
        """Open for reading. Raises ObjectNotFoundError."""
        path = self._path(key)
        with self._medium("read", path):
            try:
                file = open(path, "rb", opener=_open_no_follow)  # noqa: SIM115 - the caller closes it
            except _ABSENT:
                raise _absent(key) from None
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                file.close()
                raise _absent(key)
        return file

    def stat(self, key: str) -> Stored | None:
        """Describe an object; None if there is none."""
        path = self._path(key)
        with self._medium("read", path):
            try:
                found = path.lstat()
            except _ABSENT:
                return None
        return _stored(key, found) if stat.S_ISREG(found.st_mode) else None

    def link(self, key: str, name: str) -> None:
        """Let `name` show the object `key` too, replacing what `name` showed.

        An MP4 is hard-linked where the file system can, for its size; anything else is copied, so
        that a person may change it without changing the object.
        """
        source, target = self._existing(key), self._path(name)
        if source.suffix != ".mp4" or not self._hard_link(source, target):
            with self.open(key) as file:
                self._write(name, file)

    def delete(self, key: str) -> None:
        """Remove a key, and folders it leaves empty; one that is not there is no error."""
        if self.stat(key) is None:
            return
        path = self._path(key)
        with self._medium("delete", path):
            path.unlink(missing_ok=True)
        with suppress(OSError):
            for folder in path.parents:
                if folder == self.root:
                    break
                folder.rmdir()

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """Yield all objects whose key begins with `prefix`."""
        folder, slash, _ = prefix.rpartition("/")
        return self._walk(self._path(folder) if slash else self.root, folder + slash, prefix)

    def fetch(self, key: str, folder: Path) -> Path:
        """Return the object's own file, not to be written to. Raises ObjectNotFoundError."""
        return self._existing(key)

    def locate(self, key: str) -> str:
        """Return the path, relative to the working folder if it lies below."""
        path = self._path(key)
        try:
            return str(path.relative_to(Path.cwd()))
        except (ValueError, OSError):  # elsewhere; or the working folder was deleted
            return str(path)

    def _path(self, key: str) -> Path:
        path = self.root.joinpath(*parts_of(key))
        if os.path.realpath(path) != str(path):
            raise _symbolic_link(path)
        return path

    def _existing(self, key: str) -> Path:
        if self.stat(key) is None:
            raise _absent(key)
        return self._path(key)

    def _write(self, key: str, source: bytes | BinaryIO) -> None:
        path = self._path(key)
        with self._medium("write", path), self._temporary() as part:
            with part.open("xb") as file:
                if isinstance(source, bytes):
                    file.write(source)
                else:
                    shutil.copyfileobj(source, file, 1 << 20)
                file.flush()
                # Windows neither replaces nor deletes a read-only file.
                if key.startswith("objects/") and os.name != "nt":
                    part.chmod(0o444)
                os.fsync(file.fileno())
            self._publish(part, path)

    def _hard_link(self, source: Path, target: Path) -> bool:
        with self._medium("write", target), self._temporary() as part:
            try:
                os.link(source, part, follow_symlinks=False)
            except OSError:  # not on this file system, or one link too many: a copy does
                return False
            self._publish(part, target)
        return True

    def _publish(self, part: Path, path: Path) -> None:
        while True:
            try:
                self._make_folder(path.parent)
                part.replace(path)
                break
            except FileNotFoundError:
                # Another process deleted the last object of the folder, and the folder with it.
                if not part.exists():
                    raise
        with suppress(FileNotFoundError):
            _sync_folder(path.parent)

    @contextmanager
    def _temporary(self) -> Generator[Path]:
        folder = self.root / TEMPORARY
        if os.path.realpath(folder) != str(folder):
            raise _symbolic_link(folder)
        self._make_folder(folder)
        part = folder / uuid.uuid4().hex
        try:
            yield part
        finally:
            # Also after success: renaming one hard link of a file over another does nothing.
            part.unlink(missing_ok=True)

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir()
        _sync_folder(folder.parent)

    def _walk(self, folder: Path, path: str, prefix: str) -> Iterator[Stored]:
        with self._medium("read", folder):
            try:
                with os.scandir(folder) as scan:
                    entries = sorted(scan, key=lambda entry: entry.name)
            except _ABSENT:
                return
        for entry in entries:
            key = path + entry.name
            if entry.is_dir(follow_symlinks=False):
                if f"{key}/".startswith(prefix):
                    yield from self._walk(folder / entry.name, f"{key}/", prefix)
            elif entry.is_file(follow_symlinks=False) and key.startswith(prefix):
                # Files that people put here under names no key can have, or have just deleted.
                with suppress(StorageKeyError, FileNotFoundError):
                    parts_of(key)
                    yield _stored(key, entry.stat(follow_symlinks=False))

    def _sweep(self) -> None:
        folder = self.root / TEMPORARY
        if os.path.realpath(folder) != str(folder):
            return
        with suppress(OSError), os.scandir(folder) as scan:
            for entry in scan:
                with suppress(OSError):
                    found = entry.stat(follow_symlinks=False)
                    # A hard link has the age of its object; only its change time is young.
                    if time.time() - max(found.st_mtime, found.st_ctime) > STALE_SECONDS:
                        Path(entry).unlink()

    @contextmanager
    def _medium(self, verb: str, path: Path) -> Generator[None]:
        """Say what the system's error means and what to do about it."""
        try:
            yield
        except StorageError:
            raise
        except OSError as error:
            reason = f"Cannot {verb} {path}: {error.strerror or error}."
            if error.errno in _FULL:
                raise _full(reason) from error
            if error.errno == errno.ELOOP:
                raise _symbolic_link(path) from error
            if error.errno in _FORBIDDEN:
                raise StorageError(
                    reason,
                    hint=f"Check who may write to {self.root}, or choose another folder "
                    "(VISIONPULSE_HOME, --home, home=).",
                    code="not_readable" if verb == "read" else "not_writable",
                ) from error
            raise StorageError(reason) from error


def _open_no_follow(path: str, flags: int) -> int:
    # Not blocking, or a named pipe that somebody put here would wait for its writer.
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # which cannot open folders, and journals names by itself
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _stored(key: str, found: os.stat_result) -> Stored:
    return Stored(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


def _absent(key: str) -> ObjectNotFoundError:
    return ObjectNotFoundError(f"Nothing is stored under {key!r}.")


def _symbolic_link(path: Path) -> StorageKeyError:
    return StorageKeyError(
        f"{path} leads through a symbolic link, which is not followed inside a storage.",
        hint="Put the real folder there; the storage's own folder may be a link.",
    )


def _full(reason: str) -> StorageError:
    return StorageError(
        reason,
        hint="Free some space and go on, or choose another folder (VISIONPULSE_HOME, --home, "
        "home=). What was finished is kept.",
        code="disk_full",
    )
