"""Status calls of the provider: signed, applied by a job, forward only, however often, late or in whatever order."""

from __future__ import annotations

import itertools
import threading
from datetime import timedelta

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from app.cdp.models import EventName, ProfileEvent
from app.core.clock import utc_now
from app.core.db import db, release_connection, unit_of_work
from app.core.redis import get_redis
from app.core.tenancy import platform_scope
from app.messaging.jobs.receipts import take_held_callbacks, wake_receipts
from app.messaging.models import CampaignState, MessageState, MessagingAccount, Receipt, Skip, Suppression
from app.messaging.services import callbacks, receipts
from app.messaging.services.callbacks import Call
from tests.messaging.provider import (
    ACCOUNT,
    PERSON,
    PUBLIC,
    SENDER,
    TOKEN,
    Provider,
    installation,
    other_workspace,
    provider,
    sid,
    sign,
    workspace,
)

__all__ = ["installation", "other_workspace", "provider", "workspace"]


@pytest.fixture
def campaign(workspace) -> int:
    return workspace.campaign()


@pytest.fixture
def person(workspace) -> int:
    return workspace.person()


@pytest.fixture
def message(workspace, campaign, person) -> int:
    """Taken by the provider as the first of its messages."""
    return workspace.sent(campaign, person)


def drain(app):
    with app.app_context(), platform_scope():
        take_held_callbacks()


def waiting(app) -> int:
    with app.app_context(), platform_scope():
        return len(db.session.scalars(select(Receipt)).all())


# Who may call


def test_a_signed_report_is_received_and_applied(provider, workspace, campaign, message, run_jobs):
    answer = provider.status(sid(1), "delivered", message=message)
    assert (answer.status_code, answer.get_json()) == (200, {"status": "received"})
    run_jobs()
    row = workspace.read(message)
    assert row.state == MessageState.DELIVERED
    assert row.delivered_at is not None
    assert workspace.figures(campaign) == {"delivered": 1}


@pytest.mark.parametrize("signature", ["", "bm90IHRoZSBzaWduYXR1cmU=", "not base64 at all", "é"])
def test_a_forged_report_is_refused_and_writes_nothing(app, provider, workspace, message, signature):
    answer = provider.call("/webhooks/status", signature=signature, MessageSid=sid(1), MessageStatus="delivered")
    assert answer.status_code == 403
    assert answer.get_json()["error"] == "bad_signature"
    assert waiting(app) == 0
    assert get_redis().llen(callbacks.HELD) == 0


def test_a_signature_covers_the_parameters_nobody_has_heard_of(provider, workspace, message, run_jobs):
    path = "/webhooks/status"
    params = {
        "AccountSid": ACCOUNT,
        "MessageSid": sid(1),
        "MessageStatus": "sent",
        "NewInNovember": "x",
        "RawDlrDoneDate": "2611",
    }
    good = sign(TOKEN, provider.base + path, params)
    changed = provider.client.post(path, data=params | {"NewInNovember": "y"}, headers={"X-Twilio-Signature": good})
    assert changed.status_code == 403
    assert provider.client.post(path, data=params, headers={"X-Twilio-Signature": good}).status_code == 200
    run_jobs()
    assert workspace.read(message).state == MessageState.SENT


def test_the_signature_is_checked_on_the_public_address_whatever_proxies_show_us(
    provider, workspace, message, run_jobs
):
    provider.headers = {"Host": "10.0.0.7:8080", "X-Forwarded-Proto": "http"}
    assert provider.status(sid(1), "sent", message=message).status_code == 200
    provider.base = "http://10.0.0.7:8080"
    assert provider.status(sid(1), "delivered", message=message).status_code == 403
    run_jobs()
    assert workspace.read(message).state == MessageState.SENT


def test_a_public_address_may_be_signed_with_the_usual_port(provider, workspace, message):
    provider.base = "https://parley.example:443"
    assert provider.status(sid(1), "sent", message=message).status_code == 200


def test_a_workspaces_own_account_speaks_of_its_own_messages_only(
    app, provider, workspace, other_workspace, message, in_tenant, run_jobs
):
    with in_tenant(other_workspace.tenant_id), unit_of_work():
        db.session.add(MessagingAccount(account_sid="AC" + "b" * 32, auth_token="theirs"))
    theirs = other_workspace.sent(other_workspace.campaign(), other_workspace.person(), number=2)
    own = Provider(app.test_client(), account="AC" + "b" * 32, token="theirs")
    assert own.status(sid(1), "delivered").status_code == 200
    assert own.status(sid(1), "delivered", message=message).status_code == 200
    assert own.status(sid(2), "delivered", message=theirs).status_code == 200
    run_jobs()
    assert workspace.read(message).state == MessageState.QUEUED
    assert other_workspace.read(theirs).state == MessageState.DELIVERED


