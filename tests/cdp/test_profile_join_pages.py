"""Merging, splitting and erasing a person on pages."""

from __future__ import annotations

import re

import pytest

from tests.support.pages import token_in

EVENTS = "/api/v1/cdp/events"


@pytest.fixture
def token(client) -> str:
    return token_in(client.get("/app/profiles").text)


def make(client, user_id: str, **values: object) -> int:
    return client.post(EVENTS, json={"event_name": "page", "user_id": user_id, **values}).get_json()["profile_id"]


def post(client, url: str, token: str, **fields: object):
    return client.post(url, data={"csrf_token": token, **fields})


def test_two_profiles_become_one_and_the_old_address_leads_to_it(client, token):
    ada, double = make(client, "ada", traits={"name": "Ada"}), make(client, "ada-2", traits={"name": "A. Lovelace"})
    choice = client.get(f"/app/profiles/{ada}/merge?q=ada").text
    assert "A. Lovelace" in choice
    assert f'value="{double}"' in choice
    assert f'value="{ada}"' not in choice
    assert post(client, f"/app/profiles/{ada}/merge", token, other=double).location == f"/app/profiles/{ada}"
    moved = client.get(f"/app/profiles/{double}")
    assert (moved.status_code, moved.location) == (302, f"/app/profiles/{ada}")
    assert "ada-2" in client.get(f"/app/profiles/{ada}").text


def test_a_merge_is_undone_from_the_page(client, token):
    ada, double = make(client, "ada"), make(client, "ada-2")
    post(client, f"/app/profiles/{ada}/merge", token, other=double)
    undo = re.search(r'action="([^"]+/undo)"', client.get(f"/app/profiles/{ada}").text).group(1)
    assert post(client, undo, token).location == f"/app/profiles/{double}"
    assert "ada-2" in client.get(f"/app/profiles/{double}").text
    assert "Merged into this profile" not in client.get(f"/app/profiles/{ada}").text


def test_nobody_is_merged_with_themselves_or_with_nobody(client, token):
    ada = make(client, "ada")
    assert post(client, f"/app/profiles/{ada}/merge", token, other=ada).status_code == 422
    assert post(client, f"/app/profiles/{ada}/merge", token, other="x").status_code == 422
    assert post(client, f"/app/profiles/{ada}/merge", token, other=999_999).status_code == 404


def test_another_tenants_person_cannot_be_merged(client, token, client_for, other_member):
    ada, theirs = make(client, "ada"), make(client_for(other_member), "theirs")
    assert post(client, f"/app/profiles/{ada}/merge", token, other=theirs).status_code == 404


def test_chosen_identities_become_somebody_else(client, token):
    ada = make(client, "ada", anonymous_id="shared-tablet")
    form = client.get(f"/app/profiles/{ada}/split").text
    tablet = re.search(r'value="(\d+)"><b class="cus-value">shared-tablet', form).group(1)
    away = post(client, f"/app/profiles/{ada}/split", token, identity_ids=tablet).location
    assert away != f"/app/profiles/{ada}"
    assert "shared-tablet" in client.get(away).text
    assert "shared-tablet" not in client.get(f"/app/profiles/{ada}").text


def test_a_split_needs_some_identity_and_leaves_one(client, token):
    ada = make(client, "ada", anonymous_id="d1")
    ids = re.findall(r'name="identity_ids" value="(\d+)"', client.get(f"/app/profiles/{ada}/split").text)
    assert len(ids) == 2
    none = post(client, f"/app/profiles/{ada}/split", token)
    every = post(client, f"/app/profiles/{ada}/split", token, identity_ids=ids)
    assert (none.status_code, every.status_code) == (422, 422)
    assert "has to stay" in every.text


def test_erasing_says_in_numbers_what_goes_and_asks_for_the_name(client, token):
    ada = make(client, "ada", traits={"name": "Ada Lovelace"})
    make(client, "ada")
    page = client.get(f"/app/profiles/{ada}/erase").text.replace("\xa0", " ")
    assert "2 events" in page
    assert "1 identity" in page
    assert "Ada Lovelace" in page
    refused = post(client, f"/app/profiles/{ada}/erase", token, typed="yes")
    assert refused.status_code == 422
    assert "Nothing was erased" in refused.text
    assert client.get(f"/app/profiles/{ada}").status_code == 200
    assert post(client, f"/app/profiles/{ada}/erase", token, typed="Ada Lovelace").location == "/app/profiles"
    assert client.get(f"/app/profiles/{ada}").status_code == 404
