"""Someone who is erased is erased from the messages that named them."""

from __future__ import annotations

import pytest

from tests.webhooks.receiver import Reply


@pytest.fixture
def people(client):
    """Two people as the tenant knows them."""
    url = "/api/v1/cdp/events"
    return [
        client.post(url, json={"event_name": "page", "user_id": name}).json["profile_id"] for name in ("ada", "bea")
    ]


def test_erasing_a_person_takes_them_out_of_every_message(client, people, make_hook, happen, run_jobs, sent, receiver):
    hook = make_hook()
    ada, bea = people
    happen(ada, bea)
    happen(ada)
    happen(bea, ada * 1000 + 7)  # a number that holds theirs
    run_jobs()
    assert client.delete(f"/api/v1/cdp/profiles/{ada}").status_code == 204
    run_jobs()
    assert [one["body"]["data"]["profile_ids"] for one in sent(hook)] == [[bea, ada * 1000 + 7], [bea]]


def test_what_still_waits_does_not_tell_of_them_any_more(
    client, people, make_hook, happen, run_jobs, deliver, travel, receiver
):
    make_hook()
    ada, bea = people
    receiver.script = [Reply(500)]
    happen(ada, bea)
    run_jobs()
    client.delete(f"/api/v1/cdp/profiles/{ada}")
    run_jobs()
    travel(seconds=10)
    deliver()
    assert [one.json["data"]["profile_ids"] for one in receiver.received] == [[ada, bea], [bea]]


def test_what_is_handed_out_of_a_person_names_the_messages_about_them(people, make_hook, happen, in_tenant, member):
    from app.cdp import personal_data

    hook = make_hook()
    ada, bea = people
    happen(ada, bea)
    happen(bea)
    with in_tenant(member.tenant_id):
        found = personal_data.export(ada)["webhook_deliveries"]
    assert [(one["webhook_id"], one["event"]) for one in found] == [(hook["id"], "segment.entered")]
