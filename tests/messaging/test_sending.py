"""A campaign from launch to its end: everyone has a row, who may gets one message, who may not has a reason."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import select, update

from app.cdp.models import Identity, Profile
from app.cdp.services import consent, merge_undo, merges
from app.core.clock import utc_now
from app.core.db import unit_of_work
from app.core.errors import InvalidTransition
from app.messaging.models import Message, Suppression
from app.messaging.services import campaigns, recipients, reconciling
from tests.messaging.campaign import house, number_of, twilio

__all__ = ["house", "twilio"]


def test_a_campaign_writes_once_to_everyone_who_agreed(house, twilio):
    ids = house.people(150)
    campaign_id = house.campaign(house.segment())
    house.launch(campaign_id)

    sent = [call["body"] for call in twilio.received("twilio") if call["path"].endswith("Messages.json")]
    assert len(sent) == 150
    assert Counter(house.reasons(campaign_id).values()) == {"queued": 150}
    assert {one.profile_id for one in house.messages(campaign_id)} == set(ids)
    assert house.load(campaign_id).state == "completed"
    assert house.tallies_add_up(campaign_id)


def test_everyone_who_is_not_written_to_has_a_row_with_the_reason(house):
    (fine,) = house.people(1)
    (no_phone,) = house.people(1, phone="")
    (said_no,) = house.people(1, state="denied")
    (never_asked,) = house.people(1, state="unknown")
    (bad,) = house.people(1)
    (often,) = house.people(1)
    (twin,) = house.people(1, phone=number_of(1))
    house.rules(caps=[{"channel": "sms", "most": 2, "days": 7}])
    house.sent_earlier(often, 2)
    with unit_of_work() as session:
        session.add(Suppression(channel="sms", address=number_of(5), reason="bad_number"))
    campaign_id = house.campaign(house.segment())
    house.launch(campaign_id)

    assert house.reasons(campaign_id) == {
        fine: "queued", no_phone: "no_phone", said_no: "no_consent", never_asked: "no_consent", bad: "bad_number",
        often: "cap_reached", twin: "duplicate_number",
    }  # fmt: skip
    assert house.tallies_add_up(campaign_id)


def test_a_holdout_is_drawn_from_those_who_could_be_written_to_and_variants_share_the_rest(house):
    house.people(400)
    texts = [house.template(f"Text {letter}", letter) for letter in "AB"]
    campaign_id = house.campaign(house.segment(), *texts, holdout_percent=25)
    house.launch(campaign_id)

    reasons = Counter(house.reasons(campaign_id).values())
    assert 70 <= reasons["holdout"] <= 130
    assert reasons["holdout"] + reasons["queued"] == 400
    variants = Counter(one.variant_id for one in house.messages(campaign_id) if one.state == "queued")
    assert len(variants) == 2
    assert min(variants.values()) > 100
    assert house.tallies_add_up(campaign_id)


def test_two_launches_are_one(house, twilio):
    house.people(20)
    campaign_id = house.campaign(house.segment())
    with unit_of_work():
        campaigns.launch(campaign_id)
    with pytest.raises(InvalidTransition), unit_of_work():
        campaigns.launch(campaign_id)
    house.run_jobs()
    assert len(house.messages(campaign_id)) == 20
    assert twilio.messages()["messages"] == 20


def test_quiet_hours_hold_people_back_until_their_own_morning(house):
    (here,) = house.people(1, traits={"timezone": "Etc/GMT+0"})
    (far,) = house.people(1, traits={"timezone": "Etc/GMT-12"})
    minute = utc_now().hour * 60 + utc_now().minute
    clock = [f"{(minute + ahead) // 60 % 24:02d}:{(minute + ahead) % 60:02d}" for ahead in (720 - 60, 720 + 60)]
    campaign_id = house.campaign(house.segment(), quiet_start=clock[0], quiet_end=clock[1])
    house.launch(campaign_id)

    assert house.reasons(campaign_id) == {here: "queued", far: "quiet_hours"}
    held = next(one for one in house.messages(campaign_id) if one.profile_id == far)
    assert held.state == "pending"
    assert 55 * 60 < (held.due_at - utc_now()).total_seconds() < 65 * 60
    assert house.load(campaign_id).state == "running"
    assert house.tallies_add_up(campaign_id)


def test_somebody_who_said_stop_after_the_freezing_is_not_written_to(house, twilio):
    first, second = house.people(2)
    campaign_id = house.campaign(house.segment())
    with unit_of_work():
        campaigns.launch(campaign_id)
    with unit_of_work():
        recipients.freeze_step(campaign_id)
    with unit_of_work():
        consent.record(second, "sms", "denied", "stop", {})
    house.run_jobs()
    assert house.reasons(campaign_id) == {first: "queued", second: "stop"}
    assert twilio.messages()["messages"] == 1


def test_a_number_that_is_somebody_elses_by_now_is_not_written_to(house, twilio):
    person, other = house.people(2)
    campaign_id = house.campaign(house.segment())
    with unit_of_work():
        campaigns.launch(campaign_id)
    with unit_of_work():
        recipients.freeze_step(campaign_id)
    with unit_of_work() as session:
        session.add(Identity(profile_id=person, kind="email", value="ann@example.com"))
        number = session.scalars(select(Identity.id).where(Identity.value == number_of(1))).one()
        merge_undo.split(person, [number])
    house.run_jobs()
    assert house.reasons(campaign_id) == {person: "no_phone", other: "queued"}
    assert twilio.messages()["messages"] == 1


def test_a_number_besides_the_newest_is_still_theirs(house):
    (person,) = house.people(1)
    campaign_id = house.campaign(house.segment())
    with unit_of_work():
        campaigns.launch(campaign_id)
    with unit_of_work():
        recipients.freeze_step(campaign_id)
    with unit_of_work() as session:
        session.add(Identity(profile_id=person, kind="phone", value=number_of(7)))
        session.get_one(Profile, person).phone = number_of(7)
    house.run_jobs()
    assert house.reasons(campaign_id) == {person: "queued"}


def test_two_who_were_merged_after_the_start_get_one_message(house, twilio):
    people = house.people(6)
    campaign_id = house.campaign(house.segment())
    with unit_of_work():
        campaigns.launch(campaign_id)
    with unit_of_work():
        recipients.freeze_step(campaign_id)
    with unit_of_work() as session:
        late = Profile(name="Late", traits={})  # of no campaign; two of it turn out to be one with them
        session.add(late)
    stranger = late.id
    pairs = [(people[0], people[1]), (people[3], people[2]), (stranger, people[4]), (stranger, people[5])]
    for winner, loser in pairs:
        with unit_of_work():
            merges.merge_by_hand(winner, loser, "the same person", None)
    house.run_jobs()
    assert house.reasons(campaign_id) == {
        people[0]: "queued", people[1]: "duplicate_person", people[2]: "duplicate_person", people[3]: "queued",
        people[4]: "queued", people[5]: "duplicate_person",
    }  # fmt: skip
    assert twilio.messages()["messages"] == 3
    assert house.tallies_add_up(campaign_id)


def test_who_got_it_as_somebody_merged_into_them_does_not_get_it_again(house):
    person, other = house.people(2)
    campaign_id = house.campaign(house.segment())
    with unit_of_work():
        campaigns.launch(campaign_id)
    with unit_of_work():
        recipients.freeze_step(campaign_id)
    with unit_of_work() as session:
        session.execute(update(Message).where(Message.profile_id == other).values(state="delivered", sent_at=utc_now()))
        merges.merge_by_hand(person, other, "the same person", None)
    house.run_jobs()
    assert house.reasons(campaign_id) == {person: "duplicate_person", other: "delivered"}


def test_a_hold_out_stays_one_whoever_is_merged_with_them(house, twilio):
    house.people(60)
    campaign_id = house.campaign(house.segment(), holdout_percent=50)
    with unit_of_work():
        campaigns.launch(campaign_id)
    with unit_of_work():
        recipients.freeze_step(campaign_id)
    drawn = house.reasons(campaign_id)
    held, written = ([one for one, why in drawn.items() if why == state] for state in ("holdout", "pending"))
    for winner, loser in ((held[0], written[0]), (written[1], held[1])):
        with unit_of_work():
            merges.merge_by_hand(winner, loser, "the same person", None)
    house.run_jobs()
    found = house.reasons(campaign_id)
    assert [found[one] for one in (held[0], written[0])] == ["holdout", "duplicate_person"]
    assert [found[one] for one in (written[1], held[1])] == ["duplicate_person", "holdout"]
    assert twilio.messages()["messages"] == len(written) - 2
    assert house.tallies_add_up(campaign_id)


def test_a_refused_number_is_marked_and_the_others_go_on(house, twilio):
    good, bad, stopped = (house.people(1, phone=one)[0] for one in (number_of(1), "+15005550001", "+15005550004"))
    house.rules(keeps_us_hours=False)
    campaign_id = house.campaign(house.segment())
    house.launch(campaign_id)
    assert house.reasons(campaign_id) == {good: "queued", bad: "bad_number", stopped: "opted_out"}
    assert house.tallies_add_up(campaign_id)


def test_an_answer_that_was_lost_after_the_act_is_found_and_not_sent_again(house, twilio):
    house.people(10)
    campaign_id = house.campaign(house.segment())
    twilio.fault("twilio", "lost_answer", path="*/Messages.json", times=3)
    house.launch(campaign_id)
    assert Counter(house.reasons(campaign_id).values()) == {"queued": 7, "unknown": 3}
    assert twilio.messages()["messages"] == 10

    reconciling.reconcile()
    assert Counter(house.reasons(campaign_id).values()) == {"queued": 7, "delivered": 3}  # as the provider has them
    assert twilio.messages()["messages"] == 10
    assert house.tallies_add_up(campaign_id)
