"""What is asked every few seconds, whatever the size of the table, is answered from the index of what is in hand."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import event

from app.core.db import db
from app.core.tenancy import platform_scope
from app.messaging.services import gate, gate_closing, reconciling
from tests.messaging.campaign import house, twilio
from tests.messaging.test_lanes import make_lane

__all__ = ["house", "twilio"]


@pytest.fixture
def asked(app_context):
    """Every statement on messages meanwhile, with its parameters."""
    statements = []

    def note(_connection, _cursor, statement, parameters, *_rest):
        if " messages" in statement and not statement.startswith(("INSERT", "EXPLAIN")):
            statements.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    yield statements
    event.remove(db.engine, "before_cursor_execute", note)


def test_nobody_reads_every_message_to_find_those_in_hand(house, member, asked, settings_override):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("The other database has plans of its own.")
    house.people(1)
    house.rules(caps=[{"channel": "sms", "most": 1, "days": 7}])
    lane = make_lane(house, house.campaign(house.segment()))
    lane.top_up(time.monotonic())
    settings_override(message_claim_seconds=0.001)
    del asked[:]
    reconciling.mark_lost()
    assert reconciling.reconcile() == 1
    lane.top_up(time.monotonic())
    gate_closing._wait_for_claims([gate.Place(member.tenant_id, "+4915112345678")], "sms", time.monotonic())
    seen = list(asked)
    assert len(seen) > 5
    with platform_scope():
        for statement, parameters in seen:
            plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            assert "SCAN messages" not in " ".join(row[3] for row in plan), statement
