"""Storages: one conformance suite over all, and what only a folder on a disk can get wrong."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from visionpulse.errors import ObjectNotFoundError, StorageError, StorageKeyError
from visionpulse.protocols import Storage
from visionpulse.storage.local import LocalStorage
from visionpulse.storage.memory import MemoryStorage
from visionpulse.testing.storage import STORAGE_CHECKS


@pytest.fixture(params=[LocalStorage, MemoryStorage])
def make(request, tmp_path):
    """A factory of empty storages of one kind."""
    counter = iter(range(100))
    if request.param is MemoryStorage:
        return MemoryStorage
    return lambda: LocalStorage(tmp_path / f"storage {next(counter)}")


@pytest.mark.parametrize("check", STORAGE_CHECKS, ids=lambda check: check.__name__)
def test_every_storage_conforms(make, check):
    """Each storage passes each check of the suite."""
    assert isinstance(make(), Storage)

    check(make)


class Torn(LocalStorage):
    """Writes straight under the final name."""

    def put(self, key, source):
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = source.read_bytes() if isinstance(source, Path) else source
        with path.open("wb", buffering=0) as file:
            for at in range(0, len(data), 50_000):
                file.write(data[at : at + 50_000])


class Deaf(MemoryStorage):
    """Lists everything, whatever the prefix."""

    def list(self, prefix=""):
        return super().list()


class Stale(MemoryStorage):
    """Remembers the first bytes it read."""

    def __init__(self):
        super().__init__()
        self.seen = {}

    def open(self, key):
        file = super().open(key)
        data = self.seen.setdefault(key, file.read())
        file.seek(0)
        file.truncate()
        file.write(data)
        file.seek(0)
        return file


class Open(LocalStorage):
    """Believes a key that begins with `..`."""

    def _path(self, key):
        return self.root / key if key.startswith("../") else super()._path(key)


class Moving(MemoryStorage):
    """Moves an object to its name instead of showing it there too."""

    def link(self, key, name):
        super().link(key, name)
        super().delete(key)


class Silent(MemoryStorage):
    """Answers a missing object with nothing."""

    def open(self, key):
        return super().open(key) if self.stat(key) else io.BytesIO()


@pytest.mark.parametrize("broken", [Torn, Deaf, Stale, Open, Moving, Silent])
def test_the_suite_catches_a_broken_storage(broken, tmp_path):
    """A storage with one fault fails at least one check, and not by accident all of them."""
    counter = iter(range(100))
    failed = []
    for check in STORAGE_CHECKS:
        folder = tmp_path / "deep" / "er" / str(next(counter))
        try:
            check(
                lambda folder=folder: (
                    broken(folder) if issubclass(broken, LocalStorage) else broken()
                )
            )
        except (AssertionError, OSError, ValueError):
            failed.append(check.__name__)

    assert failed
    assert len(failed) < len(STORAGE_CHECKS) / 2


# ------------------------------------------------------------------ a folder on a disk


@pytest.fixture
def root(tmp_path):
    return tmp_path / "output"


@pytest.fixture
def storage(root):
    return LocalStorage(root)


def read(storage: Storage, key: str) -> bytes:
    with storage.open(key) as file:
        return file.read()


def age_the_world(monkeypatch) -> None:
    """Make every file two hours old: a change time cannot be set, but the clock can."""
    later = time.time() + 7200
    monkeypatch.setattr(time, "time", lambda: later)


def files_below(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_objects_are_read_only_and_names_are_not(storage, root):
    """What is named by its content is 0444; a copy for people can be edited without harm to it."""
    storage.put("objects/ab/ab12.png", b"picture")
    storage.link("objects/ab/ab12.png", "images/x/image_000.png")

    assert (root / "objects/ab/ab12.png").stat().st_mode & 0o777 == 0o444
    (root / "images/x/image_000.png").write_bytes(b"scribble")
    assert read(storage, "objects/ab/ab12.png") == b"picture"


def test_a_film_takes_its_space_once(storage, root):
    """An MP4 and its name are one file; a second link leaves nothing temporary behind."""
    storage.put("objects/ab/ab12.mp4", b"film")
    storage.link("objects/ab/ab12.mp4", "videos/x.mp4")
    storage.link("objects/ab/ab12.mp4", "videos/x.mp4")

    assert (root / "videos/x.mp4").samefile(root / "objects/ab/ab12.mp4")
    assert files_below(root) == ["objects/ab/ab12.mp4", "videos/x.mp4"]


def test_a_film_is_copied_where_links_cannot_be_made(storage, root, monkeypatch):
    """On a file system without hard links the name gets its own bytes."""

    def refuse(*_args, **_options):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    storage.put("objects/ab/ab12.mp4", b"film")
    storage.link("objects/ab/ab12.mp4", "videos/x.mp4")

    assert read(storage, "videos/x.mp4") == b"film"
    assert not (root / "videos/x.mp4").samefile(root / "objects/ab/ab12.mp4")


def test_reading_makes_no_folder(storage, root):
    """Looking into a storage that is not there yet leaves the disk alone."""
    assert list(storage.list()) == []
    assert storage.stat("a") is None
    storage.delete("a")

    assert not root.exists()


def test_empty_folders_go_with_their_last_object(storage, root):
    """Deleting the last object of a folder removes the folder, and never the root."""
    storage.put("images/x/image_000.png", b"x")
    storage.delete("images/x/image_000.png")

    assert root.exists()
    assert not (root / "images").exists()


def test_an_object_is_located_from_the_working_folder(tmp_path, monkeypatch):
    """Below the working folder the place is relative, as a person would type it; else absolute."""
    monkeypatch.chdir(tmp_path)
    storage = LocalStorage("output")

    assert storage.locate("videos/ab.mp4") == str(Path("output/videos/ab.mp4"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert storage.locate("videos/ab.mp4") == str(tmp_path / "output/videos/ab.mp4")


@pytest.mark.parametrize("trap", ["folder", "file", "loop", "temporary"])
def test_no_symbolic_link_leads_out(storage, root, tmp_path, monkeypatch, trap):
    """No link below the root is followed: not to read, write, list, link, sweep or delete."""
    outside = tmp_path / "outside"
    outside.mkdir()
    secret = outside / "secret.mp4"
    secret.write_bytes(b"secret")
    storage.put("objects/own.mp4", b"own")
    link, target, key = {
        "folder": (root / "videos", outside, "videos/secret.mp4"),
        "file": (root / "secret.mp4", secret, "secret.mp4"),
        "loop": (root / "videos", root / "videos", "videos/secret.mp4"),
        "temporary": (root / ".tmp", outside, "videos/new.mp4"),
    }[trap]
    if trap == "temporary":
        shutil.rmtree(link)
    link.symlink_to(target)

    with pytest.raises(StorageKeyError, match="symbolic link"):
        storage.put(key, b"mine")
    with pytest.raises(StorageKeyError, match="symbolic link"):
        storage.link("objects/own.mp4", key)
    if trap != "temporary":
        for action in (storage.open, storage.stat, storage.delete):
            with pytest.raises(StorageKeyError, match="symbolic link"):
                action(key)
        with pytest.raises(StorageKeyError, match="symbolic link"):
            storage.link(key, "videos2/x.mp4")
        with pytest.raises(StorageKeyError, match="symbolic link"):
            storage.fetch(key, tmp_path)
    age_the_world(monkeypatch)
    LocalStorage(root)

    assert [stored.key for stored in storage.list()] == ["objects/own.mp4"]
    assert secret.read_bytes() == b"secret"
    assert files_below(outside) == ["secret.mp4"]


def test_the_root_may_be_a_link(tmp_path):
    """A person may keep the whole storage on another disk."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "output").symlink_to(tmp_path / "disk")

    LocalStorage(tmp_path / "output").put("videos/x.mp4", b"film")

    assert (tmp_path / "disk/videos/x.mp4").read_bytes() == b"film"


