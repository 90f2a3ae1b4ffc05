"""Pages of imports: upload, mapping, trial, start, progress, refused rows."""

from __future__ import annotations

import io
import json
import re

import pytest

from tests.support.pages import token_in

PEOPLE = "Name,E-mail,Mobile,Town\nAda Lovelace,ada@example.com,+14155550123,Leeds\nGrace,not an address,,York\n"


@pytest.fixture
def token(client) -> str:
    return token_in(client.get("/app/imports").text)


@pytest.fixture
def upload(client, token):
    """Upload a text as a file; answers with the response."""

    def send(text: str, kind: str = "people", name: str = "people.csv", **fields: str):
        data = {"csrf_token": token, "kind": kind, "file": (io.BytesIO(text.encode()), name), **fields}
        return client.post("/app/imports/new", data=data, content_type="multipart/form-data")

    return send


def mapping_of(page: str) -> dict[str, str]:
    """The mapping form as the page has it."""
    form = {}
    for name, options in re.findall(r'<select class="form-select" name="(place_\d+)".*?>(.*?)</select>', page, re.S):
        form[name] = (re.findall(r'value="([^"]*)"(?: data-plain)? selected', options) or [""])[0]
    return form | dict(re.findall(r'name="(label_\d+)" value="([^"]*)"', page))


def test_with_no_import_the_page_says_what_to_bring(client):
    assert "No file yet" in client.get("/app/imports").text


def test_the_columns_are_guessed_and_shown_with_their_first_values(client, upload):
    url = upload(PEOPLE).location
    page = client.get(url).text
    assert "Ada Lovelace" in page
    assert "Leeds" in page
    form = mapping_of(page)
    assert [form[f"place_{n}"] for n in range(4)] == ["traits", "email", "phone", "traits"]


def test_the_name_of_another_system_may_be_typed_as_one_likes(client, upload, token, run_jobs):
    url = upload("Shopify Store!,Name\n77,Ada\n").location
    form = {"csrf_token": token, "place_0": "external_ids", "label_0": "Shopify Store!", "place_1": "traits"}
    assert client.post(f"{url}/start", data=form).status_code == 303
    run_jobs()
    person = client.get("/api/v1/cdp/profiles?q=77").get_json()["items"][0]["id"]
    known_by = client.get(f"/api/v1/cdp/profiles/{person}").get_json()["identities"]
    assert [(one["kind"], one["value"]) for one in known_by] == [("external:shopify-store", "77")]


def test_a_file_nobody_can_read_is_told_in_a_whole_sentence(client, upload):
    answer = upload("a\0b")
    assert answer.status_code == 422
    assert "The file is no plain text" in answer.text


def test_the_button_that_stops_goes_when_the_import_is_over(client, upload, token, run_jobs):
    url = upload(PEOPLE).location
    client.post(f"{url}/start", data={"csrf_token": token, **mapping_of(client.get(url).text)})
    assert f'action="{url}/cancel"' in client.get(f"{url}/live").text
    run_jobs()
    assert f'action="{url}/cancel"' not in client.get(f"{url}/live").text


def test_a_trial_says_what_would_happen_and_writes_nothing(client, upload, token):
    url = upload(PEOPLE).location
    form = mapping_of(client.get(url).text)
    part = client.post(f"{url}/try", data={"csrf_token": token, **form}, headers={"HX-Request": "true"}).text
    assert re.findall(r"ply-tile__value[^>]*>(\d+)<", part) == ["1", "1", "0", "1"]
    assert "row 2" in part
    assert "is not an e-mail address" in part
    assert client.get("/api/v1/cdp/profiles/statistics").get_json()["total_profiles"] == 0


def test_a_trial_without_javascript_keeps_what_was_chosen(client, upload, token):
    url = upload(PEOPLE).location
    form = mapping_of(client.get(url).text) | {"place_3": ""}
    page = client.post(f"{url}/try", data={"csrf_token": token, **form}).text
    assert mapping_of(page)["place_3"] == ""
    assert "What would happen" in page


