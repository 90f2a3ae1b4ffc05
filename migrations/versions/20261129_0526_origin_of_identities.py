"""origin of identities."""

import sqlalchemy as sa
from alembic import op

revision = "0006origins"
down_revision = "0005webhooks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    origin = sa.Column("origin_profile_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    op.add_column("identities", origin)


def downgrade() -> None:
    op.drop_column("identities", "origin_profile_id")
