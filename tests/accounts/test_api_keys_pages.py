"""API keys as a page: shown once, kept from a second sending, rotated and revoked."""

from __future__ import annotations

import re

import pytest

URL = "/app/settings/api-keys"


@pytest.fixture
def send(client):
    """Send a form of the page, with what its hidden fields hold."""

    def post(path: str = URL, **fields):
        page = client.get(URL).text
        hidden = {name: re.search(rf'name="{name}" value="([^"]+)"', page)[1] for name in ("csrf_token", "once")}
        return client.post(path, data=hidden | fields)

    return post


def key_in(answer) -> str:
    return re.search(r'<code id="new-key">([^<]+)</code>', answer.text)[1]


def test_a_key_is_shown_once_with_an_example_and_works(send, client, anonymous):
    made = send(name="Nightly report", scopes=["read"], expires_in_days="30")
    key = key_in(made)
    assert made.status_code == 201
    assert f"Authorization: Bearer {key}" in made.text.replace("&#34;", '"')
    assert made.headers["Cache-Control"] == "no-store"
    assert anonymous.get("/audience", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    page = client.get(URL).text
    assert key not in page
    for part in ("Nightly report", key[:12], "Scopes: read.", "Works until"):
        assert part in page, part


def test_reloading_the_answer_makes_no_second_key(client, send):
    page = client.get(URL).text
    form = {name: re.search(rf'name="{name}" value="([^"]+)"', page)[1] for name in ("csrf_token", "once")}
    form |= {"name": "Once", "scopes": "read", "expires_in_days": ""}
    assert client.post(URL, data=form).status_code == 201
    again = client.post(URL, data=form)
    assert (again.status_code, again.location) == (303, URL)
    assert client.get("/api/v1/api-keys").get_json()["total"] == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "", "scopes": ["read"], "expires_in_days": ""}, "Enter a name of at most 80 characters."),
        ({"name": "Kept name", "expires_in_days": "30"}, "Choose at least one of read, write"),
        ({"name": "Kept name", "scopes": ["all"], "expires_in_days": ""}, "Choose at least one of read, write"),
        ({"name": "Kept name", "scopes": ["read"], "expires_in_days": "31"}, "Choose one of what is offered."),
    ],
)
def test_a_refused_form_keeps_what_was_typed_and_says_what_to_mend(send, fields, message):
    answer = send(**fields)
    assert answer.status_code == 422
    assert message in answer.text
    assert f'value="{fields["name"]}"' in answer.text
    assert ('value="read" checked' in answer.text) == (fields.get("scopes") == ["read"])


def test_a_form_that_was_refused_can_be_sent_again(client, send):
    page = client.get(URL).text
    form = {name: re.search(rf'name="{name}" value="([^"]+)"', page)[1] for name in ("csrf_token", "once")}
    assert client.post(URL, data=form | {"name": "", "expires_in_days": ""}).status_code == 422
    good = form | {"name": "x", "scopes": "read", "expires_in_days": ""}
    assert client.post(URL, data=good).status_code == 201


def test_a_rotated_key_is_shown_once_and_says_until_when_the_old_one_works(send, client, anonymous):
    old = key_in(send(name="Nightly", scopes=["read"], expires_in_days=""))
    key_id = client.get("/api/v1/api-keys").get_json()["items"][0]["id"]
    rotated = send(f"{URL}/{key_id}/rotate", overlap_hours="24")
    assert rotated.status_code == 201
    assert "The old key works until" in rotated.text
    for key in (old, key_in(rotated)):
        assert anonymous.get("/audience", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    again = send(f"{URL}/{key_id}/rotate", overlap_hours="24")
    assert again.status_code == 303
    assert "was rotated before" in client.get(URL).text


def test_a_revoked_key_is_folded_below_the_others(send, client, anonymous):
    key = key_in(send(name="Nightly", scopes=["read"], expires_in_days=""))
    key_id = client.get("/api/v1/api-keys").get_json()["items"][0]["id"]
    assert send(f"{URL}/{key_id}/revoke").status_code == 303
    page = client.get(URL).text
    assert "No keys yet" in page
    assert "Nightly" in page[page.index("that ended") :]
    assert anonymous.get("/audience", headers={"Authorization": f"Bearer {key}"}).status_code == 401


def test_a_key_opens_no_page(send, anonymous):
    key = key_in(send(name="Nightly", scopes=["admin"], expires_in_days=""))
    answer = anonymous.get(URL, headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.location.startswith("/login")) == (303, True)


def test_another_tenants_key_is_neither_rotated_nor_revoked(send, client, client_for, other_member):
    theirs = client_for(other_member).post("/api/v1/api-keys", json={"name": "x", "scopes": ["read"]}).get_json()
    assert send(f"{URL}/{theirs['id']}/rotate", overlap_hours="1").status_code == 404
    assert send(f"{URL}/{theirs['id']}/revoke").status_code == 404
    assert client_for(other_member).get(f"/api/v1/api-keys/{theirs['id']}").get_json()["state"] == "live"