def test_what_is_no_file_is_no_object(storage, root):
    """A named pipe that somebody put there is neither listed nor waited for."""
    storage.put("videos/x.mp4", b"film")
    os.mkfifo(root / "videos" / "pipe")

    with pytest.raises(ObjectNotFoundError):
        storage.open("videos/pipe")
    assert storage.stat("videos/pipe") is None
    assert [stored.key for stored in storage.list()] == ["videos/x.mp4"]


def test_foreign_files_do_not_disturb(storage, root):
    """A file with a name no key can have is left alone and not listed."""
    storage.put("videos/x.mp4", b"film")
    (root / "videos" / "what?.mp4").write_bytes(b"")
    (root / "videos" / os.fsdecode(b"\xff.mp4")).write_bytes(b"")

    assert [stored.key for stored in storage.list()] == ["videos/x.mp4"]


def test_old_leftovers_are_swept_when_the_storage_is_opened(storage, root, monkeypatch):
    """Unfinished files of killed processes go after an hour; a young one may still be written."""
    storage.put("videos/x.mp4", b"film")
    old, young = root / ".tmp" / "old", root / ".tmp" / "young"
    young.write_bytes(b"half")
    old.write_bytes(b"half")
    age_the_world(monkeypatch)
    LocalStorage(root)
    monkeypatch.undo()
    left = files_below(root)
    young.write_bytes(b"half")
    LocalStorage(root)

    assert left == ["videos/x.mp4"]
    assert files_below(root) == [".tmp/young", "videos/x.mp4"]


