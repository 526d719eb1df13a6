"""Videos and ledger facts in an SQL database: SQLite by default.

SQL is plain sync code; async callers use a thread. Every write is one transaction.
"""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import ArgumentError, DBAPIError

from visionpulse.errors import (
    BudgetExceededError,
    ClaimLostError,
    InputError,
    RepositoryError,
    VideoBusyError,
    VideoNotFoundError,
    VisionPulseError,
)
from visionpulse.models import (
    Artefact,
    CostLine,
    Failure,
    Grouping,
    Page,
    Status,
    Usage,
    Video,
)
from visionpulse.pricing import unknown_price
from visionpulse.protocols import CallRecord, Caps, Claim, Refusal, Use
from visionpulse.repositories.tables import (
    HEAD,
    REVISIONS,
    artefacts,
    calls,
    claims,
    seconds_now,
    uses,
    videos,
)

_COLUMNS = ("id", "title", "script", "style", "voice", "status", "created_at", "updated_at")
_LISTS = ("keywords", "negative_keywords")
_DERIVED = ("progress", "revision")
_ATTEMPTS = 3
_COUNTED = 10_000
_NANOS = Decimal(1_000_000_000)

_repositories: weakref.WeakSet[SqlRepository] = weakref.WeakSet()


def _after_fork() -> None:
    for repository in list(_repositories):
        repository._forked()  # pyright: ignore[reportPrivateUsage]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

# Alembic keeps its context in module globals: one migration at a time in a process.
_migrating = threading.Lock()


