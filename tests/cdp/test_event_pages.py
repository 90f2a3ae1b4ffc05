"""The page of arriving events, and sending them from a page of another site."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from app.core.redis import get_redis

URL, BATCH = "/api/v1/cdp/events", "/api/v1/cdp/events/batch"
SNIPPET = Path(__file__).resolve().parents[2] / "static/js/parley.js"
FOREIGN = {"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def key(app, member, in_tenant) -> str:
    """The text of a key that can send events and nothing else."""
    from app.accounts.services import api_keys
    from app.core.db import unit_of_work

    with in_tenant(member.tenant_id), unit_of_work():
        return api_keys.create("site", ["events"], created_by=member.id, expires_at=None)[1]


def heard(tenant_id: int) -> list[str]:
    return [fields[b"e"].decode() for _, fields in get_redis().xrange(f"sse:{tenant_id}:audience")]


def lines(client, query: str = "") -> list[str]:
    part = client.get(f"/app/events{query}", headers={"HX-Request": "true"}).text
    return re.findall(r'<span class="cus-event__name">([^<]+)', part)


def test_before_the_first_event_the_page_says_how_to_send_one(client):
    page = client.get("/app/events").text
    assert "Waiting for the first event" in page
    assert "static/js/parley.js" in page
    assert "curl http" in page


def test_the_newest_arrivals_come_first_with_who_did_it(client):
    client.post(URL, json={"event_name": "first", "user_id": "u1", "traits": {"name": "Ada"}})
    client.post(URL, json={"event_name": "late", "user_id": "u1", "timestamp": "2020-01-01T00:00:00Z"})
    assert lines(client) == ["late", "first"]
    page = client.get("/app/events").text
    assert ">Ada</a>" in page
    assert "&#34;event_name&#34;: &#34;first&#34;" in page


def test_one_name_can_be_watched(client):
    for name in ("page", "purchase", "page"):
        client.post(URL, json={"event_name": name, "user_id": "u1"})
    assert lines(client, "?name=purchase") == ["purchase"]
    assert lines(client, "?name=never+heard") == []


def test_the_names_say_how_often_they_came_this_week(client):
    for at in ("2020-01-01T00:00:00Z", None, None):
        client.post(URL, json={"event_name": "page", "user_id": "u1", "timestamp": at})
    row = re.search(r"<tr><th scope=\"row\"><a [^>]+>page</a>.*?</tr>", client.get("/app/events").text, re.S).group()
    assert '<span class="ply-num" title="2">2</span>' in row


def test_a_quiet_tenants_events_are_found_behind_a_busy_ones(client, client_for, other_member, monkeypatch):
    from app.cdp.queries import pages_events

    monkeypatch.setattr(pages_events, "STRETCH", 5)
    client.post(URL, json={"event_name": "quiet", "user_id": "u1"})
    busy = [{"event_name": "busy", "user_id": "u1"} for _ in range(20)]
    client_for(other_member).post(BATCH, json={"events": busy})
    assert lines(client) == ["quiet"]
    assert lines(client, "?name=quiet") == ["quiet"]


def test_another_tenants_events_are_not_shown(client, client_for, other_member):
    client.post(URL, json={"event_name": "ours", "user_id": "u1"})
    assert lines(client_for(other_member)) == []


def test_pages_hear_of_events_while_somebody_watches(client, member, monkeypatch):
    from app.cdp.services import tail

    monkeypatch.setattr(tail, "_said_at", {})
    client.post(URL, json={"event_name": "page", "user_id": "u1"})
    assert "cdp_event" not in heard(member.tenant_id)
    client.get("/app/events")
    monkeypatch.setattr(tail, "_said_at", {})
    monkeypatch.setattr(tail, "EVERY_SECONDS", 60)
    for _ in range(5):
        client.post(URL, json={"event_name": "page", "user_id": "u1"})
    assert heard(member.tenant_id).count("cdp_event") == 1


@pytest.mark.parametrize("url", [URL, BATCH])
def test_a_browser_is_told_what_a_foreign_page_may_send(anonymous, url):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    answer = anonymous.options(url, headers={**FOREIGN, **asked})
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_foreign_page_sends_with_a_key(anonymous, key):
    body = {"events": [{"event_name": "page", "anonymous_id": "a1"}]}
    answer = anonymous.post(BATCH, json=body, headers={**FOREIGN, "Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.get_json()["accepted"]) == (200, 1)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_foreign_page_cannot_use_the_cookie_of_who_is_signed_in(client):
    body = {"events": [{"event_name": "page", "anonymous_id": "a1"}]}
    assert client.post(BATCH, json=body, headers=FOREIGN).status_code == 403
    wrong = client.post(BATCH, json=body, headers={**FOREIGN, "Authorization": "Bearer key_wrong"})
    assert wrong.status_code == 401
    assert wrong.headers["Access-Control-Allow-Origin"] == "*"


def test_no_other_address_is_open_to_foreign_pages(anonymous, key):
    asked = {**FOREIGN, "Access-Control-Request-Method": "GET"}
    answer = anonymous.options("/api/v1/cdp/profiles", headers=asked)
    assert "Access-Control-Allow-Origin" not in answer.headers
    read = anonymous.get("/api/v1/cdp/profiles", headers={**FOREIGN, "Authorization": f"Bearer {key}"})
    assert read.status_code == 403
    assert "Access-Control-Allow-Origin" not in read.headers


def test_the_snippet_stays_small():
    assert len(gzip.compress(SNIPPET.read_bytes(), 9)) < 3 * 1024
