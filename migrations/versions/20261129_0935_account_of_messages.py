"""messages.account: by which account it was handed over, so that no other is asked what became of it."""

import sqlalchemy as sa
from alembic import op

revision = "0012account"
down_revision = "0011singles"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("account", sa.String(40), nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "account")