def test_a_report_takes_no_bearer_no_cookie_and_no_token_of_a_form(provider, message):
    provider.headers = {"Authorization": "Basic dHdpbGlvOnR3aWxpbw==", "Cookie": "parley_session=nonsense"}
    assert provider.status(sid(1), "sent", message=message).status_code == 200


def test_a_huge_body_is_refused(provider):
    assert provider.inbound("x" * 70_000).status_code == 413


def test_a_status_we_have_no_use_for_is_received_and_forgotten(app, provider, message):
    assert provider.status(sid(1), "receiving", message=message).status_code == 200
    assert waiting(app) == 0


# What a report does


@pytest.mark.parametrize("order", list(itertools.permutations(["queued", "sent", "delivered", "read"])))
def test_reports_in_any_order_and_twice_leave_the_furthest_state(
    provider, workspace, campaign, message, run_jobs, order
):
    for status in (*order, *order):
        provider.status(sid(1), status, message=message)
    run_jobs()
    assert workspace.read(message).state == MessageState.READ
    assert workspace.figures(campaign) == {"read": 1}


@pytest.mark.parametrize("late", ["sent", "undelivered", "failed", "canceled"])
def test_what_has_arrived_stays_arrived(provider, workspace, campaign, message, run_jobs, late):
    provider.status(sid(1), "delivered", message=message)
    run_jobs()
    provider.status(sid(1), late, message=message, code=30005)
    run_jobs()
    assert workspace.read(message).state == MessageState.DELIVERED
    assert workspace.figures(campaign) == {"delivered": 1}


def test_what_has_failed_stays_failed(provider, workspace, campaign, message, run_jobs):
    provider.status(sid(1), "failed", message=message, code=30007)
    provider.status(sid(1), "delivered", message=message)
    run_jobs()
    row = workspace.read(message)
    assert (row.state, row.reason, row.error_code) == (MessageState.FAILED, "filtered", 30007)
    assert row.ended_at is not None
    assert workspace.figures(campaign) == {"failed": 1}


@pytest.mark.parametrize("state", [MessageState.CLAIMED, MessageState.UNKNOWN, MessageState.PENDING])
def test_a_report_by_our_reference_tells_that_a_message_left_which_we_did_not_know(
    provider, workspace, campaign, person, run_jobs, state
):
    unsure = workspace.message(campaign, person, state=state, claim="worker", claimed_at=utc_now())
    provider.status(sid(9), "sent", message=unsure)
    run_jobs()
    row = workspace.read(unsure)
    assert (row.state, row.sid, row.claim) == (MessageState.SENT, sid(9), None)
    assert row.sent_at is not None
    assert workspace.figures(campaign) == {"sent": 1}


def test_a_report_without_reference_is_matched_by_the_providers_id(provider, workspace, message, run_jobs):
    provider.status(sid(1), "delivered")
    run_jobs()
    assert workspace.read(message).state == MessageState.DELIVERED


def test_a_reference_somebody_else_wrote_is_not_read(provider, workspace, message, run_jobs):
    path = f"/webhooks/status?ref={message}.000000000000"
    assert provider.call(path, MessageSid=sid(77), MessageStatus="delivered").status_code == 200
    run_jobs()
    assert workspace.read(message).state == MessageState.QUEUED


def test_a_report_on_an_earlier_try_changes_nothing(provider, workspace, campaign, person, run_jobs):
    again = workspace.message(campaign, person, earlier_sids=[sid(1)])
    provider.status(sid(1), "delivered", message=again)
    run_jobs()
    row = workspace.read(again)
    assert (row.state, row.sid) == (MessageState.PENDING, None)


def test_the_id_of_another_message_is_not_taken(provider, workspace, campaign, person, message, run_jobs):
    second = workspace.message(campaign, None, state=MessageState.CLAIMED, address="+14155550002")
    provider.status(sid(1), "sent", message=second)
    run_jobs()
    assert workspace.read(second).state == MessageState.CLAIMED
    assert workspace.read(message).sid == sid(1)


def test_a_person_sees_in_their_timeline_what_arrived_and_was_read(
    provider, workspace, person, message, run_jobs, in_tenant
):
    for status in ("delivered", "read", "delivered"):
        provider.status(sid(1), status, message=message)
    run_jobs()
    with in_tenant(workspace.tenant_id):
        told = select(EventName.name).join(ProfileEvent, ProfileEvent.name_id == EventName.id)
        names = db.session.scalars(told.where(ProfileEvent.profile_id == person)).all()
    assert sorted(names) == ["message_delivered", "message_read"]


# What an error asks for


