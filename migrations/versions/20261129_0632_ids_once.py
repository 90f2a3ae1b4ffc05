"""ids once: tables that an earlier migration copied count their ids again on SQLite."""

import sqlalchemy as sa
from alembic import op

revision = "0008idsonce"
down_revision = "0007messageids"
branch_labels = None
depends_on = None

TABLES = ("tenants", "users", "memberships")


def upgrade() -> None:
    """Without AUTOINCREMENT, SQLite gives a deleted row's id to the next one; a late job would find a stranger."""
    bind = op.get_bind()
    if bind.dialect.name != "sqlite":
        return
    for name in TABLES:
        made = bind.scalar(
            sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name"), {"name": name}
        )
        if made is not None and "AUTOINCREMENT" not in made:
            with op.batch_alter_table(name, recreate="always", table_kwargs={"sqlite_autoincrement": True}):
                pass


def downgrade() -> None:
    """Nothing to undo: the tables are as their first migration made them."""