def test_an_import_runs_and_hands_the_refused_rows_back(client, upload, token, run_jobs):
    url = upload(PEOPLE).location
    form = mapping_of(client.get(url).text) | {"place_3": "traits", "label_3": "city"}
    assert client.post(f"{url}/start", data={"csrf_token": token, **form}).location == url
    assert "Waiting for a worker" in client.get(url).text
    run_jobs()
    page = client.get(url).text
    assert re.findall(r"ply-tile__value[^>]*>(\d+)<", page) == ["1", "0", "1"]
    person = client.get("/api/v1/cdp/profiles?q=ada").get_json()["items"][0]
    assert person["traits"]["city"] == "Leeds"
    assert person["phone"] == "+14155550123"
    refused = client.get(f"{url}/rejected.csv")
    assert "attachment" in refused.headers["Content-Disposition"]
    assert "is not an e-mail address" in refused.text
    assert "Grace" in refused.text
    assert "Ada" not in refused.text
    assert ">Done<" in client.get("/app/imports").text


def test_starting_twice_is_harmless(client, upload, token, run_jobs):
    url = upload(PEOPLE).location
    form = {"csrf_token": token, **mapping_of(client.get(url).text)}
    for _ in range(2):
        assert client.post(f"{url}/start", data=form).location == url
    run_jobs()
    assert client.get("/api/v1/cdp/profiles/statistics").get_json()["total_profiles"] == 1


def test_a_mapping_that_names_nobody_is_refused_with_the_reason(client, upload, token):
    url = upload("colour,size\nred,3\n").location
    form = mapping_of(client.get(url).text)
    answer = client.post(f"{url}/start", data={"csrf_token": token, **form})
    assert answer.status_code == 422
    assert "A column must say who it is" in answer.text


def test_rows_of_the_apis_own_form_need_no_mapping(client, upload, token, run_jobs):
    rows = [{"event_name": "purchase", "user_id": "u1", "properties": {"amount": 3}, "traits": {"name": "Ada"}}]
    url = upload("\n".join(map(json.dumps, rows)), "events", "events.jsonl").location
    assert re.search(r'name="as_sent" value="1" checked', client.get(url).text)
    client.post(f"{url}/start", data={"csrf_token": token, "as_sent": "1"})
    run_jobs()
    person = client.get("/api/v1/cdp/profiles?q=ada").get_json()["items"][0]
    assert client.get(f"/api/v1/cdp/profiles/{person['id']}/events").get_json()["items"][0]["properties"] == {
        "amount": 3
    }


@pytest.mark.parametrize(("text", "said"), [("", "is empty"), ("a\x00b", "is no plain text")])
def test_a_file_nobody_can_read_is_refused_beside_the_field(upload, text, said):
    answer = upload(text)
    assert answer.status_code == 422
    assert said in answer.text.lower()
    assert 'id="file-error"' in answer.text


def test_a_file_that_is_too_large_is_refused_beside_the_field(upload, settings_override):
    settings_override(import_max_bytes=1000)
    answer = upload("email\n" + "a@example.com\n" * 8000)
    assert answer.status_code == 413
    assert 'id="file-error"' in answer.text


def test_a_file_larger_than_other_bodies_is_taken(upload, settings_override):
    rows = "email,note\n" + f"a@example.com,{'x' * 1000}\n" * 2500
    assert upload(rows).status_code == 303


def test_an_upload_without_the_pages_token_is_refused(client):
    data = {"kind": "people", "file": (io.BytesIO(b"email\na@example.com\n"), "a.csv")}
    answer = client.post("/app/imports/new", data=data, content_type="multipart/form-data")
    assert answer.status_code in (400, 403)
    assert "No file yet" in client.get("/app/imports").text


def test_an_import_can_be_thrown_away_before_it_starts(client, upload, token):
    url = upload(PEOPLE).location
    assert client.post(f"{url}/cancel", data={"csrf_token": token}).location == url
    assert "Nothing was taken in." in client.get(url).text
    assert client.post(f"{url}/start", data={"csrf_token": token}).location == url


def test_another_tenants_import_is_not_found(client_for, other_member, upload):
    url = upload(PEOPLE).location
    stranger = client_for(other_member)
    for address in (url, f"{url}/live", f"{url}/rejected.csv"):
        assert stranger.get(address).status_code == 404
