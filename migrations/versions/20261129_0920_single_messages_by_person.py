"""single messages by person: found when the person is erased, whether they left or not."""

import sqlalchemy as sa
from alembic import op

revision = "0011singles"
down_revision = "0010bystate"
branch_labels = None
depends_on = None

NAME = "ix_messages_profile_id_alone"


def upgrade() -> None:
    where = sa.text("campaign_id IS NULL AND profile_id IS NOT NULL")
    op.create_index(NAME, "messages", ["profile_id"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index(NAME, "messages")
