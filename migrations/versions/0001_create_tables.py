"""create tables"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite numbers rows by itself only in a column typed exactly INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sites",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sites"),
        sa.UniqueConstraint("key", name="uq_sites_key"),
    )
    op.create_table(
        "widgets",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_widgets"),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_notices_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.UniqueConstraint("hash", name="uq_notices_hash"),
    )
    op.create_table(
        "publications",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_publications_notice_id"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_publications_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_publications"),
    )
    op.create_index("ix_publications_site_id_id", "publications", ["site_id", "id"])
    op.create_table(
        "decisions",
        sa.Column("id", BigId, nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.LargeBinary(16), nullable=False),
        sa.Column("receipt_id", sa.LargeBinary(16), nullable=False),
        sa.Column("visitor", sa.LargeBinary(16), nullable=True),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("change", sa.Boolean(), nullable=False),
        sa.Column("gpc", sa.Boolean(), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("granted", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_decisions_notice_id"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_decisions_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sa.UniqueConstraint("receipt_id", name="uq_decisions_receipt_id"),
        sa.UniqueConstraint("site_id", "decision_id", name="uq_decisions_site_id_decision_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_decisions_site_id_id", "decisions", ["site_id", "id"])
    op.create_index(
        "ix_decisions_visitor",
        "decisions",
        ["visitor"],
        sqlite_where=sa.text("visitor IS NOT NULL"),
        postgresql_where=sa.text("visitor IS NOT NULL"),
    )
    op.create_table(
        "shown",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("device", sa.String(8), nullable=False),
        sa.Column("count", BigId, nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_shown_notice_id"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_shown_site_id"),
        sa.PrimaryKeyConstraint("site_id", "notice_id", "day", "language", "device", name="pk_shown"),
    )


def downgrade() -> None:
    for table in ("shown", "decisions", "publications", "notices", "widgets", "sites"):
        op.drop_table(table)