def test_a_file_in_the_way_is_explained(tmp_path):
    """A root that is a file cannot be used; the error says so and where to go."""
    (tmp_path / "output").write_bytes(b"")
    storage = LocalStorage(tmp_path / "output")

    for action in (lambda: storage.put("a", b"x"), storage.check):
        with pytest.raises(StorageError, match="VISIONPULSE_HOME") as caught:
            action()
        assert caught.value.code == "not_writable"


def test_check_passes_where_a_film_fits(storage, root):
    """`check` makes the folder and leaves no file in it."""
    storage.check()

    assert files_below(root) == []


def test_check_refuses_a_disk_that_is_nearly_full(storage, monkeypatch):
    """Less than 200 MB of free space is told before money is spent."""
    usage = shutil.disk_usage(Path.cwd())
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=199_000_000))

    with pytest.raises(StorageError, match="199 MB are free") as caught:
        storage.check()
    assert caught.value.code == "disk_full"


# ------------------------------------------------------------------ in processes of their own

START = """
import os, resource, sys
from pathlib import Path
from visionpulse.errors import StorageError
from visionpulse.storage.local import LocalStorage
root = Path(sys.argv[1])
"""


def run_script(body: str, *arguments: object, prefix: tuple[str, ...] = ()) -> str:
    done = subprocess.run(
        [*prefix, sys.executable, "-c", START + body, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_folder_without_permission_is_explained(tmp_path):
    """A folder this user may not write to is `not_writable`, whoever runs the test."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)

    said = run_script(
        """
if os.geteuid() == 0:
    os.seteuid(65534)
storage = LocalStorage(root)
for action in (storage.check, lambda: storage.put("videos/x.mp4", b"film")):
    try:
        action()
    except StorageError as error:
        print(error.code, "VISIONPULSE_HOME" in str(error))
""",
        locked / "output",
    )

    assert said.split("\n") == ["not_writable True"] * 2
    assert list(locked.iterdir()) == []


FILL = """
storage = LocalStorage(root)
storage.put("objects/ab/old.mp4", b"old")
storage.put("videos/x.mp4", b"old film")
source = Path(sys.argv[2])
limit()
big = b"n" * 9_000_000
for key, data in (("videos/x.mp4", big), ("videos/x.mp4", source), ("videos/y.mp4", source)):
    try:
        storage.put(key, data)
    except StorageError as error:
        print(error.code, "Free some space" in str(error), error.__cause__.strerror)
print(sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()))
print(storage.open("videos/x.mp4").read())
storage.put("videos/z.mp4", b"small")
"""
AFTER = ["['objects/ab/old.mp4', 'videos/x.mp4']", "b'old film'"]


def test_a_file_size_limit_leaves_nothing_half_written(root, tmp_path):
    """At a file size limit the old object stays, no part is left, and small ones still fit."""
    source = tmp_path / "big.mp4"
    source.write_bytes(b"n" * 9_000_000)

    said = run_script(
        "limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, 4_000_000))" + FILL,
        root,
        source,
    ).split("\n")

    assert said[:3] == ["disk_full True File too large"] * 3
    assert said[3:] == AFTER


def small_disk_prefix() -> tuple[str, ...] | None:
    """Return how to run a command that may mount, in a mount namespace that dies with it."""
    for prefix in (("unshare", "--mount"), ("unshare", "--mount", "--user", "--map-root-user")):
        if (
            shutil.which("unshare")
            and not subprocess.run(
                [*prefix, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
            ).returncode
        ):
            return prefix
    return None


def test_a_full_disk_leaves_nothing_half_written(root, tmp_path):
    """A disk of 6 MB refuses a film of 9 MB: old objects stay whole, small ones still fit."""
    prefix = small_disk_prefix()
    if prefix is None:
        pytest.skip("neither root nor user namespaces: no small disk can be mounted here")
    source = tmp_path / "big.mp4"
    source.write_bytes(b"n" * 9_000_000)
    root.mkdir()

    said = run_script(
        "import subprocess\n"
        "subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=6m', 'none', root], check=True)\n"
        "limit = lambda: None\n" + FILL,
        root,
        source,
        prefix=prefix,
    ).split("\n")

    assert said[:3] == ["disk_full True No space left on device"] * 3
    assert said[3:] == AFTER


def test_a_read_only_disk_is_explained(root):
    """A disk mounted read-only is `not_writable`, and can still be read."""
    prefix = small_disk_prefix()
    if prefix is None:
        pytest.skip("neither root nor user namespaces: no disk can be mounted here")
    root.mkdir()

    said = run_script(
        """
import subprocess
subprocess.run(["mount", "-t", "tmpfs", "none", root], check=True)
storage = LocalStorage(root)
storage.put("videos/x.mp4", b"film")
subprocess.run(["mount", "-o", "remount,ro", root], check=True)
try:
    storage.put("videos/y.mp4", b"film")
except StorageError as error:
    print(error.code, storage.open("videos/x.mp4").read())
""",
        root,
        prefix=prefix,
    )

    assert said == "not_writable b'film'"


@pytest.mark.parametrize("round_", range(4))
def test_a_killed_writer_leaves_whole_objects(root, round_):
    """After `kill -9` in the middle of writing, every object that can be seen matches its name."""
    writer = subprocess.Popen(
        [
            sys.executable,
            "-c",
            START
            + """
import hashlib, itertools
storage = LocalStorage(root)
for number in itertools.count():
    data = hashlib.sha256(str(number).encode()).digest() * 100_000
    name = hashlib.sha256(data).hexdigest()
    storage.put(f"objects/{name}.mp4", data)
    storage.link(f"objects/{name}.mp4", "videos/x.mp4")
    print(name, flush=True)
""",
            root,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    with writer, writer.stdout as names:
        finished = [names.readline().strip()]
        time.sleep(0.03 * round_ + 0.011)
        writer.kill()
        finished += [name.strip() for name in names if name.endswith("\n")]

    storage = LocalStorage(root)
    seen = {}
    for stored in storage.list():
        seen[stored.key] = hashlib.sha256(read(storage, stored.key)).hexdigest()
    assert {f"objects/{name}.mp4" for name in finished} <= seen.keys()
    assert seen.pop("videos/x.mp4") in set(seen.values())
    assert all(key == f"objects/{digest}.mp4" for key, digest in seen.items())


@pytest.mark.slow
def test_processes_share_a_folder_that_comes_and_goes(root):
    """Two processes that put and delete in one folder never trip over each other's tidying."""
    body = """
storage = LocalStorage(root)
for number in range(150):
    key = f"images/x/{os.getpid()}.png"
    storage.put(key, b"x")
    assert storage.stat(key)
    storage.delete(key)
"""
    failures = []

    def work():
        try:
            run_script(body, root)
        except AssertionError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
