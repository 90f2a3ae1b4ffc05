"""What people write: STOP is done before it is answered, START lifts a STOP only, HELP is answered, the rest kept."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import event, select

from app.cdp.models import EventName, Profile, ProfileEvent
from app.core.db import db, unit_of_work
from app.core.redis import get_redis
from app.core.tenancy import platform_scope
from app.messaging.jobs.receipts import take_held_callbacks
from app.messaging.models import (
    CampaignState,
    InboundKind,
    MessageSender,
    MessageState,
    MessageThread,
    MessagingAccount,
    Skip,
    Suppression,
    ThreadState,
)
from app.messaging.services import callbacks, gate
from app.messaging.services.keywords import LANGUAGES
from tests.messaging.provider import (
    EMPTY,
    PERSON,
    SENDER,
    Provider,
    installation,
    other_workspace,
    provider,
    sid,
    workspace,
)
from tests.messaging.test_callbacks import database_away

__all__ = ["database_away", "installation", "other_workspace", "provider", "workspace"]
OWN = "+15005550099"


@pytest.fixture
def person(workspace) -> int:
    return workspace.person()


@pytest.fixture
def own_sender(workspace, in_tenant) -> str:
    """A number of this workspace alone."""
    with in_tenant(workspace.tenant_id), unit_of_work():
        db.session.add_all([MessageSender(channel=channel, address=OWN) for channel in ("sms", "whatsapp")])
    return OWN


def thread_of(workspace) -> MessageThread:
    with workspace.scope(workspace.tenant_id):
        return db.session.scalars(select(MessageThread)).one()


# STOP


def test_a_stop_is_consent_withdrawn_with_the_text_the_sender_and_the_time_as_evidence(provider, workspace, person):
    answer = provider.inbound("  stop ")
    assert (answer.status_code, answer.mimetype, answer.text) == (200, "text/xml", EMPTY)
    assert workspace.consent(person) == "denied"
    said = workspace.statements(person)[0]
    assert (said.source, said.channel) == ("stop", "sms")
    assert said.evidence["sid"] == sid(1)
    assert said.evidence["body"] == "  stop "
    assert said.evidence["sender"] == SENDER
    assert said.evidence["at"] == said.at.isoformat()
    assert workspace.consent(person, "whatsapp") == "granted"


def test_a_stop_skips_what_waits_in_every_campaign_of_the_channel_and_in_no_other(provider, workspace, person):
    first, second = workspace.campaign(), workspace.campaign(state=CampaignState.PAUSED)
    held = workspace.message(first, person, reason=Skip.QUIET_HOURS)
    other_number = workspace.message(second, person, address="+14155550000")
    to_the_number = workspace.message(workspace.campaign(), None)
    whatsapp = workspace.message(workspace.campaign(channel="whatsapp"), person, channel="whatsapp")
    stranger = workspace.message(first, None, address="+14155559999")
    provider.inbound("STOP")
    for one in (held, other_number, to_the_number):
        row = workspace.read(one)
        assert (row.state, row.reason) == (MessageState.SKIPPED, Skip.STOP)
    assert workspace.read(whatsapp).state == workspace.read(stranger).state == MessageState.PENDING
    assert workspace.figures(first) == {"skipped": 1, "pending": 1}
    assert workspace.figures(second) == {"skipped": 1}


def test_a_stop_is_answered_once_nothing_is_in_the_air_to_that_number(provider, workspace, person, in_tenant):
    with in_tenant(workspace.tenant_id):
        assert gate.take([], "sms", [PERSON], gate.epoch()).goes == [True]
    landed: list[float] = []

    def land():
        time.sleep(0.4)
        with in_tenant(workspace.tenant_id):
            landed.append(time.monotonic())
            gate.land("sms", [PERSON])

    worker = threading.Thread(target=land)
    worker.start()
    provider.inbound("STOP")
    answered = time.monotonic()
    worker.join()
    assert landed[0] <= answered
    with in_tenant(workspace.tenant_id):
        assert gate.take([], "sms", [PERSON], gate.epoch()).goes == [False]


@pytest.mark.parametrize("word", sorted({word for words in LANGUAGES.values() for word in words.stop}))
def test_each_word_that_ends_ends_in_any_case_and_with_marks_around_it(word):
    from app.messaging.services.keywords import recognise

    for written in (word, word.lower(), f" {word.title()}! ", f"« {word} »", f"{word}.\n"):
        assert recognise(written).kind == InboundKind.STOP, written


@pytest.mark.parametrize(
    "text", ["stop by tomorrow?", "please don't stop", "the end", "cancel my order 17", "help me choose", "", "👍"]
)
def test_a_word_inside_a_sentence_is_a_text(provider, workspace, person, text):
    provider.inbound(text)
    assert workspace.consent(person) == "granted"
    assert workspace.received()[0].kind == InboundKind.TEXT


def test_what_the_provider_says_of_a_text_outweighs_our_table(provider, workspace, person):
    provider.inbound("enough of this", OptOutType="STOP")
    assert workspace.consent(person) == "denied"


def test_a_whatsapp_stop_is_confirmed_in_the_language_of_the_word(provider, workspace, person):
    text = provider.whatsapp("Arrêt").text
    assert "<Message>Vous ne recevrez plus de messages" in text
    assert workspace.consent(person, "whatsapp") == "denied"
    assert workspace.consent(person) == "granted"


def test_a_stop_heard_twice_is_one_and_answered_alike(provider, workspace, person):
    first, second = provider.whatsapp("STOP").text, provider.whatsapp("STOP").text
    assert first == second != EMPTY
    assert len(workspace.received()) == 1
    assert [one.source for one in workspace.statements(person)].count("stop") == 1


def test_a_stop_of_somebody_nobody_knew_is_remembered(provider, workspace, own_sender, member):
    provider.inbound("STOP", sender=OWN)
    made = workspace.find_person()
    assert made is not None
    assert workspace.consent(made) == "denied"


def test_a_stop_leaves_the_talk_closed_and_read(provider, workspace, person):
    provider.inbound("STOP")
    thread = thread_of(workspace)
    assert (thread.state, thread.unread) == (ThreadState.CLOSED, 0)


def test_a_forged_stop_is_refused_and_changes_nothing(provider, workspace, person):
    answer = provider.call("/webhooks/inbound", signature="x", MessageSid=sid(1), From=PERSON, To=SENDER, Body="STOP")
    assert answer.status_code == 403
    assert workspace.consent(person) == "granted"
    assert workspace.received() == []


def test_a_stop_that_comes_while_the_database_is_away_is_done_when_it_is_back(
    app, provider, workspace, person, database_away
):
    with database_away:
        assert provider.inbound("STOP").status_code == 200
    assert get_redis().llen(callbacks.HELD) == 1
    with app.app_context(), platform_scope():
        take_held_callbacks()
    assert workspace.consent(person) == "denied"
    assert get_redis().llen(callbacks.HELD) == 0


def test_two_stops_at_once_are_both_answered(app, provider, workspace, person):
    campaign = workspace.campaign()
    workspace.message(campaign, person)
    codes: list[int] = []

    def say(number):
        codes.append(Provider(app.test_client()).inbound("STOP", number=number).status_code)

    callers = [threading.Thread(target=say, args=(number,)) for number in (1, 2)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    assert codes == [200, 200]
    assert workspace.consent(person) == "denied"
    assert workspace.figures(campaign) == {"skipped": 1}


# START and HELP


def test_a_start_lifts_a_stop_and_opens_the_gate(provider, workspace, person, in_tenant):
    provider.inbound("STOP", number=1)
    provider.inbound("start", number=2)
    assert workspace.consent(person) == "granted"
    assert workspace.statements(person)[0].evidence["sid"] == sid(2)
    with in_tenant(workspace.tenant_id):
        assert gate.take([], "sms", [PERSON], gate.epoch()).goes == [True]


def test_a_start_does_not_lift_a_withdrawal_made_in_another_way(provider, workspace, person, in_tenant):
    from app.cdp.services import consent

    with in_tenant(workspace.tenant_id), unit_of_work():
        consent.record(person, "sms", "denied", "preference page", {})
    provider.inbound("START")
    assert workspace.consent(person) == "denied"
    assert workspace.received()[0].kind == InboundKind.TEXT


def test_a_start_lifts_a_stop_that_only_the_provider_had_heard_of(provider, workspace, person, run_jobs):
    sent = workspace.sent(workspace.campaign(), person)
    provider.status(sid(1), "failed", message=sent, code=21610)
    run_jobs()
    assert workspace.consent(person) == "denied"
    provider.inbound("UNSTOP", number=2)
    assert workspace.consent(person) == "granted"


def test_yes_is_an_ordinary_answer_where_there_is_no_stop(provider, workspace, person):
    provider.inbound("Yes")
    assert workspace.received()[0].kind == InboundKind.TEXT
    assert thread_of(workspace).unread == 1
    assert [one.source for one in workspace.statements(person)] == ["form", "form"]


def test_help_is_answered_with_the_workspaces_own_words_on_whatsapp_only(provider, workspace, person, in_tenant):
    from app.messaging.services import rules

    with in_tenant(workspace.tenant_id), unit_of_work():
        rules.save(help_text="Ann's Shoes & Co, call 555 0100")
    assert "<Message>Ann's Shoes &amp; Co, call 555 0100</Message>" in provider.whatsapp("Help", number=1).text
    assert provider.inbound("INFO", number=2).text == EMPTY


# Texts


def test_a_text_opens_a_talk_and_stands_in_the_timeline(provider, workspace, person, in_tenant):
    campaign = workspace.campaign()
    answered = workspace.sent(campaign, person, number=7)
    assert provider.inbound("Where is my order?").text == EMPTY
    thread, row = thread_of(workspace), workspace.received()[0]
    assert (thread.state, thread.unread, thread.preview) == (ThreadState.OPEN, 1, "Where is my order?")
    assert (thread.profile_id, row.profile_id, row.message_id, row.thread_id) == (person, person, answered, thread.id)
    with in_tenant(workspace.tenant_id):
        told = select(EventName.name).join(ProfileEvent, ProfileEvent.name_id == EventName.id)
        assert db.session.scalars(told.where(ProfileEvent.profile_id == person)).all() == ["message_received"]


def test_a_text_heard_twice_is_one(provider, workspace, person):
    for _ in range(3):
        provider.inbound("Hello")
    assert len(workspace.received()) == 1
    assert thread_of(workspace).unread == 1


def test_a_text_of_a_stranger_makes_a_person_who_agreed_to_nothing(provider, workspace, own_sender, in_tenant):
    provider.call(
        "/webhooks/inbound", MessageSid=sid(1), From=f"whatsapp:{PERSON}", To=f"whatsapp:{OWN}", Body="Hi",
        ProfileName="Zoë Ng", NewField="x",
    )  # fmt: skip
    made = workspace.find_person()
    assert made is not None
    assert {workspace.consent(made, channel) for channel in ("sms", "whatsapp")} == {"unknown"}
    with in_tenant(workspace.tenant_id):
        assert db.session.get_one(Profile, made).name == "Zoë Ng"


def test_a_picture_is_named_and_not_fetched(provider, workspace, person):
    provider.inbound("", NumMedia="1", MediaUrl0="https://api.twilio.com/media/ME1", MediaContentType0="image/jpeg")
    row = workspace.received()[0]
    assert row.media == [{"url": "https://api.twilio.com/media/ME1", "type": "image/jpeg"}]
    assert thread_of(workspace).preview == "Sent a picture"


def test_a_text_that_names_the_message_it_replies_to_is_linked_to_it(provider, workspace, person):
    campaign = workspace.campaign(channel="whatsapp")
    older = workspace.sent(campaign, person, number=31, channel="whatsapp")
    workspace.sent(workspace.campaign(channel="whatsapp"), person, number=32, channel="whatsapp")
    provider.whatsapp("Yes please", OriginalRepliedMessageSid=sid(31))
    assert workspace.received()[0].message_id == older


def test_a_closed_talk_opens_again_when_they_write(provider, workspace, person, in_tenant):
    provider.inbound("Hello", number=1)
    with in_tenant(workspace.tenant_id), unit_of_work():
        db.session.scalars(select(MessageThread)).one().state = ThreadState.CLOSED
    provider.inbound("Still there?", number=2)
    assert (thread_of(workspace).state, thread_of(workspace).unread) == (ThreadState.OPEN, 2)


# Whose it is


def test_on_a_shared_sender_a_text_goes_to_whoever_wrote_to_that_person_last(provider, workspace, other_workspace):
    from datetime import timedelta

    from app.core.clock import utc_now

    workspace.sent(workspace.campaign(), workspace.person(), number=1, sent_at=utc_now() - timedelta(days=2))
    other_workspace.sent(other_workspace.campaign(), other_workspace.person(), number=2)
    provider.inbound("Hello", number=9)
    assert workspace.received() == []
    assert [one.body for one in other_workspace.received()] == ["Hello"]


def test_on_a_shared_sender_a_stop_counts_for_everyone_who_wrote_by_it(provider, workspace, other_workspace):
    ours, theirs = workspace.person(), other_workspace.person()
    workspace.sent(workspace.campaign(), ours, number=1)
    other_workspace.sent(other_workspace.campaign(), theirs, number=2)
    provider.inbound("STOP", number=9)
    assert workspace.consent(ours) == other_workspace.consent(theirs) == "denied"


@pytest.mark.parametrize("state", ["claimed", "unknown"])
def test_on_a_shared_sender_a_stop_counts_for_who_has_a_message_in_hand_or_in_doubt(
    provider, workspace, other_workspace, state
):
    from app.core.clock import utc_now

    ours, theirs = workspace.person(), other_workspace.person()
    workspace.message(workspace.campaign(), ours, state=state, sender="", claimed_at=utc_now())
    other_workspace.sent(other_workspace.campaign(), theirs, number=2)
    provider.inbound("STOP", number=9)
    assert workspace.consent(ours) == other_workspace.consent(theirs) == "denied"


def test_on_a_shared_sender_a_stop_of_somebody_nobody_wrote_to_counts_for_who_knows_the_number(
    provider, workspace, other_workspace
):
    ours, other = workspace.person(), other_workspace.person("+14155550000")
    provider.inbound("STOP", number=9)
    assert workspace.consent(ours) == "denied"
    assert other_workspace.consent(other) == "granted"
    assert other_workspace.received() == []


def test_on_a_shared_sender_a_start_of_somebody_nobody_wrote_to_is_nobodys(provider, workspace, other_workspace):
    for one in (workspace, other_workspace):
        one.person()
    provider.inbound("START", number=9)
    assert workspace.received() == other_workspace.received() == []


def test_on_a_shared_sender_a_yes_is_an_answer_to_one_workspace_only(provider, workspace, other_workspace):
    workspace.sent(workspace.campaign(), workspace.person(), number=1)
    other_workspace.sent(other_workspace.campaign(), other_workspace.person(), number=2)
    provider.inbound("Yes", number=9)
    assert sorted([len(workspace.received()), len(other_workspace.received())]) == [0, 1]


def test_on_a_shared_sender_nobody_is_guessed(provider, workspace, other_workspace):
    assert provider.inbound("Who is this?").status_code == 200
    assert workspace.received() == other_workspace.received() == []


def test_a_workspace_that_enters_the_shared_sender_as_its_own_gets_nobody_elses_mail(
    provider, workspace, other_workspace, in_tenant
):
    with in_tenant(other_workspace.tenant_id), unit_of_work():
        db.session.add(MessageSender(channel="sms", address=SENDER))
    workspace.sent(workspace.campaign(), workspace.person())
    provider.inbound("Private question", number=9)
    assert other_workspace.received() == []
    assert len(workspace.received()) == 1


def test_an_account_of_its_own_hears_for_its_own_workspace_only(app, provider, workspace, other_workspace, in_tenant):
    with in_tenant(other_workspace.tenant_id), unit_of_work():
        db.session.add(MessagingAccount(account_sid="AC" + "b" * 32, auth_token="theirs"))
    ours = workspace.person()
    workspace.sent(workspace.campaign(), ours)
    own = Provider(app.test_client(), account="AC" + "b" * 32, token="theirs")
    assert own.inbound("STOP", number=9).status_code == 200
    assert workspace.consent(ours) == "granted"


def test_a_stop_remembered_of_an_erased_person_is_lifted_by_their_start(provider, workspace, own_sender, in_tenant):
    from app.messaging.services import suppressions

    with in_tenant(workspace.tenant_id), unit_of_work():
        suppressions.remember_stops([("sms", PERSON)])
    provider.inbound("START", sender=OWN)
    made = workspace.find_person()
    assert workspace.consent(made) == "granted"
    with in_tenant(workspace.tenant_id):
        assert db.session.scalars(select(Suppression)).all() == []


# The stratum address


def test_the_one_address_for_whatsapp_takes_texts_and_reports(provider, workspace, person, run_jobs):
    sent = workspace.sent(workspace.campaign(channel="whatsapp"), person, channel="whatsapp")
    path = "/api/v1/whatsapp/webhook"
    whatsapp = {"From": f"whatsapp:{PERSON}", "To": f"whatsapp:{SENDER}"}
    answer = provider.call(path, MessageSid=sid(5), Body="Hello", **whatsapp)
    assert (answer.status_code, answer.text) == (200, EMPTY)
    answer = provider.call(path, MessageSid=sid(1), MessageStatus="read", **whatsapp)
    assert answer.get_json() == {"status": "received"}
    run_jobs()
    assert [one.body for one in workspace.received()] == ["Hello"]
    assert workspace.read(sent).state == MessageState.READ
    assert (
        provider.call(path, signature="x", MessageSid=sid(6), Body="Hi", **whatsapp).get_json()["code"]
        == "BAD_SIGNATURE"
    )


def test_an_answer_costs_few_statements_however_many_campaigns_there_are(app, provider, workspace, person):
    counts = []
    for number in (1, 2):
        for _ in range(1 if number == 1 else 15):
            workspace.message(workspace.campaign(), person)
        statements: list[str] = []

        def note(_conn, _cursor, statement, *_rest, into=statements):
            into.append(statement)

        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", note)
        provider.inbound("STOP", number=number)
        with app.app_context():
            event.remove(db.engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts[1] <= counts[0]
