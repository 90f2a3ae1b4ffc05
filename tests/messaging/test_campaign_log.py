"""The log of a campaign finds somebody, a reason or a text without walking the campaign."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import event

from app.core.db import db
from app.messaging.queries import campaign_log
from app.messaging.queries.campaign_log import Cursor, Wanted
from tests.messaging.campaign import House, house, number_of, twilio
from tests.messaging.test_lanes import make_lane

__all__ = ["house", "twilio"]


@pytest.fixture
def campaign_id(house, twilio) -> int:
    """Three got their message, two said no."""
    for state in ("granted", "denied", "granted", "denied", "granted"):
        house.people(1, state=state, name_key="same name", name="Same Name")
    made = house.campaign(house.segment())
    house.launch(made)
    return made


@pytest.fixture
def reads(campaign_id):
    """Statements on messages from here on, with their parameters."""
    found = []

    def note(_connection, _cursor, statement, parameters, *_rest):
        if "FROM messages" in statement and not statement.startswith("EXPLAIN"):
            found.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    yield found
    event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    "wanted", [Wanted(q="Nobody"), Wanted(reason="holdout"), Wanted(variant_id=999), Wanted("failed", "no_consent")]
)
def test_where_nothing_is_like_this_no_message_is_read(campaign_id, reads, wanted):
    assert campaign_log.page_of(campaign_id, wanted) == ([], None)
    assert reads == []


def test_a_reason_is_looked_for_in_the_states_that_have_it(campaign_id, reads):
    lines, more = campaign_log.page_of(campaign_id, Wanted(reason="no_consent"))
    assert ([line.row.reason for line in lines], more) == (["no_consent"] * 2, None)
    assert len(reads) == 1


def test_somebody_is_found_by_their_own_row(campaign_id, reads):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("The other database has plans of its own.")
    lines, _ = campaign_log.page_of(campaign_id, Wanted(q=number_of(1)))
    assert [line.row.address for line in lines] == [number_of(1)]
    [(statement, parameters)] = reads
    plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    assert "uq_messages_profile_id_campaign_id" in " ".join(row[3] for row in plan)


def test_people_who_are_found_are_paged_in_the_order_of_the_log(campaign_id, monkeypatch):
    monkeypatch.setattr(campaign_log, "PAGE", 2)
    whole = [line.row.id for lines in campaign_log.each(campaign_id, Wanted()) for line in lines]
    seen, after = [], None
    while True:
        lines, after = campaign_log.page_of(campaign_id, Wanted(q="same"), after)
        seen += [line.row.id for line in lines]
        if after is None:
            break
        after = Cursor.read(str(after))
    assert seen == whole
    assert len(seen) == 5
    assert [len(page) for page in campaign_log.each(campaign_id, Wanted("skipped", q="same"))] == [2]


@pytest.mark.parametrize("name", ["messages", "messages.csv"])
def test_what_a_worker_has_in_hand_is_found_by_its_text(client, member, in_tenant, twilio, run_jobs, name):
    with in_tenant(member.tenant_id):
        house = House(run_jobs)
        house.people(3)
        lane = make_lane(house, house.campaign(house.segment()))
        lane.top_up(time.monotonic())
        first, *_ = house.messages(lane.plan.campaign_id)
        assert first.state == "claimed"
        found = f"/app/campaigns/{first.campaign_id}/{name}?variant={first.variant_id}"
    shown = client.get(found).text
    assert [number_of(n) in shown for n in (1, 2, 3)] == [True] * 3
