"""Who is who: joining, limits, values that mean nobody, merging and parting by hand."""

from __future__ import annotations

import itertools

import pytest


def test_an_identity_that_joins_two_profiles_makes_them_one(people):
    visitor = people.send("page", anonymous_id="a1")
    buyer = people.send("purchase", user_id="u1", properties={"amount": 10})
    assert visitor != buyer
    assert people.send("login", anonymous_id="a1", user_id="u1") == buyer
    assert people.profile(visitor)["id"] == buyer
    assert sorted(people.events_of(buyer)) == ["login", "page", "purchase"]
    assert [one["id"] for one in people.everyone()] == [buyer]


def test_a_second_user_id_never_joins_the_first(people):
    first = people.send(user_id="u1", anonymous_id="shared")
    second = people.send(user_id="u2", anonymous_id="shared")
    assert first != second
    assert people.send(anonymous_id="shared") == first


EVENTS = [
    {"event_name": "a", "user_id": "u2", "anonymous_id": "x"},
    {"event_name": "b", "user_id": "u1", "anonymous_id": "x"},
    {"event_name": "c", "anonymous_id": "x", "email": "one@mail.org"},
    {"event_name": "d", "user_id": "u2", "email": "two@mail.org"},
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_the_order_of_events_in_a_batch_does_not_change_who_is_who(people, order):
    people.batch(*(EVENTS[n] for n in order))
    found = {}
    for profile in people.everyone():
        values = {one["value"] for one in people.profile(profile["id"])["identities"]}
        found[frozenset(values)] = sorted(people.events_of(profile["id"]))
    assert found == {
        frozenset({"u1", "x", "one@mail.org"}): ["b", "c"],
        frozenset({"u2", "two@mail.org"}): ["a", "d"],
    }


@pytest.mark.parametrize("value", ["null", "undefined", "Anonymous", "0000", "00000000-0000-0000-0000-000000000000"])
def test_a_value_that_means_nobody_joins_nobody(people, value):
    one = people.send(user_id=value, anonymous_id="a1")
    other = people.send(user_id=value, anonymous_id="a2")
    assert one != other
    refused = people.client.post("/api/v1/cdp/events", json={"event_name": "page", "user_id": value})
    assert refused.status_code == 422
    assert refused.get_json()["details"]["field"] == "identity"


def test_a_sixth_address_stays_where_it_is(people):
    for number in range(6):
        people.send(user_id="u1", email=f"{number}@mail.org")
    profile = people.profile(people.send(user_id="u1"))
    assert sum(one["kind"] == "email" for one in profile["identities"]) == 5


def test_phone_numbers_are_one_whatever_they_are_written_like(people):
    people.client.put("/api/v1/cdp/identity-rules", json={"default_region": "US"})
    one = people.send(phone="(415) 555-0123")
    assert people.send(phone="+1 415 555 0123") == one
    assert people.profile(one)["phone"] == "+14155550123"


def test_a_phone_number_without_its_country_is_refused_where_none_is_set(people):
    answer = people.client.post("/api/v1/cdp/events", json={"event_name": "x", "phone": "415 555 0123"})
    assert answer.status_code == 422
    assert "country" in answer.get_json()["error"]


def test_merging_by_hand_moves_everything_and_undoing_gives_it_back(people):
    one = people.send("a", user_id="u1", traits={"city": "Rome", "name": "Ada Byron"})
    other = people.send("b", user_id="u2", traits={"city": "Oslo", "age": 30, "email": "ada@mail.org"})
    for profile_id, state in ((one, "granted"), (other, "denied")):
        people.post(f"/profiles/{profile_id}/consent", {"channel": "sms", "state": state})
    people.post(f"/profiles/{other}/consent", {"channel": "email", "state": "granted"})
    before = [strip(people.profile(one)), strip(people.profile(other))]
    merge = people.post(f"/profiles/{one}/merge", {"profile_id": other})
    whole = people.profile(other)
    assert whole["id"] == one
    assert whole["traits"] == {"city": "Rome", "name": "Ada Byron", "age": 30, "email": "ada@mail.org"}
    assert (whole["consent"]["sms"], whole["consent"]["email"]) == ("denied", "granted")
    assert sorted(people.events_of(one)) == ["a", "b"]
    people.post(f"/merges/{merge['id']}/undo", {}, status=200)
    assert [strip(people.profile(one)), strip(people.profile(other))] == before
    assert (people.events_of(one), people.events_of(other)) == (["a"], ["b"])
    people.post(f"/merges/{merge['id']}/undo", {}, status=409)


def strip(profile):
    return {key: value for key, value in profile.items() if key not in ("updated_at", "last_seen_at", "first_seen_at")}


def test_what_came_after_a_merge_goes_back_with_the_identity_it_came_by(people):
    winner = people.send("first", user_id="u-1")
    loser = people.send("second", user_id="u-2")
    merge = people.post(f"/profiles/{winner}/merge", {"profile_id": loser, "reason": "same person"})
    assert people.send("later by the second", user_id="u-2") == winner
    assert people.send("later by the first", user_id="u-1") == winner

    people.post(f"/merges/{merge['id']}/undo", {}, status=200)
    assert sorted(people.events_of(winner)) == ["first", "later by the first"]
    assert sorted(people.events_of(loser)) == ["later by the second", "second"]
    assert people.send("after", user_id="u-2") == loser


def test_undoing_the_first_of_two_merges_leaves_the_second(people):
    one, two, three = (people.send("e", user_id=f"u{n}") for n in (1, 2, 3))
    first = people.post(f"/profiles/{two}/merge", {"profile_id": three})
    people.post(f"/profiles/{one}/merge", {"profile_id": two})
    assert people.profile(three)["id"] == one
    people.post(f"/merges/{first['id']}/undo", {}, status=200)
    assert people.profile(three)["user_id"] == "u3"
    assert people.profile(two)["id"] == one
    assert len(people.events_of(one)) == 2


def test_parting_the_identities_of_a_merged_profile_takes_its_events_along(people):
    visitor = people.send("page", anonymous_id="a1")
    buyer = people.send("purchase", user_id="u1")
    people.send("login", anonymous_id="a1", user_id="u1")
    ids = [one["id"] for one in people.profile(buyer)["identities"] if one["kind"] == "anonymous_id"]
    parted = people.post(f"/profiles/{buyer}/split", {"identity_ids": ids})
    assert people.events_of(parted["id"]) == ["page"]
    assert sorted(people.events_of(buyer)) == ["login", "purchase"]
    assert people.profile(visitor)["id"] == parted["id"]
    assert parted["lifecycle_stage"] == "anonymous"


def test_not_every_identity_can_be_parted_and_none_of_another(people):
    one, other = people.send(user_id="u1"), people.send(user_id="u2")
    mine, theirs = (people.profile(n)["identities"][0]["id"] for n in (one, other))
    people.post(f"/profiles/{one}/split", {"identity_ids": [mine]}, status=422)
    people.post(f"/profiles/{one}/split", {"identity_ids": [theirs]}, status=404)
    people.post(f"/profiles/{one}/merge", {"profile_id": one}, status=422)


def test_a_dry_run_counts_what_rules_would_join_and_part_and_changes_nothing(people):
    one = people.send(user_id="u1", anonymous_id="x")
    other = people.send(user_id="u2", anonymous_id="x")
    many = people.send(user_id="u3", email="a@mail.org")
    people.send(user_id="u3", email="b@mail.org")
    found = people.post("/identity-rules/dry-run", {"limits": {"user_id": 2, "email": 1}}, status=200)
    assert (found["merges"], found["merge_samples"]) == (1, [sorted([one, other])])
    assert (found["splits"], found["split_samples"]) == (1, [many])
    found = people.post("/identity-rules/dry-run", {"blocked": {"user_id": ["U2"]}}, status=200)
    assert (found["blocked"], found["blocked_samples"]) == (1, [other])
    assert len(people.everyone()) == 3
    assert people.get("/identity-rules")["limits"]["user_id"] == 1


def test_own_rules_hold_from_the_next_event_on(people):
    body = {"limits": {"user_id": 2}, "blocked": {"anonymous_id": ["kiosk"]}}
    assert people.client.put("/api/v1/cdp/identity-rules", json=body).status_code == 200
    one = people.send(user_id="u1", anonymous_id="x")
    assert people.send(user_id="u2", anonymous_id="x") == one
    assert people.send(user_id="u3", anonymous_id="Kiosk") != people.send(user_id="u4", anonymous_id="kiosk")


@pytest.mark.parametrize(
    "body",
    [{"limits": {"user_id": 0}}, {"limits": {"nose": 1}}, {"priority": ["email", "email"]}, {"default_region": "usa"},
     {"limits": "many"}, {"other": 1}],
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused(people, body):
    assert people.client.put("/api/v1/cdp/identity-rules", json=body).status_code == 422
