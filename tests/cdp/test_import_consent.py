"""Consent that comes in with a file: what the answers mean, what outweighs what, and how it is told."""

from __future__ import annotations

import re

import pytest

from tests.cdp.test_imports_api import start, upload
from tests.support.pages import token_in

TABLE = "user_id,phone,SMS consent,WhatsApp opt-in,Accepts email marketing\n"


def bring(people, run_jobs, text, mapping=None):
    """Import a table of people; the import when it is done."""
    one = upload(people, text)
    start(people, one, mapping)
    run_jobs()
    return people.get(f"/imports/{one['id']}")


def consent_of(people, user_id):
    return people.get(f"/profiles/{people.find(user_id)[0]}/consent")


def test_columns_named_for_consent_are_taken_for_it_but_never_those_that_say_who_left(people):
    columns = "email,SMS consent,WhatsApp opt-in,Accepts Email Marketing,text_opt_in,sms opt out,Email unsubscribed"
    found = upload(people, columns + "\na@x.org,yes,no,yes,yes,no,no\n")["suggested_mapping"]
    assert found["SMS consent"] == "consent.sms"
    assert found["WhatsApp opt-in"] == "consent.whatsapp"
    assert found["Accepts Email Marketing"] == "consent.email"
    for other in ("text_opt_in", "sms opt out", "Email unsubscribed"):
        assert found[other].startswith("traits."), other


def test_answers_become_consent_with_the_file_the_row_and_the_word_as_evidence(people, run_jobs):
    done = bring(people, run_jobs, TABLE + "u1,+14155550123,OPT_IN,no,granted\nu2,,STOP,,unknown\n")
    assert (done["accepted"], done["rejected"]) == (2, 0)
    first, second = consent_of(people, "u1"), consent_of(people, "u2")
    assert [first["states"][one] for one in ("sms", "whatsapp", "email", "ads")] == [
        "granted", "denied", "granted", "unknown",
    ]  # fmt: skip
    assert second["states"]["sms"] == "denied"
    assert len(second["records"]) == 1
    assert second["records"][0]["source"] == "import"
    assert second["records"][0]["evidence"] == {"import": done["id"], "file": "people.csv", "row": 2, "value": "STOP"}


@pytest.mark.parametrize(
    ("word", "state"),
    [("Yes", "granted"), ("TRUE", "granted"), ("1", "granted"), ("subscribed", "granted"), ("Opted out", "denied"),
     ("0", "denied"), ("Unsubscribed", "denied"), ("n/a", "unknown")],
)  # fmt: skip
def test_the_words_other_tools_write_are_understood(people, run_jobs, word, state):
    bring(people, run_jobs, f"user_id,sms_consent\nu1,{word}\n")
    assert consent_of(people, "u1")["states"]["sms"] == state


def test_an_answer_nobody_knows_refuses_its_row_and_no_other(people, run_jobs):
    done = bring(people, run_jobs, "user_id,sms_consent\nu1,perhaps\nu2,yes\n")
    assert (done["accepted"], done["rejected"]) == (1, 1)
    text = people.client.get(f"/api/v1/cdp/imports/{done['id']}/rejected").text
    assert "is no answer we know" in text


def test_a_no_given_before_stays_unless_the_file_says_when_they_agreed_after_it(people, run_jobs):
    person = people.send(user_id="u1")
    people.post(f"/profiles/{person}/consent", {"channel": "sms", "state": "denied"})
    bring(people, run_jobs, "user_id,sms_consent\nu1,yes\n")
    assert consent_of(people, "u1")["states"]["sms"] == "denied"
    bring(people, run_jobs, "user_id,sms_consent,consented_at\nu1,yes,2020-01-01\n")
    assert consent_of(people, "u1")["states"]["sms"] == "denied"
    people.post(f"/profiles/{person}/consent", {"channel": "email", "state": "granted"})
    bring(people, run_jobs, "user_id,email_consent\nu1,no\n")
    assert consent_of(people, "u1")["states"]["email"] == "denied"


def test_a_later_yes_with_its_time_is_in_force(people, run_jobs):
    mapping = {"user_id": "user_id", "agreed": "consent.sms", "when": "consented_at"}
    bring(people, run_jobs, "user_id,agreed,when\nu1,no,2024-01-01\nu1,yes,2024-06-01T10:00:00Z\n", mapping)
    found = consent_of(people, "u1")
    assert found["states"]["sms"] == "granted"
    assert [one["at"][:10] for one in found["records"]] == ["2024-06-01", "2024-01-01"]


def test_json_people_may_say_it_as_an_object(people, run_jobs):
    one = upload(people, '[{"user_id": "u1", "consent": {"sms": true, "email": "no"}}]', "people.json")
    start(people, one, {})
    run_jobs()
    assert consent_of(people, "u1")["states"]["sms"] == "granted"
    assert consent_of(people, "u1")["states"]["email"] == "denied"


def test_a_mapping_of_events_or_of_a_channel_there_is_not_is_refused(people):
    one = upload(people, "user_id,event_name,sms\nu1,x,yes\n", kind="events")
    mapping = {"user_id": "user_id", "event_name": "event_name", "sms": "consent.sms"}
    assert "with people" in start(people, one, mapping, status=422)["error"]
    other = upload(people, "user_id,fax\nu1,yes\n")
    assert "consent.fax" in start(people, other, {"user_id": "user_id", "fax": "consent.fax"}, status=422)["error"]


def test_a_dry_run_and_its_page_count_the_answers(people, client):
    one = upload(people, TABLE + "u1,,yes,no,\nu2,,yes,,\n")
    found = people.post(f"/imports/{one['id']}/dry-run", {"mapping": one["suggested_mapping"]}, status=200)
    assert found["consents"] == {"sms": {"granted": 2}, "whatsapp": {"denied": 1}}
    page = client.get(f"/app/imports/{one['id']}").text
    assert re.search(r'value="consent.sms" data-plain selected>Consent: SMS', page)
    form = {"csrf_token": token_in(page), "place_0": "user_id", "place_2": "consent.sms", "place_3": "consent.whatsapp"}
    tried = client.post(f"/app/imports/{one['id']}/try", data=form, headers={"HX-Request": "true"}).text
    assert "2 yes" in tried
    assert "1 no" in tried
