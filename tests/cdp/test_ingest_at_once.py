"""Many senders at the same moment: nobody is made twice, nothing is lost or left with somebody who is gone."""

from __future__ import annotations

import random
import threading

import pytest
from sqlalchemy import func, select

EVENTS = "/api/v1/cdp/events"
SENDERS = 6


@pytest.fixture
def at_once(app, client_for, member):
    """Run one function in several threads that begin together; each is given a client of its own and its number."""

    def run(work):
        clients = [client_for(member) for _ in range(SENDERS)]
        together, faults = threading.Barrier(SENDERS), []

        def begin(number):
            together.wait()
            try:
                work(clients[number], number)
            except Exception as error:
                faults.append(error)

        threads = [threading.Thread(target=begin, args=(number,)) for number in range(SENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == []

    return run


def take(answer, status):
    assert answer.status_code == status, answer.text
    return answer.get_json()


def test_one_new_identity_from_many_senders_makes_one_profile(people, at_once):
    found = []

    def send(client, number):
        for turn in range(5):
            body = {"event_name": "page", "user_id": f"u{turn}", "anonymous_id": f"a{turn}"}
            found.append((turn, take(client.post(EVENTS, json=body), 201)["profile_id"]))

    at_once(send)
    assert len(set(found)) == 5
    assert len(people.everyone()) == 5
    assert all(len(people.events_of(one["id"])) == SENDERS for one in people.everyone())


def test_the_same_batch_from_many_senders_is_kept_once(people, at_once):
    rows = [{"event_name": "page", "user_id": f"u{n % 7}", "message_id": f"m{n}"} for n in range(50)]
    counts = []

    def send(client, number):
        mixed = random.Random(number).sample(rows, len(rows))
        counts.append(take(client.post(f"{EVENTS}/batch", json={"events": mixed}), 200))

    at_once(send)
    assert sum(one["accepted"] for one in counts) == 50
    assert sum(one["duplicates"] for one in counts) == 50 * (SENDERS - 1)


def test_events_merges_and_erasures_at_once_leave_nothing_behind(people, at_once, member, in_tenant):
    from app.cdp.models import Identity, Profile, ProfileEvent
    from app.core.db import db

    sent = []

    def act(client, number):
        chance = random.Random(number)
        for _ in range(6):
            rows = [
                {"event_name": "page", "anonymous_id": f"a{chance.randrange(8)}"}
                | ({"user_id": f"u{chance.randrange(4)}"} if chance.random() < 0.5 else {})
                for _ in range(10)
            ]
            sent.append(take(client.post(f"{EVENTS}/batch", json={"events": rows}), 200)["accepted"])
            if number == 0:
                ids = [one["id"] for one in take(client.get("/api/v1/cdp/profiles"), 200)["items"]]
                client.post(f"/api/v1/cdp/profiles/{ids[0]}/merge", json={"profile_id": ids[-1]})

    at_once(act)
    with in_tenant(member.tenant_id):
        gone = select(Profile.id).where(Profile.merged_into_id.is_not(None))
        for model in (ProfileEvent, Identity):
            assert db.session.scalars(select(model.id).where(model.profile_id.in_(gone))).all() == []
        assert db.session.scalar(select(func.count()).select_from(ProfileEvent)) == sum(sent) == SENDERS * 60
        nameless = select(Profile.id).where(
            Profile.merged_into_id.is_(None), ~Profile.id.in_(select(Identity.profile_id))
        )
        assert db.session.scalars(nameless).all() == []