class SqlRepository:
    """Videos (VideoRepository) and the ledger's facts (LedgerStore) in one database.

    Args:
        database: A file, or an SQLAlchemy URL. The tables are made, or brought up to date, here.

    Raises:
        RepositoryError: The database cannot be opened, is damaged, or is newer than this version.
    """

    def __init__(self, database: str | Path = "visionpulse.db") -> None:
        url = _url(database)
        self.name: str = url.render_as_string(hide_password=True)
        with self._translated():
            if url.database:
                Path(url.database).expanduser().parent.mkdir(parents=True, exist_ok=True)
            self._renew()
            self._engine = sa.create_engine(
                url,
                # Threads queue for SQLite's one write lock, not for a connection.
                max_overflow=-1,
                json_serializer=lambda value: json.dumps(value, ensure_ascii=False),
            )
            event.listen(self._engine, "connect", _on_connect)
            event.listen(self._engine, "begin", _on_begin)
            self._writer = self._engine.execution_options(visionpulse_writes=True)
            self._migrate()
        _repositories.add(self)

    def _renew(self) -> None:
        # Writers of one process queue here: SQLite's own lock is polled, and not in turn.
        self._turn = threading.Lock()

    def _forked(self) -> None:
        """Leave the parent's connections and lock alone."""
        self._renew()
        self._engine.dispose(close=False)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    # -------------------------------------------------------------- videos

    def insert(
        self,
        video: Video,
        *,
        owner: str | None = None,
        lease: float = 30,
        replacing: str | None = None,
    ) -> Claim | None:
        """Add a video, claimed at once if there is an owner; an idle one with its id is replaced.

        Raises:
            VideoBusyError: Somebody works on it.
        """
        status: Status = "processing" if owner else "pending"
        now = datetime.now(UTC)
        with self._write() as db:
            row = db.execute(
                sa.select(
                    videos.c.fence,
                    videos.c.revision,
                    videos.c.owner,
                    sa.and_(
                        videos.c.status == "processing", videos.c.lease_until > seconds_now()
                    ).label("busy"),
                ).where(videos.c.id == video.id)
            ).one_or_none()
            if row and row.busy and row.owner != replacing:
                raise VideoBusyError(
                    f"Video {video.id} is being worked on.",
                    hint="Wait for it, or cancel it first.",
                    video_id=video.id,
                    owner=row.owner,
                )
            # A new row's fences begin at the time: after a deletion under the same id, an old claim
            # must not fit again.
            fence = row.fence + 1 if row else time.time_ns() // 1000
            values = _row_of(
                video.model_copy(update={"status": status, "error": None, "updated_at": now})
            ) | {
                "progress": 0.0,
                "revision": (row.revision if row else 0) + 1,
                "owner": owner,
                "lease_until": seconds_now() + lease if owner else None,
                "fence": fence,
                "attempt": 1 if owner else 0,
                "recorded": _count_uses(db, video.id),
            }
            if row:
                db.execute(sa.update(videos).where(videos.c.id == video.id).values(values))
            else:
                db.execute(sa.insert(videos).values(values))
        return Claim(video.id, owner, fence, 1) if owner else None

    def get(self, video_id: str) -> Video:
        """Return a video. Raises VideoNotFoundError."""
        with self._read() as db:
            return _get(db, video_id)

    def list(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        status: Status | None = None,
        query: str | None = None,
    ) -> Page:
        """Return videos, newest first; `query` searches the titles.

        Raises:
            InputError: The cursor is none of ours, or the limit is not 1 to 500.
        """
        if not 1 <= limit <= 500:
            raise InputError(f"The limit is {limit}.", hint="It goes from 1 to 500.")
        wanted: list[sa.ColumnElement[bool]] = []
        if status:
            wanted.append(videos.c.status == status)
        if query:
            wanted.append(videos.c.title.icontains(query, autoescape=True))
        below = list(wanted)
        if cursor:
            below.append(
                sa.tuple_(videos.c.created_at, videos.c.id)
                < sa.tuple_(*(sa.literal(v, c.type) for v, c in _at(cursor)))
            )
        newest = sa.desc(videos.c.created_at), sa.desc(videos.c.id)
        with self._read() as db:
            rows = db.execute(
                sa.select(videos).where(*below).order_by(*newest).limit(limit + 1)
            ).all()
            some = sa.select(videos.c.id).where(*wanted).limit(_COUNTED + 1).subquery()
            total = db.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
        items = tuple(_video_of(row) for row in rows[:limit])
        more = len(rows) > limit
        return Page(
            items=items,
            total=total if total <= _COUNTED else None,
            next_cursor=_cursor(items[-1]) if more else None,
        )

    def claim(self, owner: str, *, lease: float = 30, video_id: str | None = None) -> Claim | None:
        """Take the oldest pending or orphaned video (or this one), if there is one.

        A video whose last three claims made nothing new fails instead: something in it ends its
        workers.
        """
        claimable = sa.or_(
            # One with an owner was run up to a stage and waits for a person.
            sa.and_(videos.c.status == "pending", videos.c.owner.is_(None)),
            sa.and_(videos.c.status == "processing", videos.c.lease_until < seconds_now()),
        )
        oldest = sa.select(videos.c.id).where(claimable)
        if video_id:
            oldest = oldest.where(videos.c.id == video_id)
        oldest = oldest.order_by(videos.c.created_at, videos.c.id).limit(1)
        while True:
            with self._write() as db:
                found = db.execute(oldest).scalar_one_or_none()
                if found is None:
                    return None
                made = _count_uses(db, found)
                row = db.execute(
                    sa.update(videos)
                    .where(videos.c.id == found)
                    .values(
                        status="processing",
                        owner=owner,
                        lease_until=seconds_now() + lease,
                        fence=videos.c.fence + 1,
                        attempt=sa.case((videos.c.recorded < made, 1), else_=videos.c.attempt + 1),
                        recorded=made,
                        revision=videos.c.revision + 1,
                    )
                    .returning(videos.c.fence, videos.c.attempt)
                ).one()
                if row.attempt <= _ATTEMPTS:
                    return Claim(found, owner, row.fence, row.attempt)
                failure = Failure(
                    kind="JobError",
                    code="attempts_exhausted",
                    message=f"{_ATTEMPTS} attempts ended without making anything new.",
                    hint="Look into the workers' logs; `resume` starts the count again.",
                )
                _write_row(
                    db,
                    _get(db, found).model_copy(update={"status": "failed", "error": failure}),
                    {"owner": None, "lease_until": None},
                )

    def heartbeat(self, claim: Claim, *, lease: float = 30, progress: float | None = None) -> None:
        """Keep a claim. Raises ClaimLostError."""
        values: dict[str, Any] = {"lease_until": seconds_now() + lease}
        if progress is not None:
            values |= {
                "progress": progress,
                "revision": sa.case(
                    (videos.c.progress != progress, videos.c.revision + 1),
                    else_=videos.c.revision,
                ),
            }
        with self._write() as db:
            self._held(db, claim)
            db.execute(sa.update(videos).where(videos.c.id == claim.video_id).values(values))

    def save(self, video: Video, claim: Claim) -> Video:
        """Replace the video under the claim; a finished status ends it. Raises ClaimLostError."""
        ended = video.status in ("completed", "failed")
        with self._write() as db:
            self._held(db, claim)
            return _write_row(db, video, {"owner": None, "lease_until": None} if ended else {})

    def cancel(self, video_id: str) -> Video:
        """Take the video from whoever works on it and mark it cancelled; a finished one stays."""
        with self._write() as db:
            video = _get(db, video_id)
            if video.status in ("completed", "failed"):
                return video
            failure = Failure(
                kind="VideoCancelledError",
                code="cancelled",
                message="The video was cancelled.",
                hint="`resume` goes on from where it stopped.",
            )
            return _write_row(
                db,
                video.model_copy(update={"status": "failed", "error": failure}),
                {"owner": None, "lease_until": None, "fence": videos.c.fence + 1},
            )

    def delete(self, video_id: str) -> bool:
        """Remove a video, its uses of artefacts, and any claim on it; False if there was none."""
        with self._write() as db:
            db.execute(sa.delete(uses).where(uses.c.video_id == video_id))
            return bool(db.execute(sa.delete(videos).where(videos.c.id == video_id)).rowcount)

    @staticmethod
    def _held(db: sa.Connection, claim: Claim) -> None:
        held = db.execute(
            sa.select(videos.c.id).where(
                videos.c.id == claim.video_id,
                videos.c.fence == claim.fence,
                videos.c.status == "processing",
            )
        ).one_or_none()
        if held is None:
            raise ClaimLostError(
                f"Video {claim.video_id} was cancelled, deleted or taken over.",
                video_id=claim.video_id,
            )

    # -------------------------------------------------------------- the ledger's facts

    def find(self, fingerprint: str) -> Artefact | Refusal | None:
        """Return what is recorded under a fingerprint."""
        with self._read() as db:
            row = db.execute(
                sa.select(artefacts).where(artefacts.c.fingerprint == fingerprint)
            ).one_or_none()
        if row is None:
            return None
        return Refusal(**row.refusal) if row.refusal else _artefact_of(row)

    def reuse(self, fingerprint: str, use: Use, still_there: Callable[[Artefact], bool]) -> bool:
        """Record a use of a recorded artefact, if `still_there` (asked in the transaction)."""
        with self._write() as db:
            row = db.execute(
                sa.select(artefacts).where(
                    artefacts.c.fingerprint == fingerprint, artefacts.c.sha256.is_not(None)
                )
            ).one_or_none()
            if row is None or not still_there(_artefact_of(row)):
                return False
            _add_use(db, fingerprint, use)
            return True

    def take(self, fingerprint: str, owner: str, *, lease: float) -> bool:
        """Claim the making; False when another owner's claim is alive, or it is recorded by now."""
        with self._write() as db:
            recorded = sa.select(artefacts.c.fingerprint).where(
                artefacts.c.fingerprint == fingerprint
            )
            if db.execute(recorded).one_or_none():
                return False
            claim = sqlite_insert(claims).values(
                fingerprint=fingerprint, owner=owner, lease_until=seconds_now() + lease
            )
            taken = db.execute(
                claim.on_conflict_do_update(
                    index_elements=["fingerprint"],
                    set_={"owner": owner, "lease_until": seconds_now() + lease},
                    where=sa.or_(
                        claims.c.lease_until < seconds_now(),
                        claims.c.owner == owner,
                    ),
                )
            )
            return bool(taken.rowcount)

    def keep(self, fingerprint: str, owner: str, *, lease: float) -> bool:
        """Extend the claim; False when it was lost."""
        with self._write() as db:
            kept = db.execute(
                sa.update(claims)
                .where(claims.c.fingerprint == fingerprint, claims.c.owner == owner)
                .values(lease_until=seconds_now() + lease)
            )
            return bool(kept.rowcount)

    def release(self, fingerprint: str, owner: str) -> None:
        """Give the claim up."""
        with self._write() as db:
            _release(db, fingerprint, owner)

    def record(
        self,
        artefact: Artefact,
        use: Use,
        owner: str,
        still_there: Callable[[Artefact], bool],
    ) -> bool:
        """Record an artefact and its use, and give the claim up; False if its object has gone."""
        with self._write() as db:
            if not still_there(artefact):
                return False
            values = {
                **artefact.model_dump(mode="json"),
                "refusal": None,
                "used_at": seconds_now(),
            }
            db.execute(
                sqlite_insert(artefacts)
                .values(values)
                .on_conflict_do_update(index_elements=["fingerprint"], set_=values)
            )
            _add_use(db, artefact.fingerprint, use)
            _release(db, artefact.fingerprint, owner)
            return True

    def refuse(self, fingerprint: str, kind: str, refusal: Refusal, owner: str) -> None:
        """Record a refusal, and give the claim up."""
        values = {"kind": kind, "meta": {}, "refusal": refusal._asdict(), "used_at": seconds_now()}
        with self._write() as db:
            db.execute(
                sqlite_insert(artefacts)
                .values(fingerprint=fingerprint, **values)
                .on_conflict_do_update(index_elements=["fingerprint"], set_=values)
            )
            _release(db, fingerprint, owner)

    def forget(self, fingerprint: str, damaged: Callable[[Artefact], bool] | None = None) -> None:
        """Drop an artefact or a refusal; uses and calls stay.

        With `damaged`, only an artefact for which it says so, asked inside the transaction.
        """
        with self._write() as db:
            if damaged:
                row = db.execute(
                    sa.select(artefacts).where(artefacts.c.fingerprint == fingerprint)
                ).one_or_none()
                if row is None or row.refusal or not damaged(_artefact_of(row)):
                    return
            db.execute(sa.delete(artefacts).where(artefacts.c.fingerprint == fingerprint))

    def reserve(self, call: CallRecord, caps: Caps) -> int:
        """Add an attempt at its upper bound, if every cap allows it. Returns its number.

        Raises:
            BudgetExceededError: A cap could be passed; or the price is unknown and there is a cap.
        """
        now = datetime.now(UTC)
        day = now.date().isoformat()
        with self._write() as db:
            for cap, whose, where in (
                (caps.video, "this video", calls.c.video_id == call.use.video_id),
                (caps.day, "today (UTC)", calls.c.day == day),
            ):
                if cap is not None and call.bound != 0:
                    _check_cap(db, call, cap, whose, where)
            number: int = db.execute(
                sa.insert(calls)
                .values(
                    fingerprint=call.fingerprint,
                    kind=call.kind,
                    provider=call.provider,
                    model=call.model,
                    video_id=call.use.video_id,
                    scene_id=call.use.scene_id or "",
                    started_at=now,
                    day=day,
                    bound=_nanos(call.bound),
                    outcome="reserved",
                )
                .returning(calls.c.id)
            ).scalar_one()
        return number

    def settle(
        self,
        call: int,
        *,
        outcome: str,
        cost: Decimal | None,
        usage: Usage | None,
        seconds: float,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """Write down how an attempt ended: `ok`, `bad`, `failed` or `unknown`."""
        with self._write() as db:
            db.execute(
                sa.update(calls)
                .where(calls.c.id == call, calls.c.outcome == "reserved")
                .values(
                    outcome=outcome,
                    cost=_nanos(cost),
                    usage=usage.model_dump(mode="json", exclude_none=True) if usage else None,
                    seconds=seconds,
                    code=code,
                    request_id=request_id,
                )
            )

    def spent(self, video_id: str) -> Decimal | None:
        """Return the dollars settled and reserved for a video; None when a price is unknown."""
        with self._read() as db:
            return _spent(db, calls.c.video_id == video_id)

    def costs(
        self, by: Grouping, since: date | None = None, until: date | None = None
    ) -> Sequence[CostLine]:
        """Return what was spent from one day (UTC) to another, both included, to the billionth."""
        wanted = [sa.or_(_PRICE.is_(None), _PRICE != 0, calls.c.bound != 0)]
        if since:
            wanted.append(calls.c.day >= since.isoformat()[:10])
        if until:
            wanted.append(calls.c.day <= until.isoformat()[:10])
        keys, order = _GROUPINGS[by]
        with self._read() as db:
            rows = db.execute(
                sa.select(*keys, *_COSTS)
                .select_from(calls.outerjoin(videos, videos.c.id == calls.c.video_id))
                .where(*wanted)
                .group_by(*keys)
                .order_by(*order)
            ).mappings()
            return [_cost_line(row) for row in rows]

    def used(self, video_id: str) -> Sequence[tuple[Use, Artefact]]:
        """Return what a video uses."""
        with self._read() as db:
            rows = db.execute(
                sa.select(uses.c.scene_id, uses.c.take, artefacts)
                .join(artefacts, artefacts.c.fingerprint == uses.c.fingerprint)
                .where(uses.c.video_id == video_id, artefacts.c.sha256.is_not(None))
            ).all()
        return [(Use(video_id, row.scene_id or None, row.take), _artefact_of(row)) for row in rows]

    def sweep(self, *, unused_seconds: float, discard: Callable[[Artefact], None]) -> int:
        """Drop artefacts unused for so long, discarding their objects inside the transaction."""
        in_use = (
            sa.select(uses.c.fingerprint)
            .join(videos, videos.c.id == uses.c.video_id)
            .where(uses.c.fingerprint == artefacts.c.fingerprint)
        )
        old = artefacts.c.used_at < seconds_now() - unused_seconds
        with self._write() as db:
            gone = db.execute(
                sa.delete(artefacts).where(old, ~in_use.exists()).returning(artefacts)
            ).all()
            kept = {
                row.sha256
                for row in db.execute(
                    sa.select(artefacts.c.sha256).where(
                        artefacts.c.sha256.in_([row.sha256 for row in gone])
                    )
                )
            }
            for row in gone:
                if row.sha256 and row.sha256 not in kept:
                    discard(_artefact_of(row))
            return len(gone)

    def discard_unknown(self, keys: Sequence[str], discard: Callable[[str], None]) -> int:
        """Discard, inside the transaction, those objects that no artefact names."""
        digests = {PurePosixPath(key).stem: key for key in keys}
        with self._write() as db:
            known = set(
                db.execute(
                    sa.select(artefacts.c.sha256).where(artefacts.c.sha256.in_(digests))
                ).scalars()
            )
            for digest in digests.keys() - known:
                discard(digests[digest])
        return len(digests) - len(known)

    # -------------------------------------------------------------- the database itself

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with self._translated(), self._engine.begin() as db:
            yield db

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        with self._translated(), self._turn, self._writer.begin() as db:
            yield db

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except VisionPulseError:
            raise
        except (DBAPIError, sqlite3.Error) as error:
            raise _explained(self.name, getattr(error, "orig", None) or error) from error
        except OSError as error:
            raise RepositoryError(
                f"The folder of the database {self.name} cannot be used: {error.strerror}.",
                hint="Choose another with home= or VISIONPULSE_HOME.",
            ) from error

    def _migrate(self) -> None:
        with self._read() as db:
            revision = _revision(db)
        if revision == HEAD:
            return
        with _migrating, self._write() as db:
            # Another process may have done it meanwhile.
            revision = _revision(db)
            if revision is not None and revision not in REVISIONS:
                raise RepositoryError(
                    f"The database {self.name} was written by a newer VisionPulse "
                    f"(schema {revision}; this version knows up to {HEAD}).",
                    hint="Upgrade VisionPulse, or choose another database.",
                    code="database_too_new",
                )
            if revision != HEAD:
                _upgrade(db)


def _url(database: str | Path) -> sa.URL:
    if isinstance(database, Path) or "://" not in database:
        url = sa.URL.create("sqlite", database=str(database))
    else:
        try:
            url = sa.make_url(database)
        except ArgumentError as error:
            raise RepositoryError(
                "The database URL cannot be read.", hint="For example: sqlite:///visionpulse.db"
            ) from error
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise RepositoryError(
            "A database in memory cannot be shared by threads.", hint="Name a file."
        )
    if url.get_backend_name() != "sqlite":
        raise RepositoryError(
            f"Databases of the kind {url.get_backend_name()!r} are not supported.",
            hint="For example: sqlite:///visionpulse.db",
        )
    return url


def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
    # Transactions are begun by _on_begin, not by the driver, so that DDL is inside them too.
    connection.isolation_level = None
    connection.executescript(
        "pragma busy_timeout = 60000; pragma journal_mode = wal; pragma synchronous = full;"
    )


def _on_begin(connection: sa.Connection) -> None:
    # A deferred transaction that reads first and then writes fails at once under contention,
    # whatever the timeout: writers take the lock at the start.
    writes = connection.get_execution_options().get("visionpulse_writes")
    connection.exec_driver_sql("begin immediate" if writes else "begin")


def _revision(db: sa.Connection) -> str | None:
    if not sa.inspect(db).has_table("alembic_version"):
        return None
    return db.execute(sa.text("select version_num from alembic_version")).scalar_one_or_none()


def _upgrade(db: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": db})
    config.set_main_option("script_location", "visionpulse.repositories:migrations")
    command.upgrade(config, "head")


def _explained(name: str, error: BaseException) -> RepositoryError:
    text = str(error)
    if "not a database" in text or "malformed" in text:
        return RepositoryError(
            f"{name} is damaged or not a database.",
            hint="Move it away or restore a copy; the files made so far are still in the storage.",
            code="database_damaged",
        )
    if "full" in text:
        return RepositoryError(
            f"There is no space left for the database {name}.",
            hint="Free some space and resume; nothing recorded is lost.",
            code="disk_full",
        )
    if "readonly" in text or "unable to open" in text:
        return RepositoryError(
            f"The database {name} cannot be written.",
            hint="Check the folder's permissions, or choose another with home=.",
            code="not_writable",
        )
    if "locked" in text:
        return RepositoryError(
            f"The database {name} stayed locked by another program.", retryable=True, code="locked"
        )
    return RepositoryError(f"The database {name} failed: {type(error).__name__}: {text}")


# ------------------------------------------------------------------ rows and values


def _row_of(video: Video) -> dict[str, Any]:
    document = video.model_dump(mode="json", exclude={*_COLUMNS, *_LISTS, *_DERIVED})
    return {
        **{name: getattr(video, name) for name in _COLUMNS},
        **{name: [*getattr(video, name)] for name in _LISTS},
        "prompts": video.prompts,
        "image_paths": video.image_paths,
        "audio_path": video.audio_path,
        "video_path": video.video_path,
        "error_message": video.error_message,
        "document": document,
    }


def _video_of(row: sa.Row[Any]) -> Video:
    values = {name: getattr(row, name) for name in (*_COLUMNS, *_LISTS, *_DERIVED)}
    return Video.model_validate({**row.document, **values})


def _get(db: sa.Connection, video_id: str) -> Video:
    row = db.execute(sa.select(videos).where(videos.c.id == video_id)).one_or_none()
    if row is None:
        raise VideoNotFoundError(
            f"There is no video {video_id!r}.", hint="`list` shows the ids.", video_id=video_id
        )
    return _video_of(row)


def _write_row(db: sa.Connection, video: Video, job: dict[str, Any]) -> Video:
    values = _row_of(video.model_copy(update={"updated_at": datetime.now(UTC)})) | {
        "progress": video.progress,
        "revision": videos.c.revision + 1,
        **job,
    }
    db.execute(sa.update(videos).where(videos.c.id == video.id).values(values))
    return _get(db, video.id)


def _artefact_of(row: sa.Row[Any]) -> Artefact:
    return Artefact(
        fingerprint=row.fingerprint,
        kind=row.kind,
        sha256=row.sha256,
        size=row.size,
        suffix=row.suffix,
        meta=row.meta,
    )


def _count_uses(db: sa.Connection, video_id: str) -> int:
    counted = sa.select(sa.func.count()).select_from(uses).where(uses.c.video_id == video_id)
    return db.execute(counted).scalar_one()


def _add_use(db: sa.Connection, fingerprint: str, use: Use) -> None:
    db.execute(
        sqlite_insert(uses)
        .values(
            video_id=use.video_id,
            fingerprint=fingerprint,
            scene_id=use.scene_id or "",
            take=use.take,
        )
        .on_conflict_do_nothing()
    )
    db.execute(
        sa.update(artefacts)
        .where(artefacts.c.fingerprint == fingerprint)
        .values(used_at=seconds_now())
    )


def _release(db: sa.Connection, fingerprint: str, owner: str) -> None:
    db.execute(
        sa.delete(claims).where(claims.c.fingerprint == fingerprint, claims.c.owner == owner)
    )


def _cursor(video: Video) -> str:
    return base64.urlsafe_b64encode(f"{video.created_at.isoformat()}|{video.id}".encode()).decode()


def _at(cursor: str) -> list[tuple[Any, sa.Column[Any]]]:
    try:
        created, video_id = base64.urlsafe_b64decode(cursor).decode().split("|")
        return [(datetime.fromisoformat(created), videos.c.created_at), (video_id, videos.c.id)]
    except ValueError as error:
        raise InputError(
            "The cursor is not one this list gave out.", hint="Start again without one."
        ) from error


# ------------------------------------------------------------------ money


def _nanos(dollars: Decimal | None) -> int | None:
    return None if dollars is None else int((dollars * _NANOS).to_integral_value())


# An unsettled attempt, or one whose outcome nobody knows, counts in full.
_PRICE: sa.ColumnElement[int | None] = sa.func.coalesce(calls.c.cost, calls.c.bound)
_UNKNOWN: sa.ColumnElement[bool] = calls.c.outcome.in_(["unknown", "reserved"])


def _sum(
    values: sa.ColumnElement[Any], where: sa.ColumnElement[bool] | None = None
) -> sa.ColumnElement[Any]:
    total = sa.func.sum(values)
    return sa.func.coalesce(total if where is None else total.filter(where), 0)


_COSTS: tuple[sa.Label[Any], ...] = (
    sa.func.count().label("calls"),
    sa.func.count().filter(calls.c.outcome.in_(["failed", "bad"])).label("failed"),
    sa.func.count().filter(_UNKNOWN).label("unknown"),
    sa.func.count().filter(_PRICE.is_(None)).label("unpriced"),
    _sum(_PRICE).label("known"),
    _sum(_PRICE, _UNKNOWN).label("doubtful"),
    *(
        _sum(calls.c.usage[name].as_integer()).label(name)
        for name in ("input_tokens", "output_tokens", "characters")
    ),
    sa.func.count().filter(calls.c.kind == "picture", calls.c.outcome == "ok").label("pictures"),
)
# What is grouped by, and in which order it comes.
_GROUPINGS: Mapping[Grouping, tuple[Sequence[sa.Label[Any]], Sequence[Any]]] = {
    "day": ([calls.c.day.label("key")], [calls.c.day]),
    "video": (
        [calls.c.video_id.label("key"), videos.c.title.label("title")],
        [sa.func.min(calls.c.id)],
    ),
    "model": (
        [calls.c.model.label("key"), calls.c.provider.label("provider")],
        [calls.c.provider, calls.c.model],
    ),
}


def _cost_line(row: sa.RowMapping) -> CostLine:
    counts = dict(row)
    unpriced = counts.pop("unpriced")
    known, doubtful = (Decimal(counts.pop(name)) / _NANOS for name in ("known", "doubtful"))
    return CostLine(**counts, known=known, doubtful=doubtful, dollars=None if unpriced else known)


def _spent(db: sa.Connection, where: sa.ColumnElement[bool]) -> Decimal | None:
    total, unknown = db.execute(
        sa.select(_sum(_PRICE), sa.func.count().filter(_PRICE.is_(None))).where(where)
    ).one()
    return None if unknown else Decimal(total) / _NANOS


def _check_cap(
    db: sa.Connection,
    call: CallRecord,
    cap: Decimal,
    whose: str,
    where: sa.ColumnElement[bool],
) -> None:
    facts: dict[str, Any] = {
        "cap": str(cap),
        "video_id": call.use.video_id,
        "scene": call.use.scene,
    }
    if call.bound is None:
        raise unknown_price(call.provider, call.model, f"${cap} for {whose}", **facts)
    spent = _spent(db, where)
    if spent is None or spent + call.bound > cap:
        known = "an unknown amount" if spent is None else f"${spent:.4f}"
        raise BudgetExceededError(
            f"The next {call.kind} call could cost ${call.bound:.4f}, and {known} of the cap of "
            f"${cap} for {whose} is spent or reserved.",
            hint="Everything bought so far is kept: raise the cap and resume.",
            spent=str(spent),
            **facts,
        )
