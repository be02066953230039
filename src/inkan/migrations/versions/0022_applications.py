"""Applications of organisations, announced load tests, imports from the sandbox, and whose a system is."""

import sqlalchemy as sa
from alembic import op

revision = "0022_applications"
down_revision = "0021_sandbox"


def upgrade() -> None:
    op.add_column("relying_parties_organisation", sa.Column("owner", sa.String))
    op.add_column("relying_parties_organisation", sa.Column("number", sa.String(32)))
    op.add_column("relying_parties_system", sa.Column("application", sa.String(40)))
    op.create_table(
        "relying_parties_application",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("draft", sa.LargeBinary, nullable=False),
        sa.Column("hands", sa.Text, nullable=False),
        sa.Column("form_sha256", sa.String(43), nullable=False),
        sa.Column("consent_sha256", sa.String(43), nullable=False),
        sa.Column("seal", sa.LargeBinary),
        sa.Column("seal_facts", sa.Text),
        sa.Column("reason", sa.LargeBinary),
        sa.Column("proposal", sa.String(40), nullable=False),
        sa.Column("reviewers", sa.Text, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_relying_parties_application"),
    )
    op.create_index(
        "ix_relying_parties_application_owner", "relying_parties_application", ["owner"]
    )
    op.create_index(
        "ix_relying_parties_application_changed_at", "relying_parties_application", ["changed_at"]
    )
    op.create_table(
        "relying_parties_window",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("begins_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("rate", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("announced_by", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_relying_parties_window"),
        sa.ForeignKeyConstraint(
            ["system"],
            ["relying_parties_system.id"],
            name="fk_relying_parties_window_system",
        ),
    )
    op.create_index("ix_relying_parties_window_system", "relying_parties_window", ["system"])
    op.create_index("ix_relying_parties_window_ends_at", "relying_parties_window", ["ends_at"])
    op.create_table(
        "relying_parties_import",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("jws_sha256", sa.String(43), nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("imported_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_relying_parties_import"),
        sa.ForeignKeyConstraint(
            ["system"],
            ["relying_parties_system.id"],
            name="fk_relying_parties_import_system",
        ),
    )
    op.create_index("ix_relying_parties_import_system", "relying_parties_import", ["system"])


def downgrade() -> None:
    op.drop_table("relying_parties_import")
    op.drop_table("relying_parties_window")
    op.drop_table("relying_parties_application")
    op.drop_column("relying_parties_system", "application")
    op.drop_column("relying_parties_organisation", "number")
    op.drop_column("relying_parties_organisation", "owner")
