"""Messages of before are counted by country when the counts begin, on either database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.migrations.test_both_databases import flask

GROUP = [pytest.mark.slow, pytest.mark.xdist_group("postgres")]
AT = datetime(2026, 11, 3, 10, 22, 30, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=GROUP)])
def address(request, tmp_path: Path) -> str:
    """An empty database."""
    return f"sqlite:///{tmp_path}/parley.db" if request.param == "sqlite" else request.getfixturevalue("postgres")


def test_messages_sent_before_are_counted_by_country_and_quarter(address):
    flask("upgrade", "0008idsonce", DATABASE_URL=address)
    engine = sa.create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as link:
        tables = sa.MetaData()
        tables.reflect(link, only=["tenants", "messages"])
        tenants, messages = tables.tables["tenants"], tables.tables["messages"]
        made = {"is_demo": False, "created_at": AT, "updated_at": AT}
        link.execute(tenants.insert(), [{"id": 1, "name": "A", "slug": "a"} | made])
        shared = {
            "tenant_id": 1, "variant_id": 0, "channel": "sms", "sender": "", "reason": "", "due_at": AT, "attempts": 1,
            "segments": 1, "created_at": AT, "sent_at": None, "delivered_at": None, "ended_at": None,
        }  # fmt: skip
        later = AT + timedelta(minutes=10)
        link.execute(messages.insert(), [shared | {"address": address} | values for address, values in (
            ("+4915112345678", {"state": "delivered", "sent_at": AT, "delivered_at": later, "ended_at": later}),
            ("+4930123456", {"state": "queued", "sent_at": AT}),
            ("+14155550123", {"state": "undelivered", "sent_at": AT, "ended_at": AT}),
            ("+3586012345", {"state": "failed", "ended_at": AT}),
            ("", {"state": "read", "sent_at": AT, "delivered_at": AT, "ended_at": AT}),
            ("+4915112345679", {"state": "skipped"}),
        )])  # fmt: skip
    flask("upgrade", DATABASE_URL=address)
    with engine.begin() as link:
        rows = link.execute(sa.text("SELECT code, outcome, n, at FROM country_counts WHERE campaign_id = 0")).all()
    assert sorted((code, outcome, n) for code, outcome, n, _ in rows) == [
        ("", "delivered", 1), ("", "sent", 1), ("+1", "sent", 1), ("+1", "undelivered", 1), ("+358", "failed", 1),
        ("+49", "delivered", 1), ("+49", "sent", 2),
    ]  # fmt: skip
    quarters = {(code, outcome): str(at)[11:16] for code, outcome, _, at in rows}
    assert (quarters["+49", "sent"], quarters["+49", "delivered"]) == ("10:15", "10:30")
    engine.dispose()
