"""messages by state: what is on its way or was read, found without reading everything that was delivered."""

import sqlalchemy as sa
from alembic import op

revision = "0010bystate"
down_revision = "0009finercounts"
branch_labels = None
depends_on = None

NAME = "ix_messages_tenant_id_state_sent_at"


def upgrade() -> None:
    where = sa.text("state IN ('queued', 'sent', 'read', 'cancelled') AND sent_at IS NOT NULL")
    op.create_index(
        NAME, "messages", ["tenant_id", "state", "sent_at", "id"], sqlite_where=where, postgresql_where=where
    )


def downgrade() -> None:
    op.drop_index(NAME, "messages")
