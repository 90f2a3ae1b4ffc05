"""counts by minute and country: what happened to messages, in finer parts and by where they went."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

revision = "0009finercounts"
down_revision = "0008idsonce"
branch_labels = None
depends_on = None

PARTS = ("m0", "m1", "m2", "m3", "m4")
QUARTER = 900
OUTCOMES = {
    "sent": ("sent_at", ("queued", "sent", "delivered", "read", "undelivered")),
    "delivered": ("delivered_at", ("delivered", "read")),
    "undelivered": ("ended_at", ("undelivered",)),
    "failed": ("ended_at", ("failed",)),
}
TIMES = ("sent_at", "delivered_at", "ended_at")
messages = sa.table(
    "messages", *map(sa.column, ("tenant_id", "campaign_id", "address", "state")),
    *(sa.column(name, sa.DateTime(timezone=True)) for name in TIMES),
)  # fmt: skip
counts = sa.table(
    "country_counts", *map(sa.column, ("tenant_id", "campaign_id", "code", "outcome", "n")),
    sa.column("at", sa.DateTime(timezone=True)),
)  # fmt: skip


def upgrade() -> None:
    """Messages of before are counted by country from their rows, by one reading of them for each of four outcomes."""
    for name in PARTS:
        op.add_column("delivery_counts", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "country_counts",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=4), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_country_counts_tenant_id_tenants"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "at", "campaign_id", "code", "outcome", name=op.f("pk_country_counts")
        ),
    )  # fmt: skip
    for outcome in OUTCOMES:
        rows = list(_rows(outcome))
        for start in range(0, len(rows), 1000):
            op.get_bind().execute(counts.insert(), rows[start : start + 1000])


def _rows(outcome: str) -> Iterator[dict[str, Any]]:
    name, states = OUTCOMES[outcome]
    at, prefix = messages.c[name], sa.func.substr(messages.c.address, 1, 4)
    quarter = sa.cast(sa.func.floor(sa.extract("epoch", at)), sa.BigInteger) // sa.literal(QUARTER, sa.BigInteger)
    if op.get_bind().dialect.name == "sqlite":
        quarter = sa.cast(sa.extract("epoch", at), sa.BigInteger) // sa.literal(QUARTER, sa.BigInteger)
    by = (messages.c.tenant_id, sa.func.coalesce(messages.c.campaign_id, 0), quarter, prefix)
    found: Counter[tuple[int, int, int, str]] = Counter()
    for tenant_id, campaign_id, number, begins, n in op.get_bind().execute(
        sa.select(*by, sa.func.count()).where(messages.c.state.in_(states), at.is_not(None)).group_by(*by)
    ):
        found[tenant_id, campaign_id, number, _code(begins)] += n
    for (tenant_id, campaign_id, number, code), n in found.items():
        moment = datetime.fromtimestamp(number * QUARTER, UTC)
        yield {
            "tenant_id": tenant_id, "campaign_id": campaign_id, "code": code, "outcome": outcome, "n": n,
            "at": moment.replace(tzinfo=None) if op.get_bind().dialect.name == "sqlite" else moment,
        }  # fmt: skip


def _code(begins: str) -> str:
    for length in (1, 2, 3):
        digits = begins[1 : 1 + length]
        if digits.isdecimal() and int(digits) in COUNTRY_CODE_TO_REGION_CODE:
            return f"+{digits}"
    return ""


def downgrade() -> None:
    op.drop_table("country_counts")
    for name in PARTS:
        op.drop_column("delivery_counts", name)
