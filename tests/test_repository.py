"""Videos and the ledger's facts in SQLite."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from visionpulse.errors import (
    ClaimLostError,
    InputError,
    RepositoryError,
    VideoBusyError,
    VideoNotFoundError,
)
from visionpulse.models import Artefact, Failure, Video
from visionpulse.protocols import Use
from visionpulse.repositories import tables
from visionpulse.repositories.sql import SqlRepository


@pytest.fixture
def repository(tmp_path):
    made = SqlRepository(tmp_path / "visionpulse.db")
    yield made
    made.close()


def video(**facts) -> Video:
    return Video(script="A red door.", **facts)


def artefact(fingerprint: str) -> Artefact:
    return Artefact(fingerprint=fingerprint, kind="picture", sha256="0" * 64, size=1, suffix=".png")


# ------------------------------------------------------------------ videos


def test_video_comes_back_as_it_went_in(repository):
    """Every field, to the character."""
    original = video(title="ünï\n'\"; drop table", keywords=("a", "b"), negative_keywords=("c",))

    repository.insert(original)

    stored = repository.get(original.id)
    ours = {"updated_at", "revision"}
    assert stored.model_dump(exclude=ours) == original.model_dump(exclude=ours)


def test_documented_columns_hold_the_documented_values(repository, tmp_path):
    """Other programs read the table."""
    made = video(title="T", keywords=("k",), status="failed")
    claim = repository.insert(made, owner="me")
    failure = Failure(code="x", message="It broke.")
    repository.save(made.model_copy(update={"error": failure, "status": "failed"}), claim)

    with sqlite3.connect(tmp_path / "visionpulse.db") as db:
        db.row_factory = sqlite3.Row
        row = dict(db.execute("select * from videos").fetchone())

    documented = "id title script style voice keywords negative_keywords prompts image_paths "
    documented += "audio_path video_path status error_message created_at updated_at"
    assert set(documented.split()) <= set(row)
    assert (row["title"], row["status"], row["error_message"]) == ("T", "failed", "It broke.")
    assert row["keywords"] == '["k"]'


def test_unknown_id_is_a_typed_error(repository):
    with pytest.raises(VideoNotFoundError, match="abc"):
        repository.get("abc")


def test_pages_cover_everything_once_newest_first(repository):
    """Also while newer videos come in."""
    ids = []
    for number in range(25):
        each = video(title=f"number {number}")
        ids.append(each.id)
        repository.insert(each)

    seen, cursor = [], None
    while True:
        page = repository.list(limit=10, cursor=cursor)
        seen += [each.id for each in page.items]
        repository.insert(video(title="late"))
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == ids[::-1]
    assert page.total == 27


def test_list_filters_by_status_and_title(repository):
    """Percent signs and underscores are letters like any other."""
    repository.insert(video(title="100% wool"))
    repository.insert(video(title="100 sheep"), owner="me")

    assert [each.title for each in repository.list(query="0% W").items] == ["100% wool"]
    assert [each.title for each in repository.list(status="processing").items] == ["100 sheep"]
    assert repository.list(query="goat").total == 0


@pytest.mark.parametrize("wish", [{"cursor": "nonsense"}, {"limit": 0}, {"limit": 10**20}])
def test_list_refuses_what_makes_no_sense(repository, wish):
    with pytest.raises(InputError):
        repository.list(**wish)


# ------------------------------------------------------------------ claims


def test_a_claimed_video_is_nobody_elses(repository):
    repository.insert(video())

    assert repository.claim("a") is not None
    assert repository.claim("b") is None


def test_oldest_waiting_video_is_claimed_first(repository):
    first, second = video(), video()
    repository.insert(first)
    repository.insert(second)

    assert [repository.claim("a").video_id for _ in range(2)] == [first.id, second.id]


def test_orphan_is_claimed_again_and_its_old_worker_is_fenced_off(repository):
    """It slept past its lease: what it writes then is refused."""
    each = video()
    old = repository.insert(each, owner="sleeper", lease=0.05)
    time.sleep(0.1)

    new = repository.claim("waker")

    assert new.fence > old.fence
    with pytest.raises(ClaimLostError):
        repository.save(each, old)
    with pytest.raises(ClaimLostError):
        repository.heartbeat(old)
    repository.save(each.model_copy(update={"status": "completed"}), new)
    assert repository.get(each.id).status == "completed"


def test_heartbeat_keeps_the_claim(repository):
    claim = repository.insert(video(), owner="me", lease=0.3)
    for _ in range(4):
        time.sleep(0.1)
        repository.heartbeat(claim, lease=0.3, progress=0.5)

    assert repository.claim("other") is None
    assert repository.get(claim.video_id).progress == 0.5


def test_video_whose_claims_make_nothing_fails_at_the_fourth(repository):
    """Something in it ends its workers; the others must not wait behind it."""
    poison, healthy = video(), video()
    repository.insert(poison)
    for _ in range(3):
        assert repository.claim("w", lease=-1).video_id == poison.id
    repository.insert(healthy)

    assert repository.claim("w").video_id == healthy.id
    failed = repository.get(poison.id)
    assert (failed.status, failed.error.code) == ("failed", "attempts_exhausted")


def test_claim_that_made_something_starts_the_count_again(repository):
    each = video()
    repository.insert(each)
    for number in range(6):
        claim = repository.claim("w", lease=-1)
        assert claim is not None
        repository.record(artefact(str(number)), Use(each.id), "w", lambda _artefact: True)

    assert repository.claim("w").attempt == 1


def test_cancel_takes_the_video_from_its_worker(repository):
    each = video()
    claim = repository.insert(each, owner="me")

    cancelled = repository.cancel(each.id)

    assert (cancelled.status, cancelled.error.code) == ("failed", "cancelled")
    with pytest.raises(ClaimLostError):
        repository.save(each, claim)


def test_busy_video_is_not_replaced(repository):
    each = video()
    repository.insert(each, owner="me")

    with pytest.raises(VideoBusyError):
        repository.insert(each, owner="other")


def test_one_claim_for_many_workers(repository, tmp_path):
    """Eight claim at once; every video goes to one of them."""
    ids = set()
    for _ in range(40):
        each = video()
        ids.add(each.id)
        repository.insert(each)
    claimed: list[str] = []

    def work(number: int) -> None:
        own = SqlRepository(tmp_path / "visionpulse.db")
        while claim := own.claim(f"worker {number}"):
            claimed.append(claim.video_id)
        own.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    assert sorted(claimed) == sorted(ids)


# ------------------------------------------------------------------ the database itself


def test_migrations_make_the_tables_the_code_uses(repository):
    """The two descriptions of the schema may not drift apart."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    with repository._engine.connect() as db:
        difference = compare_metadata(MigrationContext.configure(db), tables.metadata)

    assert difference == []
    folder = Path(tables.__file__).parent / "migrations"
    script = ScriptDirectory(str(folder))
    assert script.get_current_head() == tables.HEAD
    assert {each.revision for each in script.walk_revisions()} == set(tables.REVISIONS)


