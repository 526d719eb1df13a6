"""Videos, artefacts, uses, calls and claims."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "videos",
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
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
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
    )
    op.create_index("videos_newest", "videos", ["created_at", "id"])
    op.create_index("videos_by_status", "videos", ["status", "created_at", "id"])
    op.create_table(
        "artefacts",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64)),
        sa.Column("size", sa.BigInteger),
        sa.Column("suffix", sa.Text),
        sa.Column("meta", sa.JSON, nullable=False),
        sa.Column("refusal", sa.JSON),
        sa.Column("used_at", sa.Float, nullable=False),
    )
    op.create_index("artefacts_by_object", "artefacts", ["sha256"])
    op.create_table(
        "uses",
        sa.Column("video_id", sa.String(32), primary_key=True),
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("scene_id", sa.Text, primary_key=True),
        sa.Column("take", sa.Integer, primary_key=True),
    )
    op.create_index("uses_of_artefact", "uses", ["fingerprint"])
    op.create_table(
        "calls",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("video_id", sa.String(32), nullable=False),
        sa.Column("scene_id", sa.Text, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        # Billionths of a dollar: sums are exact in every database.
        sa.Column("bound", sa.BigInteger),
        sa.Column("cost", sa.BigInteger),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("request_id", sa.Text),
        sa.Column("usage", sa.JSON),
        sa.Column("seconds", sa.Float),
    )
    op.create_index("calls_of_video", "calls", ["video_id"])
    op.create_index("calls_of_day", "calls", ["day"])
    op.create_table(
        "claims",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("lease_until", sa.Float, nullable=False),
    )
