"""message ids of events: an index of those there are."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0007messageids"
down_revision = "0006origins"
branch_labels = None
depends_on = None

NAME = "uq_events_tenant_id_message_id"
COLUMNS = ["tenant_id", "message_id"]
LAST_ID = sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'events'")


@contextmanager
def changed_table() -> Iterator[BatchOperations]:
    """On SQLite the table is copied, since a constraint cannot be taken off it; ids given out stay given out."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    last = op.get_bind().scalar(LAST_ID) if is_sqlite else None
    with op.batch_alter_table("events", table_kwargs={"sqlite_autoincrement": True}) as batch:
        yield batch
    if last is not None:
        op.get_bind().execute(sa.text("DELETE FROM sqlite_sequence WHERE name = 'events'"))
        row = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', :last)")
        op.get_bind().execute(row, {"last": last})


def upgrade() -> None:
    with changed_table() as batch:
        batch.drop_constraint(NAME, type_="unique")
    given = sa.text("message_id IS NOT NULL")
    op.create_index(NAME, "events", COLUMNS, unique=True, sqlite_where=given, postgresql_where=given)


def downgrade() -> None:
    op.drop_index(NAME, "events")
    with changed_table() as batch:
        batch.create_unique_constraint(NAME, COLUMNS)
