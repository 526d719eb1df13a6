"""What every storage keeps to: run `STORAGE_CHECKS` over yours.

@pytest.mark.parametrize("check", STORAGE_CHECKS, ids=lambda check: check.__name__)
def test_conforms(check):
    check(MyStorage)  # any callable that returns an empty storage
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from visionpulse.errors import ObjectNotFoundError, StorageKeyError
from visionpulse.protocols import Storage

MakeStorage = Callable[[], Storage]

KEY = "objects/ab/ab12.png"
HOSTILE_KEYS = (
    "", ".", "..", "/", "/nowhere/at/all", "//host/share", "../x", "images/../../x", "images/..",
    "images/./x", "images//x", "images/", "~/../x/", "a\x00b", "a\nb", "..\\x", "images\\x",
    "C:/x", "C:x", "images/a:stream", "CON", "images/NUL.txt", "nul", "com1", "Lpt9.mp4", "COM¹",
    "aux .txt", "images/x.", "images/x ", "images/ /x", "images/...", "what?", "a*", "a|b", "<a>",
    'a"b', "x" * 256, "ä" * 128, "x/" * 600 + "x", "\ud800", ".tmp/x",
)  # fmt: skip


def _read(storage: Storage, key: str) -> bytes:
    with storage.open(key) as file:
        return file.read()


def _keys(storage: Storage, prefix: str = "") -> list[str]:
    return sorted(stored.key for stored in storage.list(prefix))


def _raises(kind: type[Exception], action: Callable[..., object], *arguments: object) -> bool:
    try:
        action(*arguments)
    except kind:
        return True
    return False


def bytes_come_back(make: MakeStorage) -> None:
    """What is put under a key is what is read from it, also when it is empty."""
    storage = make()
    for data in (b"", b"\x00\xff" * 5, b"film" * 700_000):
        storage.put(KEY, data)
        assert _read(storage, KEY) == data


def a_file_is_copied(make: MakeStorage) -> None:
    """A file put into the storage is copied: what happens to it later changes nothing."""
    storage = make()
    with TemporaryDirectory() as folder:
        source = Path(folder, "source.mp4")
        source.write_bytes(b"film" * 700_000)
        storage.put(KEY, source)
        source.write_bytes(b"other")
    assert _read(storage, KEY) == b"film" * 700_000


def put_replaces(make: MakeStorage) -> None:
    """The last put wins, for every way of reading."""
    storage = make()
    storage.put(KEY, b"a longer first version")
    assert _read(storage, KEY) == b"a longer first version"
    storage.put(KEY, b"second")
    assert _read(storage, KEY) == b"second"
    assert (stat := storage.stat(KEY)) is not None
    assert stat.size == 6
    with TemporaryDirectory() as folder:
        assert storage.fetch(KEY, Path(folder)).read_bytes() == b"second"


def a_failed_put_changes_nothing(make: MakeStorage) -> None:
    """When the source cannot be read, the old object stays and nothing else appears."""
    storage = make()
    storage.put(KEY, b"old")
    with TemporaryDirectory() as folder:
        assert _raises(OSError, storage.put, KEY, Path(folder, "missing.png"))
    assert _read(storage, KEY) == b"old"
    assert _keys(storage) == [KEY]


def a_missing_object_is_named(make: MakeStorage) -> None:
    """Reading what is not there raises ObjectNotFoundError, and `stat` says None."""
    storage = make()
    storage.put("images/a/b.png", b"x")
    for key in (KEY, "images", "images/a", "images/a/b.png/c"):
        assert storage.stat(key) is None, key
        assert _raises(ObjectNotFoundError, storage.open, key), key
        assert _raises(ObjectNotFoundError, storage.link, key, "name.png"), key
        with TemporaryDirectory() as folder:
            assert _raises(ObjectNotFoundError, storage.fetch, key, Path(folder)), key


def stat_describes(make: MakeStorage) -> None:
    """`stat` knows the key, the size and the time, with its zone."""
    storage = make()
    storage.put(KEY, b"12345")
    assert (stat := storage.stat(KEY)) is not None
    assert (stat.key, stat.size) == (KEY, 5)
    assert abs(stat.modified - datetime.now(UTC)) < timedelta(minutes=5)


def delete_removes_one_key(make: MakeStorage) -> None:
    """A deleted key is gone, its neighbours stay, and deleting it again is no error."""
    storage = make()
    storage.put("images/a.png", b"a")
    storage.put("images/ab.png", b"ab")
    storage.delete("images/a.png")
    storage.delete("images/a.png")
    storage.delete("images")
    assert storage.stat("images/a.png") is None
    assert _keys(storage) == ["images/ab.png"]


def list_keeps_to_the_prefix(make: MakeStorage) -> None:
    """`list` yields exactly the keys that begin with the prefix, wherever it ends."""
    storage = make()
    keys = ["images/1/a.png", "images/1/b.png", "images/12/a.png", "imagesque.png", "top.txt"]
    for key in keys:
        storage.put(key, key.encode())
    for prefix in (
        "",
        "i",
        "images",
        "images/",
        "images/1",
        "images/1/",
        "images/1/a",
        "zz",
        "zz/",
    ):
        assert _keys(storage, prefix) == [key for key in keys if key.startswith(prefix)], prefix
    assert {stored.size for stored in storage.list("top")} == {7}


def list_bears_deletion(make: MakeStorage) -> None:
    """Objects may be deleted while they are listed."""
    storage = make()
    for number in range(20):
        storage.put(f"images/{number}/a.png", b"x")
    for stored in storage.list("images/"):
        storage.delete(stored.key)
    assert _keys(storage) == []


def a_name_shows_its_object(make: MakeStorage) -> None:
    """A linked name has the object's bytes, replaces what it showed, and is listed."""
    storage = make()
    for suffix in (".mp4", ".png"):
        first, second, name = f"objects/1{suffix}", f"objects/2{suffix}", f"videos/x{suffix}"
        storage.put(first, b"first")
        storage.put(second, b"second")
        for key, data in ((first, b"first"), (first, b"first"), (second, b"second")):
            storage.link(key, name)
            assert _read(storage, name) == data
        assert _keys(storage, "videos/") == [name]
        storage.delete(name)
        assert _read(storage, second) == b"second"


