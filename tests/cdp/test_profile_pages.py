"""Pages of people: the list, one person, and changing what is known of them."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.pages import token_in

EVENTS = "/api/v1/cdp/events"


@pytest.fixture
def token(client) -> str:
    return token_in(client.get("/app/profiles").text)


@pytest.fixture
def ada(client) -> int:
    """A known person with traits and two events."""
    traits = {"name": "Ada Lovelace", "email": "ada@example.com", "city": "Leeds", "age": 36}
    client.post(EVENTS, json={"event_name": "page", "anonymous_id": "d1", "properties": {"path": "/boxes"}})
    body = {"event_name": "signup", "anonymous_id": "d1", "user_id": "u1", "traits": traits}
    return client.post(EVENTS, json=body).get_json()["profile_id"]


def post(client, url: str, token: str, **fields: object):
    return client.post(url, data={"csrf_token": token, **fields})


def test_with_nobody_the_page_says_how_to_begin(client):
    page = client.get("/app/profiles").text
    assert "Bring your customers" in page
    assert "curl http" in page
    assert "/app/imports/new" in page
    assert "Load sample people" in page


def test_the_list_shows_who_they_are_and_what_they_agreed_to(client, ada):
    client.post(f"/api/v1/cdp/profiles/{ada}/consent", json={"channel": "email", "state": "granted"})
    page = client.get("/app/profiles").text
    assert "Ada Lovelace" in page
    assert "ada@example.com" in page
    assert "Leeds" in page
    assert '<span class="cus-tag">E-mail</span>' in page
    assert '<span class="cus-tag">SMS</span>' not in page


def test_search_and_stage_stand_in_the_address(client, ada):
    client.post(EVENTS, json={"event_name": "page", "anonymous_id": "d2"})
    found = client.get("/app/profiles?q=love").text
    assert "Ada Lovelace" in found
    assert "Anonymous" not in re.sub(r"<section.*?</section>|<option.*?</option>", "", found, flags=re.S)
    anonymous = client.get("/app/profiles?lifecycle=anonymous").text
    assert "Ada Lovelace" not in anonymous
    assert "Nobody found" in client.get("/app/profiles?q=nobody-at-all").text


def test_htmx_gets_the_table_alone(client, ada):
    part = client.get("/app/profiles?q=ada", headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div id="people">')
    assert "<html" not in part


def test_a_page_past_the_end_is_the_last_one(client, ada):
    assert "Ada Lovelace" in client.get("/app/profiles?page=99").text


def test_the_file_has_everybody_and_runs_no_formula(client, ada):
    client.post(
        EVENTS, json={"event_name": "x", "user_id": "u2", "traits": {"name": "=cmd()", "phone": "+14155550123"}}
    )
    answer = client.get("/app/profiles/export.csv")
    assert answer.mimetype == "text/csv"
    assert "Ada Lovelace" in answer.text
    assert "'=cmd()" in answer.text
    assert ",+14155550123," in answer.text
    assert "=cmd()" not in client.get("/app/profiles/export.csv?q=ada").text


def test_another_tenants_people_are_not_in_the_file(client, ada, client_for, other_member):
    assert "Ada" not in client_for(other_member).get("/app/profiles/export.csv").text


def test_sample_people_come_once(client, token):
    for _ in range(2):
        assert post(client, "/app/profiles/samples", token).status_code == 303
    figures = client.get("/api/v1/cdp/profiles/statistics").get_json()
    assert figures["total_profiles"] == 1200
    assert figures["identified_profiles"] == 720
    assert "Priya" in client.get("/app/profiles?q=priya").text


def test_sample_people_have_numbers_in_several_countries_and_have_said_what_they_agree_to(client, token, run_jobs):
    post(client, "/app/profiles/samples", token)
    for prefix in ("+44", "+1", "+49", "+33", "+46"):
        person = client.get("/api/v1/cdp/profiles", query_string={"q": prefix}).get_json()["items"][0]
        assert person["phone"].startswith(prefix)
    records = client.get(f"/api/v1/cdp/profiles/{person['id']}/consent").get_json()["records"]
    assert records[0]["evidence"]
    run_jobs()
    for channel in ("sms", "whatsapp", "email"):
        asked = {"type": "consent", "channel": channel, "state": "granted"}
        found = client.post("/api/v1/cdp/segments/preview", json={"conditions": asked}).get_json()
        assert 150 < found["count"] < 700, channel


def test_the_person_is_shown_with_all_that_is_known(client, ada):
    page = client.get(f"/app/profiles/{ada}").text
    for text in ("Ada Lovelace", "ada@example.com", "u1", "d1", "Leeds", "signup", "/boxes", "Today"):
        assert text in page, text


def test_the_timeline_goes_on_where_it_stopped(client, ada):
    events = [
        {"event_name": "tick", "user_id": "u1", "properties": {"n": n}, "timestamp": f"2026-01-01T10:{n:02}:00Z"}
        for n in range(60)
    ]
    client.post(f"{EVENTS}/batch", json={"events": events})
    page = client.get(f"/app/profiles/{ada}").text
    more = re.search(r'hx-get="([^"]+)"[^>]*>Earlier', page).group(1).replace("&amp;", "&")
    rest = client.get(more, headers={"HX-Request": "true"}).text
    seen = re.findall(r"<i>n</i> (\d+)", page) + re.findall(r"<i>n</i> (\d+)", rest)
    assert seen == [str(n) for n in range(59, -1, -1)]
    assert "Earlier" not in rest


def test_a_place_that_is_none_is_refused(client, ada):
    assert client.get(f"/app/profiles/{ada}?before=yesterday").status_code == 422


def test_a_trait_is_changed_added_and_removed(client, ada, token):
    form = client.get(f"/app/profiles/{ada}/traits").text
    before = re.search(r'name="before" value="([^"]*)"', form).group(1).replace("&#34;", '"')
    client.post(EVENTS, json={"event_name": "x", "user_id": "u1", "traits": {"plan": "gold"}})
    fields = {
        "trait_name": ["name", "email", "city", "age", "vip"],
        "trait_kind": ["text", "text", "text", "number", "boolean"],
        "trait_text": ["Ada Lovelace", "ada@example.com", "", "37", "yes"],
    }  # fmt: skip
    answer = client.post(f"/app/profiles/{ada}/traits", data={"csrf_token": token, "before": before, **fields})
    assert answer.status_code == 303
    traits = client.get(f"/api/v1/cdp/profiles/{ada}").get_json()["traits"]
    assert traits == {"name": "Ada Lovelace", "email": "ada@example.com", "age": 37, "vip": True, "plan": "gold"}


def test_what_is_no_number_is_said_beside_it_and_nothing_is_lost(client, ada, token):
    fields = {"trait_name": "age", "trait_kind": "number", "trait_text": "about forty"}
    answer = post(client, f"/app/profiles/{ada}/traits", token, before="{}", **fields)
    assert answer.status_code == 422
    assert "This is no number." in answer.text
    assert "about forty" in answer.text


def test_consent_is_recorded_with_how_it_is_known(client, ada, token, member):
    form = {"channel": "sms", "state": "denied", "source": "phone call", "note": "asked twice"}
    assert post(client, f"/app/profiles/{ada}/consent", token, **form).status_code == 303
    body = client.get(f"/api/v1/cdp/profiles/{ada}/consent").get_json()
    assert body["states"]["sms"] == "denied"
    assert body["records"][0]["evidence"] == {"by": member.email, "note": "asked twice"}
    assert "asked twice" in client.get(f"/app/profiles/{ada}").text


def test_a_channel_there_is_not_is_refused(client, ada, token):
    form = {"channel": "pigeon", "state": "denied", "source": "phone call"}
    assert post(client, f"/app/profiles/{ada}/consent", token, **form).status_code == 422


def test_everything_stored_can_be_taken_away(client, ada):
    answer = client.get(f"/app/profiles/{ada}/export.json")
    assert "attachment" in answer.headers["Content-Disposition"]
    body = json.loads(answer.text)
    assert body["profile"]["id"] == ada
    assert len(body["events"]) == 2


def test_a_viewer_reads_and_is_offered_no_change(client_for, make_member, member, client, ada):
    viewer = client_for(make_member("viewer", member.tenant_id))
    page = viewer.get(f"/app/profiles/{ada}").text
    assert "Ada Lovelace" in page
    for offer in ("Edit traits", "Erase this person", "Record a change"):
        assert offer not in page
    assert viewer.get(f"/app/profiles/{ada}/traits").status_code == 403


def test_people_are_found_by_the_search_over_everything(client, ada):
    page = client.get("/app/search?q=love").text
    assert f'href="/app/profiles/{ada}"' in page
    assert "ada@example.com" in page


def test_getting_started_ticks_itself_when_somebody_is_known(client):
    before = client.get("/app").text
    assert re.search(r'<li><a href="/app/profiles">.*?Bring your customers', before)
    client.post(EVENTS, json={"event_name": "page", "anonymous_id": "d1"})
    assert re.search(r'<li><span class="done">[^\n]*?Bring your customers', client.get("/app").text)