def test_many_threads_open_one_fresh_database(tmp_path):
    """Alembic is not made for threads; we are."""
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: SqlRepository(tmp_path / "x.db"), range(8)))

    opened[0].insert(video())
    assert opened[-1].list().total == 1
    for each in opened:
        each.close()


def test_newer_database_is_refused(tmp_path):
    """An old program must not write into what it does not know."""
    SqlRepository(tmp_path / "x.db").close()
    with sqlite3.connect(tmp_path / "x.db") as db:
        db.execute("update alembic_version set version_num = '9999'")

    with pytest.raises(RepositoryError, match="newer") as failure:
        SqlRepository(tmp_path / "x.db")

    assert failure.value.code == "database_too_new"


@pytest.mark.parametrize("damage", [b"This is no database at all, whatever its name says." * 50])
def test_damaged_database_says_so(tmp_path, damage):
    (tmp_path / "x.db").write_bytes(damage)

    with pytest.raises(RepositoryError, match="damaged") as failure:
        SqlRepository(tmp_path / "x.db")

    assert failure.value.code == "database_damaged"
    assert (tmp_path / "x.db").read_bytes() == damage


def test_torn_page_says_so(tmp_path):
    """Damage in the middle is found when it is met."""
    repository = SqlRepository(tmp_path / "x.db")
    for _ in range(50):
        repository.insert(video())
    with repository._engine.connect() as db:
        db.execute(sa.text("pragma wal_checkpoint(truncate)"))
    repository.close()
    with (tmp_path / "x.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (Path(file.name).stat().st_size - 4096))

    with pytest.raises(RepositoryError, match="damaged"):
        SqlRepository(tmp_path / "x.db").list()


def test_settings_of_every_connection(repository):
    """WAL, and durable against power loss."""
    with repository._engine.connect() as db:
        assert db.execute(sa.text("pragma journal_mode")).scalar() == "wal"
        assert db.execute(sa.text("pragma synchronous")).scalar() == 2


def write_many(folder: str, transactions: int) -> int:
    repository = SqlRepository(Path(folder) / "x.db")
    errors = 0
    lock = threading.Lock()

    def write(number: int) -> None:
        nonlocal errors
        for count in range(transactions // 8):
            name = f"{multiprocessing.current_process().pid}-{number}-{count}"
            try:
                # One transaction that reads and then writes: what fails when begun deferred.
                repository.record(artefact(name), Use("a" * 32), "w", lambda _artefact: True)
            except RepositoryError:
                with lock:
                    errors += 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    repository.close()
    return errors


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_32_writers_and_20000_transactions_without_an_error(tmp_path):
    """Four processes of eight threads on one file."""
    SqlRepository(tmp_path / "x.db").close()

    with multiprocessing.get_context("spawn").Pool(4) as pool:
        errors = pool.starmap(write_many, [(str(tmp_path), 5000)] * 4)

    assert errors == [0, 0, 0, 0]
    with sqlite3.connect(tmp_path / "x.db") as db:
        assert db.execute("select count(*) from artefacts").fetchone() == (20_000,)
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