def a_name_outlives_its_object(make: MakeStorage) -> None:
    """Deleting or replacing the object leaves the name showing what it showed."""
    storage = make()
    for suffix in (".mp4", ".png"):
        key, name = f"objects/1{suffix}", f"names/x{suffix}"
        storage.put(key, b"film")
        storage.link(key, name)
        storage.put(key, b"another film")
        assert _read(storage, name) == b"film"
        storage.delete(key)
        assert _read(storage, name) == b"film"


def linking_an_object_to_itself_keeps_it(make: MakeStorage) -> None:
    """An object that is linked to its own key is still there."""
    storage = make()
    storage.put("videos/x.mp4", b"film")
    storage.link("videos/x.mp4", "videos/x.mp4")
    assert _read(storage, "videos/x.mp4") == b"film"
    assert _keys(storage) == ["videos/x.mp4"]


def fetch_gives_a_file(make: MakeStorage) -> None:
    """`fetch` returns a local file with the object's bytes; two keys never share one."""
    storage = make()
    storage.put("images/1/a.png", b"one")
    storage.put("images/2/a.png", b"two")
    with TemporaryDirectory() as folder:
        one = storage.fetch("images/1/a.png", Path(folder))
        two = storage.fetch("images/2/a.png", Path(folder))
        assert (one.read_bytes(), two.read_bytes()) == (b"one", b"two")
        assert one.suffix == ".png"


def locate_names_the_object(make: MakeStorage) -> None:
    """Where a person finds the object ends with its key."""
    storage = make()
    storage.put(KEY, b"x")
    assert storage.locate(KEY).replace("\\", "/").endswith(KEY)


def unusual_names_work(make: MakeStorage) -> None:
    """Spaces, other scripts, emoji, inner dots and long names are plain names."""
    storage = make()
    keys = ["a b/ü 海 🎬.png", "..a/b", "a..b/.c", "con1/null/common.txt", "x" * 255, "é" * 127]
    for key in keys:
        storage.put(key, key.encode())
    assert [_read(storage, key) for key in keys] == [key.encode() for key in keys]
    assert _keys(storage) == sorted(keys)


def hostile_keys_are_refused(make: MakeStorage) -> None:
    """Every method refuses a key that is not a plain path inside, and nothing appears."""
    storage = make()
    storage.put(KEY, b"x")
    with TemporaryDirectory() as folder:
        for key in HOSTILE_KEYS:
            for method, *arguments in (
                (storage.put, key, b"x"),
                (storage.open, key),
                (storage.stat, key),
                (storage.link, KEY, key),
                (storage.link, key, "name.png"),
                (storage.delete, key),
                (storage.fetch, key, Path(folder)),
                (storage.locate, key),
            ):
                assert _raises(StorageKeyError, method, *arguments), (method, key)
    for prefix in ("../", "/", "images/../../", "C:/"):
        assert _raises(StorageKeyError, _keys, storage, prefix), prefix
    assert _keys(storage) == [KEY]


def nobody_sees_half(make: MakeStorage) -> None:
    """Whoever reads or lists while an object is replaced sees a whole version of it."""
    storage = make()
    versions = [bytes([letter]) * (400_000 + letter) for letter in b"ab"]
    storage.put(KEY, versions[0])
    seen: set[bytes] = set()
    torn: list[object] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            data = _read(storage, KEY)
            seen.add(data[:1])
            if data not in versions:
                torn.append((len(data), hashlib.sha256(data).hexdigest()))
            if _keys(storage) != [KEY]:
                torn.append(_keys(storage))

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for number in range(60):
                storage.put(KEY, versions[number % 2])
        finally:
            over.set()
        for reader in readers:
            reader.result()
    assert not torn, torn[:3]
    assert seen


def threads_do_not_meet(make: MakeStorage) -> None:
    """Eight threads may put, link, read and delete at once, in folders that come and go."""
    storage = make()

    def work(worker: int) -> None:
        for number in range(15):
            key, name = f"objects/x/{worker}.mp4", f"videos/{worker}/film.mp4"
            data = f"{worker}:{number}".encode()
            storage.put(key, data)
            storage.link(key, name)
            assert _read(storage, name) == data
            storage.delete(name)
            storage.delete(key)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert _keys(storage) == []


STORAGE_CHECKS: tuple[Callable[[MakeStorage], None], ...] = (
    bytes_come_back,
    a_file_is_copied,
    put_replaces,
    a_failed_put_changes_nothing,
    a_missing_object_is_named,
    stat_describes,
    delete_removes_one_key,
    list_keeps_to_the_prefix,
    list_bears_deletion,
    a_name_shows_its_object,
    a_name_outlives_its_object,
    linking_an_object_to_itself_keeps_it,
    fetch_gives_a_file,
    locate_names_the_object,
    unusual_names_work,
    hostile_keys_are_refused,
    nobody_sees_half,
    threads_do_not_meet,
)
