"""Messages outside campaigns, a test and a text asked for by a program, and the person they are to."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

from app.cdp import personal_data as customer_data
from app.core.db import unit_of_work
from app.messaging import personal_data
from app.messaging.models import Message
from tests.messaging.campaign import house, twilio
from tests.messaging.test_lanes import make_lane
from tests.messaging.test_whatsapp_templates import ANN, ann, shop

__all__ = ["ann", "house", "shop", "twilio"]


def messages(in_tenant, tenant_id) -> list[dict]:
    from sqlalchemy import select

    from app.core.db import db

    table = Message.__table__
    with in_tenant(tenant_id):
        return [dict(row) for row in db.session.execute(select(table).order_by(table.c.id)).mappings()]


def test_what_waits_for_somebody_who_is_erased_is_not_sent(shop, ann, in_tenant):
    shop.approved()
    shop.send(day="Monday")
    assert shop.client.delete(f"/api/v1/cdp/profiles/{ann}").status_code == 204
    shop.run_jobs()
    assert shop.sent() == []
    [row] = messages(in_tenant, shop.tenant_id)
    assert (row["state"], row["reason"]) == ("skipped", "gone")


def test_nothing_of_an_erased_person_stays_in_a_message_that_was_refused(shop, ann, twilio, in_tenant):
    shop.approved()
    twilio.fault("twilio", "status_400", path="*/Messages.json", code=63024, times=9)
    shop.send(day="Monday at her own house")
    shop.run_jobs()
    with in_tenant(shop.tenant_id):
        [told] = personal_data.export(ann)["messages"]
    assert (told["state"], told["address"]) == ("failed", ANN)
    assert "own house" in told["body"]
    assert shop.client.delete(f"/api/v1/cdp/profiles/{ann}").status_code == 204
    [row] = messages(in_tenant, shop.tenant_id)
    assert (row["state"], row["profile_id"], row["address"]) == ("failed", None, "")
    assert "own house" not in json.dumps(row, default=str)


def test_words_in_the_air_do_not_come_back_after_an_erasure(house, twilio):
    (person,) = house.people(1)
    lane = make_lane(house, house.campaign(house.segment(), house.template("Hello {name}", "Named")))
    twilio.fault("twilio", "slow", path="*/Messages.json", seconds=0.8)
    with ThreadPoolExecutor(2) as pool:
        lane.top_up(time.monotonic())
        lane.launch(pool, 10, time.monotonic())
        with unit_of_work():
            customer_data.erase(person)
        while lane.flying:
            lane.collect()
    lane.write(time.monotonic(), at_once=True)
    [row] = house.messages(lane.plan.campaign_id)
    assert (row.state, row.profile_id, row.address, row.body) == ("queued", None, "", None)
    assert house.tallies_add_up(lane.plan.campaign_id)