@pytest.mark.parametrize("code", [21610, 30004])
def test_a_block_withdraws_consent_with_the_code_as_evidence_and_skips_what_waits(
    provider, workspace, campaign, person, message, run_jobs, code
):
    other = workspace.campaign()
    pending = workspace.message(other, person)
    provider.status(sid(1), "undelivered", message=message, code=code)
    run_jobs()
    assert workspace.consent(person) == "denied"
    said = workspace.statements(person)[0]
    assert (said.source, said.evidence["code"], said.evidence["sid"]) == ("carrier", code, sid(1))
    assert (workspace.read(pending).state, workspace.read(pending).reason) == (MessageState.SKIPPED, Skip.STOP)
    assert workspace.figures(other) == {"skipped": 1}
    assert workspace.consent(person, "whatsapp") == "granted"


def test_a_dead_number_is_marked_and_not_tried_by_another_campaign(
    provider, workspace, campaign, person, message, run_jobs, in_tenant
):
    pending = workspace.message(workspace.campaign(), person)
    provider.status(sid(1), "undelivered", message=message, code=30005)
    run_jobs()
    assert workspace.read(pending).reason == Skip.BAD_NUMBER
    assert workspace.consent(person) == "granted"
    with in_tenant(workspace.tenant_id):
        marked = db.session.scalars(select(Suppression)).one()
        assert (marked.channel, marked.address, marked.code) == ("sms", PERSON, 30005)


def test_a_phone_that_is_off_is_tried_again_later_a_few_times(provider, workspace, campaign, message, run_jobs):
    tries = 0
    for number in range(1, 9):
        before = utc_now()
        provider.status(sid(number), "undelivered", message=message, code=30003)
        run_jobs()
        row = workspace.read(message)
        if row.state != MessageState.PENDING:
            break
        tries += 1
        assert row.due_at >= before + timedelta(minutes=14)
        assert row.earlier_sids == [sid(n) for n in range(1, number + 1)]
        assert row.sid is None
        workspace.send_again(message, number + 1)
    assert tries == 3
    assert (row.state, row.reason) == (MessageState.UNDELIVERED, "unreachable")
    assert workspace.figures(campaign) == {"undelivered": 1}


def test_a_message_of_a_cancelled_campaign_is_not_tried_again(provider, workspace, person, run_jobs):
    over = workspace.campaign(state=CampaignState.CANCELLED)
    lost = workspace.sent(over, person)
    provider.status(sid(1), "undelivered", message=lost, code=30003)
    run_jobs()
    assert workspace.read(lost).state == MessageState.UNDELIVERED


@pytest.mark.parametrize("code", [30034, 21408])
def test_a_fault_in_the_set_up_pauses_that_campaign_and_says_why(
    provider, workspace, campaign, message, run_jobs, code
):
    other = workspace.campaign()
    provider.status(sid(1), "undelivered", message=message, code=code)
    run_jobs()
    state, reason = workspace.state_of(campaign)
    assert state == CampaignState.PAUSED
    assert reason
    assert workspace.state_of(other)[0] == CampaignState.RUNNING


def test_a_suspended_account_pauses_every_campaign_of_the_workspace_and_of_no_other(
    provider, workspace, other_workspace, campaign, message, run_jobs
):
    other, theirs = workspace.campaign(), other_workspace.campaign()
    provider.status(sid(1), "failed", message=message, code=30002)
    run_jobs()
    assert workspace.state_of(campaign)[0] == workspace.state_of(other)[0] == CampaignState.PAUSED
    assert other_workspace.state_of(theirs)[0] == CampaignState.RUNNING


# Many at once, and when things are away


def test_five_hundred_reports_cost_as_many_statements_as_five(app, workspace, campaign, in_tenant):
    counts = []
    for many in (5, 500):
        ids = workspace.many_sent(campaign, many)
        with in_tenant(workspace.tenant_id):
            with unit_of_work():
                now = utc_now()
                for one in ids:
                    db.session.add(Receipt(sid=sid(one), status="delivered", message_id=one, received_at=now))
            db.session.expunge_all()
            statements: list[str] = []

            def note(_conn, _cursor, statement, *_rest, into=statements):
                into.append(statement)

            event.listen(db.engine, "before_cursor_execute", note)
            with unit_of_work():
                assert receipts.apply_batch() == many
            event.remove(db.engine, "before_cursor_execute", note)
            counts.append(len(statements))
    assert counts[0] == counts[1] < 20
    assert workspace.figures(campaign) == {"delivered": 505}


