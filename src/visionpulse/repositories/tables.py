"""The database's tables, as the code sees them; `migrations` holds how they came to be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

HEAD = "0001"
REVISIONS: tuple[str, ...] = ("0001",)

metadata: sa.MetaData = sa.MetaData()


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware time in UTC, in databases that forget the zone too."""

    impl: sa.types.TypeEngine[datetime] = sa.DateTime(timezone=True)
    cache_ok: bool | None = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Store as UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None or value.tzinfo:
            return value
        return value.replace(tzinfo=UTC)


class seconds_now(FunctionElement[float]):  # noqa: N801  an SQL function is written small
    """The database's clock in seconds since 1970: leases must not depend on the workers' clocks."""

    type: sa.Float[float] = sa.Float()
    inherit_cache: bool | None = True


@compiles(seconds_now)
def _seconds_now(element: Any, compiler: Any, **_: Any) -> str:
    return "extract(epoch from clock_timestamp())"


@compiles(seconds_now, "sqlite")
def _seconds_now_sqlite(element: Any, compiler: Any, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


videos: sa.Table = sa.Table(
    "videos",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("script", sa.Text, nullable=False),
    sa.Column("style", sa.Text, nullable=False),
    sa.Column("voice", sa.Text, nullable=False),
    sa.Column("keywords", sa.JSON, nullable=False),
    sa.Column("negative_keywords", sa.JSON, nullable=False),
    sa.Column("prompts", sa.JSON, nullable=False),
    sa.Column("image_paths", sa.JSON, nullable=False),
    sa.Column("audio_path", sa.Text),
    sa.Column("video_path", sa.Text),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("error_message", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("progress", sa.Float, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("lease_until", sa.Float),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("recorded", sa.Integer, nullable=False),
    sa.CheckConstraint(
        "status in ('pending', 'processing', 'completed', 'failed')", name="videos_status"
    ),
    sa.Index("videos_newest", "created_at", "id"),
    sa.Index("videos_by_status", "status", "created_at", "id"),
)

artefacts: sa.Table = sa.Table(
    "artefacts",
    metadata,
    sa.Column("fingerprint", sa.String(64), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64)),
    sa.Column("size", sa.BigInteger),
    sa.Column("suffix", sa.Text),
    sa.Column("meta", sa.JSON, nullable=False),
    sa.Column("refusal", sa.JSON),
    sa.Column("used_at", sa.Float, nullable=False),
    sa.Index("artefacts_by_object", "sha256"),
)

uses: sa.Table = sa.Table(
    "uses",
    metadata,
    sa.Column("video_id", sa.String(32), primary_key=True),
    sa.Column("fingerprint", sa.String(64), primary_key=True),
    sa.Column("scene_id", sa.Text, primary_key=True),
    sa.Column("take", sa.Integer, primary_key=True),
    sa.Index("uses_of_artefact", "fingerprint"),
)

calls: sa.Table = sa.Table(
    "calls",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("video_id", sa.String(32), nullable=False),
    sa.Column("scene_id", sa.Text, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("day", sa.String(10), nullable=False),
    # Billionths of a dollar: sums are exact in every database.
    sa.Column("bound", sa.BigInteger),
    sa.Column("cost", sa.BigInteger),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("code", sa.Text),
    sa.Column("request_id", sa.Text),
    sa.Column("usage", sa.JSON),
    sa.Column("seconds", sa.Float),
    sa.Index("calls_of_video", "video_id"),
    sa.Index("calls_of_day", "day"),
)

claims: sa.Table = sa.Table(
    "claims",
    metadata,
    sa.Column("fingerprint", sa.String(64), primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("lease_until", sa.Float, nullable=False),
)
