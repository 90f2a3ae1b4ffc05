"""Webhooks as pages: made and their secret shown once, changed, paused, rotated, tested, deleted; what was sent."""

from __future__ import annotations

import re

import pytest

from tests.webhooks.conftest import URL as API
from tests.webhooks.receiver import Reply

URL = "/app/settings/webhooks"


@pytest.fixture
def send(client):
    """Send a form of the page, with its token."""

    def post(path: str = "", **fields):
        token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(URL).text)[1]
        return client.post(URL + path, data={"csrf_token": token, **fields})

    return post


def test_a_webhook_is_made_its_secret_shown_once_and_it_works(send, client, receiver, happen, run_jobs):
    made = send(url=f"{receiver.url}/hook", description="Shop", events=["segment.entered", "audience.ready"])
    assert made.status_code == 201
    secret = re.search(r'<code id="new-secret">(whsec_[^<]+)</code>', made.text)[1].replace("&#43;", "+")
    hook = client.get(API).json["items"][0]
    page = client.get(f"{URL}/{hook['id']}")
    listed = client.get(URL)
    assert (page.status_code, listed.status_code) == (200, 200)
    assert secret not in page.text + listed.text
    assert "Shop" in listed.text
    happen()
    run_jobs()
    assert len(receiver.received) == 1


def test_a_refused_form_says_so_beside_the_fields_and_keeps_what_was_typed(send, client, settings_override):
    settings_override(allow_private_urls=False)
    refused = send(url="http://127.0.0.1/hook", description="Mine", events=["segment.left"])
    assert refused.status_code == 422
    assert "private network" in refused.text
    assert 'value="Mine"' in refused.text
    assert re.search(r'value="segment.left" checked', refused.text)
    nothing = send(url="https://93.184.216.34/", description="")
    assert (nothing.status_code, "Choose at least one." in nothing.text) == (422, True)
    assert client.get(API).json["total"] == 0


def test_what_is_changed_on_the_page_holds(send, client, make_hook, receiver):
    hook = make_hook()
    saved = send(f"/{hook['id']}", url=f"{receiver.url}/new", description="Store", events=["segment.left"])
    assert saved.status_code == 303
    shown = client.get(f"{API}/{hook['id']}").json
    assert (shown["url"], shown["description"], shown["events"]) == (f"{receiver.url}/new", "Store", ["segment.left"])
    refused = send(f"/{hook['id']}", url="nonsense", description="Other", events=["segment.left"])
    assert (refused.status_code, 'value="Other"' in refused.text) == (422, True)
    assert client.get(f"{API}/{hook['id']}").json == shown


def test_paused_and_resumed_by_button(send, client, make_hook):
    hook = make_hook()
    assert send(f"/{hook['id']}/pause").status_code == 303
    assert "Paused: what happens meanwhile waits" in client.get(f"{URL}/{hook['id']}").text
    send(f"/{hook['id']}/resume")
    assert client.get(f"{API}/{hook['id']}").json["state"] == "active"


def test_a_new_secret_is_shown_with_when_the_old_one_ends(send, make_hook):
    hook = make_hook()
    rotated = send(f"/{hook['id']}/rotate-secret", overlap_hours="24")
    assert (rotated.status_code, "signs beside it until" in rotated.text) == (201, True)
    assert hook["secret"] not in rotated.text
    again = send(f"/{hook['id']}/rotate-secret", overlap_hours="24")
    assert again.status_code == 303  # and a note says that two sign already
    assert send(f"/{hook['id']}/rotate-secret", overlap_hours="9999").status_code == 422


def test_a_test_and_what_came_back_are_seen_and_sent_again(send, client, make_hook, run_jobs, receiver):
    hook = make_hook()
    receiver.script = [Reply(500, b"<b>no</b>")]
    assert send(f"/{hook['id']}/ping").status_code == 303
    run_jobs()
    listed = client.get(f"{URL}/{hook['id']}").text
    assert "webhook.ping" in listed
    assert "It answered 500." in listed
    delivery = client.get(f"{API}/{hook['id']}/deliveries").json["items"][0]
    shown = client.get(f"{URL}/deliveries/{delivery['id']}").text
    assert "&lt;b&gt;no&lt;/b&gt;" in shown
    assert receiver.ids[0] in shown
    assert send(f"/deliveries/{delivery['id']}/replay").status_code == 303
    run_jobs()
    assert len(receiver.received) == 2
    partial = client.get(f"{URL}/{hook['id']}/deliveries?state=delivered", headers={"HX-Request": "true"}).text
    assert "<html" not in partial
    assert "webhook.ping" in partial


def test_nothing_is_sent_from_the_page_of_one_that_is_off(send, client, make_hook, run_jobs, receiver):
    hook = make_hook()
    receiver.usual = Reply(410)
    send(f"/{hook['id']}/ping")
    run_jobs()
    page = client.get(f"{URL}/{hook['id']}").text
    assert "This webhook was turned off. It answered 410 Gone." in page
    assert "Send a test" not in page
    assert send(f"/{hook['id']}/ping").status_code == 303
    run_jobs()
    assert len(receiver.received) == 1


def test_deleted_by_button(send, client, make_hook):
    hook = make_hook()
    assert send(f"/{hook['id']}/delete").status_code == 303
    assert client.get(f"{URL}/{hook['id']}").status_code == 404
    assert "Your first webhook" in client.get(URL).text


def test_the_settings_lead_to_it_for_admins_only(client, client_for, make_member, member):
    assert f'href="{URL}"' in client.get("/app/settings/you").text
    manager = client_for(make_member("manager", member.tenant_id))
    assert f'href="{URL}"' not in manager.get("/app/settings/you").text