def test_two_workers_at_once_count_each_report_once(app, workspace, campaign, in_tenant):
    ids = workspace.many_sent(campaign, 1200)
    with in_tenant(workspace.tenant_id), unit_of_work():
        for one in ids:
            for status in ("delivered", "sent"):
                db.session.add(Receipt(sid=sid(one), status=status, message_id=one))

    def work():
        with in_tenant(workspace.tenant_id):
            while True:
                with unit_of_work():
                    count = receipts.apply_batch()
                release_connection()
                if not count:
                    return

    workers = [threading.Thread(target=work) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert waiting(app) == 0
    assert workspace.figures(campaign) == {"delivered": 1200}


def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(
    app, provider, workspace, campaign, message, in_tenant
):
    provider.status(sid(1), "delivered", message=message)

    class Killed(BaseException):
        pass

    with in_tenant(workspace.tenant_id), pytest.raises(Killed), unit_of_work():
        receipts.apply_batch()
        raise Killed
    assert waiting(app) == 1
    assert workspace.figures(campaign) == {"queued": 1}
    with in_tenant(workspace.tenant_id), unit_of_work():
        receipts.apply_batch()
    assert workspace.figures(campaign) == {"delivered": 1}


def test_a_report_noted_while_the_job_was_ending_is_woken(app, workspace, campaign, message, in_tenant, run_jobs):
    with in_tenant(workspace.tenant_id), unit_of_work():
        db.session.add(Receipt(sid=sid(1), status="delivered", message_id=message))
    with app.app_context(), platform_scope():
        wake_receipts()
    assert "messaging.apply_receipts" in run_jobs()
    assert workspace.read(message).state == MessageState.DELIVERED


def test_a_report_on_a_message_we_do_not_know_yet_waits_for_our_own_record(
    app, provider, workspace, campaign, person, run_jobs
):
    assert provider.status(sid(5), "delivered").status_code == 200
    drain(app)
    assert get_redis().llen(callbacks.HELD) == 1
    known = workspace.sent(campaign, person, number=5)
    drain(app)
    run_jobs()
    assert workspace.read(known).state == MessageState.DELIVERED
    assert get_redis().llen(callbacks.HELD) == 0


def test_a_report_nobody_ever_knows_is_dropped_after_ten_minutes(app, provider, monkeypatch):
    import app.messaging.jobs.receipts as job

    provider.status(sid(5), "delivered")
    monkeypatch.setattr(job, "utc_now", lambda: utc_now() + timedelta(minutes=11))
    drain(app)
    assert get_redis().llen(callbacks.HELD) == 0


@pytest.fixture
def database_away(app):
    """Every statement fails as it does when the server is gone."""

    def fail(*_args):
        raise OperationalError("SELECT 1", {}, Exception("the server closed the connection"))

    with app.app_context():
        engine = db.engine

    class Away:
        def __enter__(self):
            event.listen(engine, "before_cursor_execute", fail)

        def __exit__(self, *_exc):
            event.remove(engine, "before_cursor_execute", fail)

    return Away()


def test_reports_that_come_while_the_database_is_away_are_applied_when_it_is_back(
    app, provider, workspace, campaign, message, run_jobs, database_away
):
    with database_away:
        assert provider.status(sid(1), "delivered", message=message).status_code == 200
    assert get_redis().llen(callbacks.HELD) == 1
    drain(app)
    run_jobs()
    assert workspace.read(message).state == MessageState.DELIVERED
    assert get_redis().llen(callbacks.HELD) == 0


def test_a_forged_report_kept_while_the_database_was_away_is_found_out(
    app, provider, workspace, message, run_jobs, database_away
):
    with database_away:
        provider.call(
            "/webhooks/status", signature="bm8=", AccountSid="AC" + "c" * 32, MessageSid=sid(1), MessageStatus="read"
        )
    drain(app)
    run_jobs()
    assert workspace.read(message).state == MessageState.QUEUED
    assert get_redis().llen(callbacks.HELD) == 0


def test_a_call_that_cannot_be_done_keeps_no_other_waiting(app, provider, workspace, message, run_jobs, database_away):
    half_a_pair = {
        "AccountSid": [ACCOUNT],
        "MessageSid": [sid(3)],
        "From": [PERSON],
        "To": [SENDER],
        "Body": ["\ud800"],
    }
    with app.app_context():
        callbacks.hold(Call(callbacks.INBOUND, f"{PUBLIC}/webhooks/inbound", half_a_pair, "x", utc_now()))
    with database_away:
        provider.status(sid(1), "delivered", message=message)
    drain(app)
    run_jobs()
    assert workspace.read(message).state == MessageState.DELIVERED
    assert get_redis().llen(callbacks.HELD) == 1


def test_with_database_and_store_away_the_provider_is_asked_to_come_again(provider, message, database_away, store):
    store.stop()
    try:
        with database_away:
            assert provider.status(sid(1), "delivered", message=message).status_code == 503
    finally:
        store.start()
