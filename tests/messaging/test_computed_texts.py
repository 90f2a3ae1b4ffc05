"""Texts that say figures counted from events."""

from __future__ import annotations

from sqlalchemy import event as hooks

from app.cdp.services import recording
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from tests.messaging.campaign import house, twilio

__all__ = ["house", "twilio"]
OF_PEOPLE = "events.profile_id IN"


def bought(profile_id: int, *amounts: float) -> list[recording.Fact]:
    return [
        recording.Fact(profile_id, "purchase", utc_now(), f"{profile_id}-{place}", {"amount": amount})
        for place, amount in enumerate(amounts)
    ]


def test_each_reads_their_own_figure_and_a_batch_of_people_is_read_at_once(house, twilio):
    ids = house.people(40)
    segment_id = house.segment()
    with unit_of_work():
        recording.record([fact for place, one in enumerate(ids[1:]) for fact in bought(one, place, 0.5)])
    campaign_id = house.campaign(segment_id, house.template("You spent {total_purchases} with us."))
    asked: list[str] = []

    def note(_link, _cursor, statement, *_rest):
        asked.extend([statement] if OF_PEOPLE in statement else [])

    hooks.listen(db.engine, "before_cursor_execute", note)
    try:
        house.launch(campaign_id)
    finally:
        hooks.remove(db.engine, "before_cursor_execute", note)

    said = sorted(call["body"]["Body"] for call in twilio.received("twilio") if "Body" in call["body"])
    assert said == sorted(f"You spent {place + 0.5:g} with us." for place in range(39))
    assert house.reasons(campaign_id)[ids[0]] == "missing_variable"
    assert 0 < len(asked) <= 2, "not once for each of forty people"
