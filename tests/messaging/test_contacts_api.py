"""Users of the messaging contract: made, listed, changed, erased; numbers and words of consent checked."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

URL = "/messaging/api/v1/users"
JANE = {"phone_e164": "+14155551234", "consent_state": "OPT_IN", "attributes": {"name": "Jane Smith", "city": "Austin"}}


@pytest.fixture
def call(client):
    """Call the API and look at the status."""

    def do(method, path="", status=200, **options):
        answer = client.open(f"{URL}{path}", method=method, **options)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    return do


@pytest.fixture
def add(call):
    """Make a user with this number."""

    def make(phone, word=None, **attributes):
        return call("POST", status=201, json={"phone_e164": phone, "consent_state": word, "attributes": attributes})

    return make


def test_a_user_is_created_and_read_back(call):
    made = call("POST", status=201, json=JANE)
    assert made["message"] == "User created successfully"
    assert (made["phone_e164"], made["consent_state"]) == ("+14155551234", "OPT_IN")
    got = call("GET", "/%2B14155551234")
    assert got["attributes"] == {"name": "Jane Smith", "city": "Austin"}
    assert got["consent_updated_at"]
    assert got["last_message_received"] is None
    assert got["created_at"].endswith("Z")


@pytest.mark.parametrize("path", ["/%2B14155551234", "/+14155551234", "/14155551234", "/%2B1%20415%20555%201234"])
def test_a_number_in_the_address_may_be_written_in_several_ways(call, path):
    call("POST", status=201, json=JANE)
    assert call("GET", path)["phone_e164"] == "+14155551234"


def test_a_user_is_a_profile_and_its_attributes_are_traits(call, client):
    call("POST", status=201, json=JANE)
    profile = client.get("/api/v1/cdp/profiles?q=jane").get_json()["items"][0]
    assert (profile["name"], profile["phone"], profile["traits"]["city"]) == ("Jane Smith", "+14155551234", "Austin")
    assert client.get(f"/api/v1/cdp/profiles/{profile['id']}/consent").get_json()["states"]["sms"] == "granted"


def test_a_number_somebody_has_is_a_conflict_and_changes_nothing(call):
    call("POST", status=201, json=JANE)
    refused = call("POST", status=409, json=JANE | {"phone_e164": "+1 (415) 555-1234", "attributes": {"city": "Rome"}})
    assert refused["error"] == "conflict"
    assert refused["details"]["field"] == "phone_e164"
    assert call("GET", "/14155551234")["attributes"]["city"] == "Austin"


@pytest.mark.parametrize("phone", ["1234567890", "nonsense", "", None, 14155551234, "+1", "+999999", "0000000000", []])
def test_a_bad_number_is_refused_with_what_was_given_and_what_is_expected(call, phone):
    body = call("POST", status=400, json={"phone_e164": phone})
    assert (body["error"], body["field"]) == ("validation_error", "phone_e164")
    assert body["message"] == "Phone number must be in E.164 format"
    assert body["details"]["expected"] == "E.164 format (+1234567890)"
    assert body["details"]["provided"] == ("[]" if phone == [] else phone)
    assert body["request_id"]
    assert body["timestamp"]


def test_a_body_without_a_number_is_refused_the_same_way(call):
    assert call("POST", status=400, json={"consent_state": "OPT_IN"})["details"] == {
        "field": "phone_e164", "provided": None, "expected": "E.164 format (+1234567890)"
    }  # fmt: skip


@pytest.mark.parametrize("word", ["MAYBE", "opt_in", "UNKNOWN", 1, True, {"a": 1}])
def test_an_unknown_consent_state_is_refused(call, word):
    body = call("POST", status=400, json=JANE | {"consent_state": word})
    assert body["details"]["field"] == "consent_state"
    assert body["details"]["expected"] == "OPT_IN, OPT_OUT or STOP"
    call("GET", "/14155551234", 404)


@pytest.mark.parametrize("attributes", [[1], "x", {"$id": 1}, {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}])
def test_attributes_that_cannot_be_kept_are_refused(call, attributes):
    body = call("POST", status=400, json=JANE | {"attributes": attributes})
    assert body["details"]["field"] == "attributes"
    assert body["details"]["provided"] is not None


def test_an_unknown_number_is_not_found_and_a_bad_one_is_refused(call):
    missing = call("GET", "/%2B14155559999", 404)
    assert (missing["error"], missing["message"]) == ("not_found", "User with phone +14155559999 not found")
    assert call("GET", "/nonsense", 400)["details"]["provided"] == "nonsense"
    assert call("PUT", "/14155559999", 404, json={"attributes": {"a": 1}})["error"] == "not_found"
    assert call("DELETE", "/14155559999", 404)["error"] == "not_found"


def test_a_number_without_its_country_is_of_the_workspaces_region(call, client):
    call("POST", status=400, json={"phone_e164": "020 7946 0958"})
    assert client.put("/api/v1/cdp/identity-rules", json={"default_region": "GB"}).status_code == 200
    assert call("POST", status=201, json={"phone_e164": "020 7946 0958"})["phone_e164"] == "+442079460958"


def test_a_change_sets_what_is_given_removes_nulls_and_leaves_the_rest(call):
    call("POST", status=201, json=JANE)
    body = {"consent_state": "OPT_OUT", "attributes": {"name": "Jane Doe", "tier": "enterprise", "city": None}}
    changed = call("PUT", "/%2B14155551234", json=body)
    assert changed["attributes"] == {"name": "Jane Doe", "tier": "enterprise"}
    assert changed["consent_state"] == "OPT_OUT"
    assert call("PUT", "/%2B14155551234", json={"attributes": {"age": 30}})["consent_state"] == "OPT_OUT"
    call("PUT", "/%2B14155551234", 400, json={"consent_state": "NO"})


def test_a_refused_change_changes_nothing(call):
    call("POST", status=201, json=JANE)
    call("PUT", "/14155551234", 400, json={"attributes": {"city": "Rome"}, "consent_state": "NO"})
    assert call("GET", "/14155551234")["attributes"]["city"] == "Austin"


def test_a_stop_is_told_from_an_opt_out_and_an_explicit_opt_in_lifts_it(call, client):
    call("POST", status=201, json=JANE | {"consent_state": "STOP"})
    assert call("GET", "/14155551234")["consent_state"] == "STOP"
    assert call("PUT", "/14155551234", json={"consent_state": "OPT_IN"})["consent_state"] == "OPT_IN"
    profile_id = client.get("/api/v1/cdp/profiles?q=jane").get_json()["items"][0]["id"]
    records = client.get(f"/api/v1/cdp/profiles/{profile_id}/consent").get_json()["records"]
    assert [(row["state"], row["source"]) for row in records] == [("granted", "api"), ("denied", "stop")]
    assert records[0]["evidence"]["by"]


def test_a_word_that_is_in_force_already_is_not_noted_again(call, client):
    call("POST", status=201, json=JANE)
    before = call("PUT", "/14155551234", json={"consent_state": "OPT_IN"})["consent_updated_at"]
    assert call("GET", "/14155551234")["consent_updated_at"] == before
    profile_id = client.get("/api/v1/cdp/profiles?q=jane").get_json()["items"][0]["id"]
    assert len(client.get(f"/api/v1/cdp/profiles/{profile_id}/consent").get_json()["records"]) == 1


def test_lists_turn_pages_newest_first_and_leave_out_people_without_a_number(call, add, client):
    for n in range(5):
        add(f"+1415555010{n}")
    client.post("/api/v1/cdp/events", json={"event_name": "page", "email": "no-number@mail.org"})
    page = call("GET", "?page=2&per_page=2")
    assert [one["phone_e164"] for one in page["users"]] == ["+14155550102", "+14155550101"]
    assert {name: page[name] for name in ("total", "page", "per_page", "pages")} == {
        "total": 5, "page": 2, "per_page": 2, "pages": 3,
    }  # fmt: skip
    assert call("GET", "?page=9")["users"] == []


@pytest.mark.parametrize("query", ["per_page=101", "per_page=0", "page=0", "page=x", "consent_state=YES"])
def test_a_list_refuses_what_it_cannot_mean(call, query):
    refused = call("GET", f"?{query}", 400)
    assert refused["error"] == "validation_error"
    details = refused["details"]
    name, _, given = query.partition("=")
    assert (details["field"], details["provided"]) == (name, given)
    assert details["expected"]


def test_what_is_no_whole_number_is_told_in_few_words(call):
    assert call("GET", "?page=x", 400)["details"]["expected"] == "a valid integer"


def test_a_field_nobody_knows_is_expected_not_to_be_there(call):
    details = call("POST", status=400, json=JANE | {"nickname": "J"})["details"]
    assert (details["field"], details["expected"]) == ("nickname", "no such field")


@pytest.mark.parametrize(
    ("word", "expected"),
    [("OPT_IN", {"+14155550101"}), ("OPT_OUT", {"+14155550102"}), ("STOP", {"+14155550103"}),
     ("UNKNOWN", {"+14155550104"}), ("", {f"+1415555010{n}" for n in (1, 2, 3, 4)})],
)  # fmt: skip
def test_lists_filter_by_consent(call, add, word, expected):
    for n, given in enumerate(("OPT_IN", "OPT_OUT", "STOP", None), start=1):
        add(f"+1415555010{n}", given)
    page = call("GET", f"?consent_state={word}")
    assert {one["phone_e164"] for one in page["users"]} == expected
    assert page["total"] == len(expected)


def test_many_of_one_state_are_counted_in_the_index(call, add, monkeypatch, run_jobs):
    from app.cdp.queries import contacts as people

    for n in range(4):
        add(f"+1415555010{n}", "OPT_IN" if n else None)
    run_jobs()
    monkeypatch.setattr(people, "MOST_COUNTED", 1)
    assert call("GET", "?consent_state=OPT_IN&per_page=1")["total"] == 3
    assert call("GET", "?per_page=1")["total"] == 4


def test_a_list_says_when_each_wrote_last_also_under_a_profile_merged_since(call, add, client, member, in_tenant):
    from app.core.db import db, unit_of_work
    from app.messaging.models import InboundMessage

    add("+14155550101", name="Ann")
    add("+14155550102", name="Bob")
    ids = {
        row["name"]: row["id"] for row in client.get("/api/v1/cdp/profiles").get_json()["items"]
    }  # fmt: skip
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    with in_tenant(member.tenant_id), unit_of_work():
        for n, name in enumerate(("Ann", "Ann", "Bob")):
            row = InboundMessage(profile_id=ids[name], channel="sms", address="+14155550101", sender="+1", sid=f"SM{n}",
                                 received_at=when.replace(day=2 + n))  # fmt: skip
            db.session.add(row)
    times = {one["phone_e164"]: one["last_message_received"] for one in call("GET")["users"]}
    assert times == {"+14155550101": "2026-01-03T03:04:05.000000Z", "+14155550102": "2026-01-04T03:04:05.000000Z"}
    assert client.post(f"/api/v1/cdp/profiles/{ids['Ann']}/merge", json={"profile_id": ids["Bob"]}).status_code == 201
    assert call("GET", "/14155550102")["last_message_received"] == "2026-01-04T03:04:05.000000Z"


def test_deleting_a_user_erases_the_person(call, client):
    call("POST", status=201, json=JANE)
    assert call("DELETE", "/%2B14155551234") == {"message": "User deleted successfully", "phone_e164": "+14155551234"}
    call("GET", "/14155551234", 404)
    assert client.get("/api/v1/cdp/profiles/statistics").get_json()["total_profiles"] == 0
    actions = [row["action"] for row in client.get("/api/v1/audit?limit=20").get_json()["items"]]
    assert "profile.erased" in actions


def test_of_two_who_create_one_number_at_once_one_is_told_of_the_other(app, client_for, make_member, member):
    clients = [client_for(make_member("analyst", member.tenant_id)) for _ in range(4)]
    barrier, found = threading.Barrier(4), []

    def send(client):
        barrier.wait()
        found.append(client.post(URL, json=JANE).status_code)

    threads = [threading.Thread(target=send, args=(one,)) for one in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [201, 409, 409, 409]


def test_a_messaging_key_reaches_users_at_the_shared_address_too(call, client, anonymous):
    made = client.post("/api/v1/api-keys", json={"name": "Sender", "scopes": ["messaging"]}).get_json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert anonymous.post("/api/v1/users", json=JANE, headers=headers).status_code == 201
    assert anonymous.get("/api/v1/users?consent_state=OPT_IN", headers=headers).get_json()["total"] == 1


def test_another_workspaces_users_are_not_found(call, client_for, other_member):
    call("POST", status=201, json=JANE)
    stranger = client_for(other_member)
    assert stranger.get(URL).get_json()["total"] == 0
    for method, options in (("GET", {}), ("PUT", {"json": {"attributes": {"a": 1}}}), ("DELETE", {})):
        assert stranger.open(f"{URL}/14155551234", method=method, **options).status_code == 404
    assert call("GET", "/14155551234")["attributes"]["city"] == "Austin"


def test_a_viewer_reads_users_and_changes_none(call, client_for, make_member, member):
    call("POST", status=201, json=JANE)
    viewer = client_for(make_member("viewer", member.tenant_id))
    assert viewer.get(f"{URL}/14155551234").status_code == 200
    assert viewer.put(f"{URL}/14155551234", json={"attributes": {"a": 1}}).status_code == 403
    assert viewer.delete(f"{URL}/14155551234").status_code == 403
