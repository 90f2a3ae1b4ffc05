"""Deliveries: one for each event and endpoint, signed, tried again over a day, given up; at least once, never never."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.webhooks.conftest import URL, run_periodic
from tests.webhooks.receiver import Reply


def verify(secret: str, received) -> dict:
    return Webhook(secret).verify(received.body, received.headers)


def test_an_event_reaches_whoever_asked_for_it_signed_and_in_the_contracts_shape(
    make_hook, happen, run_jobs, receiver, other_receiver, sent
):
    hook = make_hook()
    make_hook("segment.left", url=f"{other_receiver.url}/hook")
    happen(4, 5)
    run_jobs()
    (received,) = receiver.received
    told = verify(hook["secret"], received)
    assert (told["event"], set(told)) == ("segment.entered", {"event", "timestamp", "data"})
    assert datetime.fromisoformat(told["timestamp"]).tzinfo is not None
    assert told["data"] == {
        "segment_id": 7, "segment_uuid": "0b7c", "segment_name": "Regulars", "count": 2, "profile_ids": [4, 5],
    }  # fmt: skip
    assert received.headers["content-type"] == "application/json"
    assert other_receiver.received == []
    (delivery,) = sent(hook)
    assert (delivery["state"], delivery["status"], delivery["answer"]) == ("delivered", 200, "thanks")
    assert (delivery["attempts"], delivery["message_id"], delivery["body"]) == (1, received.id, told)


def test_the_signature_is_that_of_the_standards_own_example():
    from app.webhooks.services.signing import sign

    secret, message_id = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert sign(secret, message_id, 1614265330, '{"test": 2432232314}') == signature


def test_a_signature_does_not_fit_another_body_or_secret(make_hook, happen, run_jobs, receiver, other_receiver):
    hook, other = make_hook(), make_hook(url=f"{other_receiver.url}/hook")
    happen()
    run_jobs()
    received = receiver.received[0]
    with pytest.raises(WebhookVerificationError):
        Webhook(hook["secret"]).verify(received.body.replace("1", "2"), received.headers)
    with pytest.raises(WebhookVerificationError):
        verify(other["secret"], received)


def test_other_tenants_hear_nothing(make_hook, happen, run_jobs, receiver, other_receiver, client_for, other_member):
    make_hook()
    theirs = make_hook(url=f"{other_receiver.url}/hook", by=client_for(other_member))
    happen(tenant_id=other_member.tenant_id)
    run_jobs()
    assert receiver.received == []
    assert verify(theirs["secret"], other_receiver.received[0])


def test_an_event_that_reaches_us_twice_is_sent_once(make_hook, happen, run_jobs, receiver, app, monkeypatch):
    from sqlalchemy import update

    from app.core import events
    from app.core.clock import utc_now
    from app.core.db import db, unit_of_work

    make_hook()
    with monkeypatch.context() as crash:  # after the subscribers were called, before the row was removed
        crash.setattr(events, "_forget", lambda _: None)
        happen()
    run_jobs()
    with app.app_context(), unit_of_work():
        db.session.execute(update(events.OutboxRow).values(due_at=utc_now() - timedelta(seconds=1)))
    run_periodic(app, "core.relay_outbox")
    run_jobs()
    assert len(receiver.received) == 1


def test_two_events_alike_are_two_messages(make_hook, happen, run_jobs, receiver):
    make_hook()
    happen()
    happen()
    run_jobs()
    assert len(set(receiver.ids)) == len(receiver.received) == 2


def test_what_was_refused_is_sent_again_later_to_the_letter_and_with_the_same_id(
    make_hook, happen, deliver, travel, receiver, sent
):
    hook = make_hook()
    receiver.script = [Reply(500, b"out of order"), Reply(204, b"")]
    happen()
    deliver()
    deliver()
    assert len(receiver.received) == 1
    waiting = sent(hook)[0]
    assert (waiting["state"], waiting["status"], waiting["answer"]) == ("pending", 500, "out of order")
    assert waiting["next_attempt_at"] is not None
    travel(seconds=10)
    deliver()
    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)
    assert int(second.headers["webhook-timestamp"]) >= int(first.headers["webhook-timestamp"]) + 10
    done = sent(hook)[0]
    assert (done["state"], done["attempts"], done["status"], done["next_attempt_at"]) == ("delivered", 2, 204, None)
    assert [one["status"] for one in done["history"]] == [500, 204]


def test_the_pauses_grow_over_a_day_differ_and_end_with_it():
    from app.webhooks.services.pauses import next_try

    def attempts() -> list[float]:
        start = now = datetime(2026, 1, 1, tzinfo=UTC)
        at, tries = [], 1
        while due := next_try(start, tries, now):
            at.append((due - start).total_seconds())
            now, tries = due, tries + 1
        return at

    one, another = attempts(), attempts()
    assert one != another
    assert one[-1] == another[-1] == 24 * 3600
    pauses = [later - earlier for earlier, later in zip([0.0, *one], one, strict=False)]
    assert pauses[:9] == sorted(pauses[:9])
    assert 4 <= pauses[0] <= 6
    assert 10 <= len(one) <= 14


def test_a_receiver_may_ask_for_a_longer_pause(make_hook, happen, deliver, travel, receiver):
    make_hook()
    receiver.script = [Reply(429, headers={"Retry-After": "600"})]
    happen()
    deliver()
    travel(seconds=500)
    deliver()
    assert len(receiver.received) == 1
    travel(seconds=110)
    deliver()
    assert len(receiver.received) == 2


def fail_for_a_day(deliver, travel) -> None:
    deliver()
    for _ in range(30):
        travel(hours=1)
        deliver()


def test_an_endpoint_that_fails_for_a_day_is_turned_off_and_the_bell_says_so(
    client, make_hook, happen, deliver, travel, receiver, sent
):
    hook = make_hook(description="Shop")
    receiver.usual = Reply(500)
    happen()
    fail_for_a_day(deliver, travel)
    shown = client.get(f"{URL}/{hook['id']}").json
    assert (shown["state"], shown["state_reason"]) == ("disabled", "It accepted nothing for a day.")
    (delivery,) = sent(hook)
    assert (delivery["state"], delivery["next_attempt_at"]) == ("failed", None)
    assert 8 <= delivery["attempts"] <= 14
    bell = client.get("/app/activity").text
    assert "Webhook turned off: Shop" in bell
    n_sent = len(receiver.received)
    happen()
    deliver()
    assert (len(receiver.received), len(sent(hook))) == (n_sent, 1)

    receiver.usual = Reply(200)
    client.patch(f"{URL}/{hook['id']}", json={"state": "active"})
    assert client.post(f"{URL}/deliveries/{delivery['id']}/replay").status_code == 202
    happen()
    deliver()
    assert len(receiver.received) == n_sent + 2
    assert {one["state"] for one in sent(hook)} == {"delivered"}


def test_an_endpoint_that_accepts_other_things_stays_on(client, make_hook, happen, deliver, travel, receiver, sent):
    hook = make_hook()
    receiver.usual = Reply(500)
    happen(1)
    deliver()
    receiver.usual = Reply(200)
    client.post(f"{URL}/{hook['id']}/ping")
    deliver()
    receiver.usual = Reply(500)
    fail_for_a_day(deliver, travel)
    assert [one["state"] for one in sent(hook)] == ["delivered", "failed"]
    assert client.get(f"{URL}/{hook['id']}").json["state"] == "active"


def test_one_that_says_it_is_gone_is_turned_off_at_once(client, make_hook, happen, deliver, receiver, sent):
    hook = make_hook()
    receiver.usual = Reply(410)
    happen(1)
    happen(2)
    deliver()
    assert len(receiver.received) == 1
    assert client.get(f"{URL}/{hook['id']}").json["state"] == "disabled"
    assert [one["state"] for one in sent(hook)] == ["failed", "failed"]
    assert client.post(f"{URL}/{hook['id']}/ping").status_code == 409
    assert client.post(f"{URL}/deliveries/{sent(hook)[0]['id']}/replay").status_code == 409
    entry = client.get("/api/v1/audit?action=webhook.disabled").json["items"][0]
    assert entry["after"] == {"reason": "It answered 410 Gone."}


def test_a_redirect_is_not_followed(make_hook, happen, run_jobs, receiver, other_receiver, sent):
    hook = make_hook()
    receiver.usual = Reply(307, headers={"Location": f"{other_receiver.url}/elsewhere"})
    happen()
    run_jobs()
    assert other_receiver.received == []
    assert (sent(hook)[0]["status"], "not followed" in sent(hook)[0]["error"]) == (307, True)


def test_the_first_kilobyte_of_an_answer_is_kept_whatever_is_in_it(make_hook, happen, run_jobs, receiver, sent):
    hook = make_hook()
    receiver.usual = Reply(200, b"\0\xff" + b"x" * 500_000)
    happen()
    run_jobs()
    answer = sent(hook)[0]["answer"]
    assert answer == "��" + "x" * 1022
    assert sent(hook)[0]["state"] == "delivered"


@pytest.fixture
def short_patience(monkeypatch):
    from app.webhooks import jobs
    from app.webhooks.services import deliveries

    monkeypatch.setattr(deliveries, "SECONDS", 0.4)
    monkeypatch.setattr(jobs, "SLOW_MS", 300)


@pytest.mark.parametrize("reply", [Reply(seconds=1.5), Reply(body=b"x" * 40, drips=0.1)], ids=["silent", "by drops"])
def test_a_slow_endpoint_holds_nobody_up(
    short_patience, make_hook, happen, run_jobs, receiver, other_receiver, sent, reply
):
    slow = make_hook()
    make_hook(url=f"{other_receiver.url}/hook")
    receiver.usual = reply
    for number in range(4):
        happen(number + 1)
    run_jobs()
    assert len(receiver.received) == 1  # one attempt a turn, and then it rests
    assert len(other_receiver.received) == 4
    assert "No answer within" in sent(slow)[-1]["error"]


def test_one_that_is_not_there_rests_whatever_waits_for_it(make_hook, happen, deliver, travel, sent, receiver):
    receiver.stop()
    hook = make_hook()
    happen(1)
    happen(2)
    deliver()
    deliver()
    assert sorted(one["attempts"] for one in sent(hook)) == [0, 1]
    assert "No connection" in sent(hook)[-1]["error"]
    travel(seconds=13)
    deliver()
    assert sum(one["attempts"] for one in sent(hook)) == 2


def test_what_happens_while_it_is_paused_waits(client, make_hook, happen, deliver, travel, receiver):
    hook = make_hook()
    client.patch(f"{URL}/{hook['id']}", json={"state": "paused"})
    happen()
    travel(days=3)
    deliver()
    assert receiver.received == []
    assert client.post(f"{URL}/{hook['id']}/ping").status_code == 409
    client.patch(f"{URL}/{hook['id']}", json={"state": "active"})
    receiver.script = [Reply(500)]
    deliver()
    travel(seconds=10)
    deliver()
    assert len(receiver.received) == 2  # three days old, and yet it has a day of attempts


def test_a_ping_is_sent_whatever_it_asked_for(client, make_hook, run_jobs, receiver):
    hook = make_hook("audience.ready")
    asked = client.post(f"{URL}/{hook['id']}/ping")
    assert (asked.status_code, asked.json["state"]) == (202, "pending")
    run_jobs()
    told = verify(hook["secret"], receiver.received[0])
    assert (told["event"], told["data"]["webhook_id"]) == ("webhook.ping", hook["id"])
    assert client.get(f"{URL}/deliveries/{asked.json['id']}").json["state"] == "delivered"


def test_a_replay_is_the_same_message_again(client, make_hook, happen, run_jobs, receiver, sent):
    hook = make_hook()
    happen()
    run_jobs()
    again = client.post(f"{URL}/deliveries/{sent(hook)[0]['id']}/replay")
    assert (again.status_code, again.json["state"], again.json["delivered_at"]) == (202, "pending", None)
    run_jobs()
    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)
    assert (sent(hook)[0]["state"], sent(hook)[0]["attempts"], len(sent(hook))) == ("delivered", 2, 1)


def test_both_secrets_sign_until_the_overlap_ends(client, make_hook, happen, deliver, travel, receiver):
    hook = make_hook()
    new = client.post(f"{URL}/{hook['id']}/rotate-secret", json={"overlap_hours": 2}).json["secret"]
    happen()
    deliver()
    assert verify(hook["secret"], receiver.received[0]) == verify(new, receiver.received[0])
    travel(hours=2, seconds=1)
    happen()
    deliver()
    assert len(receiver.received[1].headers["webhook-signature"].split()) == 1


def test_the_list_is_narrowed_by_state(client, make_hook, happen, run_jobs, receiver):
    hook = make_hook()
    receiver.script = [Reply(500)]
    happen(1)
    run_jobs()
    happen(2)
    run_jobs()
    url = f"{URL}/{hook['id']}/deliveries"
    found = {state: client.get(f"{url}?state={state}").json["total"] for state in ("pending", "delivered", "failed")}
    assert found == {"pending": 1, "delivered": 1, "failed": 0}
    assert client.get(f"{url}?state=lost").status_code == 422


def test_connections_are_kept_open_between_messages(make_hook, happen, run_jobs, receiver):
    make_hook()
    for number in range(5):
        happen(number + 1)
    run_jobs()
    assert (len(receiver.received), receiver.connections) == (5, 1)


def test_messages_of_thirty_days_ago_are_forgotten(app, make_hook, happen, run_jobs, travel, sent):
    hook = make_hook()
    happen()
    run_jobs()
    travel(days=29)
    run_periodic(app, "webhooks.purge")
    assert len(sent(hook)) == 1
    travel(days=2)
    run_periodic(app, "webhooks.purge")
    assert sent(hook) == []


def test_two_workers_at_once_send_each_message_once(app, in_tenant, member, make_hook, happen, receiver, sent):
    hook = make_hook()
    for number in range(12):
        happen(number + 1)
    receiver.usual = Reply(seconds=0.02)
    failures: list[BaseException] = []

    def work() -> None:
        from app.webhooks.jobs import send_due

        try:
            with in_tenant(member.tenant_id):
                send_due(endpoint_id=hook["id"])
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert failures == []
    assert len(receiver.ids) == len(set(receiver.ids)) == 12
    assert {one["state"] for one in sent(hook)} == {"delivered"}


def test_a_worker_killed_between_answer_and_record_sends_again_and_a_receiver_can_tell(
    make_hook, happen, deliver, run_jobs, travel, receiver, sent, monkeypatch
):
    from app.webhooks.services import deliveries

    hook = make_hook()
    happen()

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as crash, pytest.raises(SystemExit):
        crash.setattr(deliveries, "record", die)
        run_jobs()
    deliver()
    assert len(receiver.received) == 1  # its lease still runs
    travel(seconds=61)
    deliver()
    assert len(receiver.received) == 2
    assert len(set(receiver.ids)) == 1
    assert (sent(hook)[0]["state"], sent(hook)[0]["attempts"]) == ("delivered", 2)


def test_a_worker_that_comes_back_late_overwrites_nothing(in_tenant, member, make_hook, happen, deliver, travel, sent):
    from app.core.db import unit_of_work
    from app.core.outbound_post import Answer
    from app.webhooks.services import deliveries

    hook = make_hook()
    happen()
    with in_tenant(member.tenant_id), unit_of_work():
        frozen = deliveries.claim(hook["id"])
    travel(seconds=61)
    deliver()
    before = sent(hook)
    assert before[0]["state"] == "delivered"
    with in_tenant(member.tenant_id), unit_of_work():
        deliveries.record(frozen, Answer(status=500))
    assert sent(hook) == before


def test_whoever_deletes_an_endpoint_in_the_middle_is_not_minded(client, in_tenant, member, make_hook, happen):
    from app.core.db import unit_of_work
    from app.core.outbound_post import Answer
    from app.webhooks.services import deliveries

    hook = make_hook()
    happen()
    with in_tenant(member.tenant_id), unit_of_work():
        parcel = deliveries.claim(hook["id"])
    client.delete(f"{URL}/{hook['id']}")
    with in_tenant(member.tenant_id), unit_of_work():
        deliveries.record(parcel, Answer(status=200))
        assert deliveries.claim(hook["id"]) is None
