"""Pages of campaigns in a browser without scripts: the list, the wizard step by step, a run, its log, refusals."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from tests.messaging.campaign import twilio
from tests.support.pages import Pages, text_of, words

__all__ = ["twilio"]
LIST = "/app/campaigns"
NEW = f"{LIST}/new"
API = "/messaging/api/v1"
OWN_NIGHT = {"quiet": "own", "quiet_start": "00:00", "quiet_end": "00:01"}


class Campaigns(Pages):
    """What a marketer does with campaigns."""

    def __init__(self, client, run_jobs):
        super().__init__(client)
        self.run_jobs = run_jobs

    def people(self, *states):
        for number, state in enumerate(states):
            body = {
                "phone_e164": f"+4915112345{number:03}",
                "consent_state": state,
                "attributes": {"name": f"Ada {number}"},
            }
            assert self.client.post(f"{API}/users", json=body).status_code == 201
        self.run_jobs()

    def segment(self, name="Everyone"):
        conditions = {"type": "random", "seed": "all", "from": 0, "to": 100}
        answer = self.client.post("/api/v1/cdp/segments", json={"name": name, "conditions": conditions})
        assert answer.status_code == 201, answer.text
        self.run_jobs()
        return answer.get_json()["id"]

    def template(self, name="Hello", content="Hello {first_name|you}."):
        answer = self.post("/app/templates/new", name=name, content=content, channel="sms")
        assert answer.status_code == 303
        return answer.location.rsplit("/", 1)[1]

    def fields(self, **more):
        made = {"name": "Spring", "segment": "", "t1": "", "pace": ""} | OWN_NIGHT | more
        made["segment"] = made["segment"] or self.segment()
        made["t1"] = made["t1"] or self.template()
        return made

    def save(self, status=303, url=NEW, do="save", **fields):
        """Send the last step; where it leads."""
        answer = self.post(url, do=do, **fields)
        assert answer.status_code == status, words(answer.text)
        return answer.location if status == 303 else words(answer.text)


@pytest.fixture
def pages(client, run_jobs) -> Campaigns:
    return Campaigns(client, run_jobs)


def step(name, fields, **more):
    return f"{NEW}?{urlencode({**fields, **more, 'step': name})}"


def test_without_campaigns_the_page_says_what_they_are_for(pages):
    page = pages.text(LIST)
    assert "Write to the right people, once" in page
    assert "Write a template first" in page


def test_a_step_that_is_not_in_order_is_shown_again_with_what_is_wrong(pages):
    page = pages.text(step("what", {}))
    assert "Must have 1 to 200 characters" in page
    assert "Choose whom to write to" in page
    fields = {"name": "Spring", "segment": pages.segment()}
    assert "Choose a text" in pages.text(step("when", fields))
    fields["t1"] = pages.template()
    page = pages.text(step("review", fields, when="later", at="2001-01-01T09:00", pace="0", holdout="95"))
    for said in ("The time is past", "Must be from 0.1 to 1,000", "Must be from 0 to 90"):
        assert page.count(said) == 2, f"{said}: in the summary and beside its field"


def test_what_other_steps_hold_is_carried_along(pages):
    fields = pages.fields(goal_event="purchase", holdout="10")
    page = pages.client.get(step("who", fields)).text
    carried = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    assert (carried["t1"], carried["goal_event"], carried["holdout"]) == (fields["t1"], "purchase", "10")
    assert 'value="Spring"' in page


def test_a_box_left_ticked_counts_as_ticked_and_one_cleared_as_cleared(pages):
    given = step("when", fields := pages.fields())
    page = pages.client.get(given).text
    caps, links = ([*re.findall(rf'name="{name}"[^>]*value="(\w+)"', page)] for name in ("caps", "links"))
    assert (caps, links) == (["no", "yes"], ["no", "yes"]), "what a browser sends of ticked boxes, in this order"
    review = pages.client.get(step("review", fields) + "&caps=no&caps=yes&links=no").text
    carried = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', review))
    assert (carried["caps"], carried["links"]) == ("yes", "no")


def test_what_is_emptied_stays_empty_on_the_way_through_the_steps(pages):
    first, second = pages.template("One", "Hi"), pages.template("Two", "Dear you")
    at = pages.save(**pages.fields(t1=first, t2=second, description="old note", pace="5"))
    edit = f"{at}/edit?{urlencode({'step': 'review', 't1': first, 't2': '', 'description': '', 'pace': ''})}"
    page = pages.client.get(edit).text
    for form in page.split("<form")[1:]:
        carried = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
        if "token" in carried:
            assert [carried[name] for name in ("t1", "t2", "description", "pace")] == [first, "", "", ""]
    who = pages.client.get(edit.replace("review", "who")).text
    assert 'name="t2" value=""' in who


def test_a_token_that_another_workspaces_campaign_has_is_replaced(pages, client_for, other_member, run_jobs):
    theirs = Campaigns(client_for(other_member), run_jobs)
    theirs.save(**theirs.fields(token=(token := str(uuid4()))))
    at = pages.save(**pages.fields(token=token))
    assert "Spring" in pages.text(at)


def test_the_texts_are_shown_as_a_real_person_of_the_segment_reads_them(pages):
    pages.people("OPT_IN", "OPT_IN", "OPT_OUT")
    fields = pages.fields(t1=pages.template("One", "Hi {first_name}"), t2=pages.template("Two", "Dear {name}, {city}"))
    page = pages.text(step("what", fields))
    assert "Hi Ada 1 part, 6 characters, GSM-7" in page
    assert "Dear Ada 0, [city]" in page
    assert "No city: they would be left out" in page
    assert "As Ada 0 , 1 of 2" in page
    assert "As Ada 1 , 2 of 2" in pages.text(step("what", fields, position="1"))
    assert "Dear Ada 1" in pages.text(f"{LIST}/preview?{urlencode(fields)}&position=3")


def test_the_review_counts_who_gets_it_and_says_why_others_do_not_and_what_follows(pages, twilio):
    pages.people("OPT_IN", "OPT_IN", "OPT_OUT", "STOP")
    fields = pages.fields(t1=pages.template("Hello", "Hi {first_name} of {city}"))
    page = pages.text(step("review", fields))
    assert "Not written to 4 of 4" in page
    assert "A value is missing about 2" in page
    fields["t1"] = pages.template("Plain", "Hi {first_name}")
    page = pages.text(step("review", fields))
    assert "Would be written to 2 of 4 people in the segment" in page
    assert "Said STOP 1 Nobody writes to them again until they send START, or agree anew." in page
    assert "Has not agreed 1 They said no or were never asked" in page
    assert "Cost $0.0166" in page
    assert "Launch now" in page


def test_without_an_account_the_review_says_so_and_a_launch_is_refused_with_nothing_made(pages):
    pages.people("OPT_IN")
    fields = pages.fields()
    assert "No account for messages is connected" in pages.text(step("review", fields))
    assert "No account for messages is connected" in pages.save(422, do="launch", **fields)
    assert "Write to the right people, once" in pages.text(LIST), "no campaign was left behind"


def test_a_campaign_launched_twice_by_the_same_form_is_one_and_writes_once(pages, twilio):
    pages.people("OPT_IN", "OPT_IN", "STOP")
    fields = pages.fields()
    token = re.search(r'name="token" value="([^"]+)"', pages.client.get(step("review", fields)).text).group(1)
    first = pages.save(do="launch", token=token, **fields)
    assert pages.save(do="launch", token=token, **fields) == first
    pages.run_jobs()
    assert twilio.messages()["messages"] == 2
    page = pages.text(first)
    assert "2 of 2 done, 100.0 % Finished" in page
    assert "Said STOP 1" in page
    assert "Ada 2 +4915112345002 Skipped: said STOP" in page


def test_a_draft_is_changed_scheduled_and_made_a_draft_again(pages):
    pages.people("OPT_IN")
    fields = pages.fields()
    at = pages.save(**fields)
    assert "Spring is saved as a draft." in pages.text(at)
    edit = pages.client.get(f"{at}/edit?step=when").text
    assert 'name="quiet_end"' in edit
    when = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT09:30")
    assert pages.save(url=f"{at}/edit", **(fields | {"name": "Summer", "when": "later", "at": when})) == at
    page = pages.text(at)
    assert re.search(r"Summer starts \w+ \d+ \w+, 09:30\.|Summer starts .*09:30\.", page)
    assert "Scheduled" in pages.text(LIST)
    assert "Next: Summer" in pages.text(LIST)
    assert pages.post(f"{at}/unschedule").status_code == 303
    assert "Draft" in pages.text(at)
    assert pages.post(f"{at}/delete").location == LIST
    pages.text(at, 404)


def test_a_run_is_paused_resumed_and_cancelled_with_the_numbers_to_confirm(pages, twilio):
    pages.people("OPT_IN", "OPT_IN")
    at = pages.save(do="launch", **pages.fields())
    live = pages.client.get(f"{at}/live").text
    assert f"sse:{at.removeprefix('/app/').replace('campaigns/', 'campaign-')}" in live
    assert pages.post(f"{at}/pause").status_code == 303
    assert "Paused" in pages.text(f"{at}/live")
    assert "cannot be changed" in text_of(pages.client.get(f"{at}/edit", follow_redirects=True))
    assert pages.post(f"{at}/resume").status_code == 303
    assert "0 people will not be written to any more. 0 messages left already" in html.unescape(
        pages.client.get(f"{at}/live").text
    ).replace("\u00a0", " ")
    assert pages.post(f"{at}/cancel").status_code == 303
    pages.run_jobs()
    assert "Cancelled" in pages.text(f"{at}/live")
    assert "A campaign that is cancelled cannot become running" in text_of(
        pages.client.post(f"{at}/launch", data={"csrf_token": pages.token}, follow_redirects=True)
    )
    assert twilio.messages()["messages"] == 0


def test_the_log_is_filtered_paged_and_exported(pages, twilio, monkeypatch):
    monkeypatch.setattr("app.messaging.queries.campaign_log.PAGE", 2)
    pages.people("OPT_IN", "OPT_IN", "OPT_IN", "STOP", "OPT_OUT")
    at = pages.save(do="launch", **pages.fields())
    pages.run_jobs()

    def names(url):
        return re.findall(r"Ada \d", pages.text(url))

    first = pages.client.get(f"{at}/messages").text
    assert names(f"{at}/messages") == ["Ada 2", "Ada 1"]
    more = html.unescape(re.search(r'href="([^"]+after=[^"]+)"', first).group(1))
    assert names(more) == ["Ada 0", "Ada 4"]
    assert names(f"{at}/messages?state=skipped&reason=stop") == ["Ada 3"]
    assert names(f"{at}/messages?q=Ada+1") == ["Ada 1"]
    assert "No message is like this" in pages.text(f"{at}/messages?state=failed")
    answer = pages.client.get(f"{at}/messages.csv?state=skipped")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["name"], row["reason"], row["in_words"]) for row in rows] == [
        ("Ada 4", "no_consent", "Skipped: has not agreed"), ("Ada 3", "stop", "Skipped: said STOP"),
    ]  # fmt: skip
    assert len(pages.client.get(f"{at}/messages.csv").text.splitlines()) == 6


def test_a_test_goes_to_one_phone_and_a_bad_number_is_told(pages, twilio):
    pages.people("OPT_IN")
    at = pages.save(**pages.fields())
    answer = pages.client.post(
        f"{at}/test", data={"csrf_token": pages.token, "phone": "+4915112345000"}, follow_redirects=True
    )
    assert "The test is on its way" in text_of(answer)
    pages.run_jobs()
    assert twilio.messages()["messages"] == 1
    bad = pages.client.post(f"{at}/test", data={"csrf_token": pages.token, "phone": "12"}, follow_redirects=True)
    assert "The test is on its way" not in text_of(bad)


def test_a_copy_opens_in_the_wizard(pages):
    at = pages.save(**pages.fields())
    to = pages.post(f"{at}/duplicate").location
    assert to.endswith("/edit")
    assert 'value="Spring, copy"' in pages.client.get(to).text


def test_an_analyst_saves_drafts_and_cannot_send(pages, client_for, make_member, member, run_jobs):
    pages.people("OPT_IN")
    fields = pages.fields()
    analyst = Campaigns(client_for(make_member("analyst", member.tenant_id)), run_jobs)
    assert "Launch now" not in analyst.text(step("review", fields))
    at = analyst.save(**fields)
    analyst.save(403, do="launch", **fields)
    later = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT09:30")
    analyst.save(403, **(fields | {"when": "later", "at": later}))
    analyst.save(403, url=f"{at}/edit", do="launch", **fields)
    assert analyst.post(f"{at}/launch").status_code == 403
    assert pages.save(url=f"{at}/edit", **(fields | {"when": "later", "at": later}))
    assert analyst.post(f"{at}/delete").status_code == 403, "that would call it off"
    viewer = Campaigns(client_for(make_member("viewer", member.tenant_id)), run_jobs)
    assert "Spring" in viewer.text(at)
    viewer.text(NEW, 403)


def test_the_list_is_searched_filtered_and_sorted(pages):
    fields = pages.fields()
    for name in ("Beech", "Ash", "Cedar"):
        pages.save(**(fields | {"name": name}))

    def names(query):
        return re.findall(r">(Ash|Beech|Cedar)<", pages.client.get(f"{LIST}{query}").text)

    assert names("?sort=name") == ["Ash", "Beech", "Cedar"]
    assert names("") == ["Cedar", "Ash", "Beech"]
    assert names("?q=ee") == ["Beech"]
    assert names("?state=draft&sort=name") == ["Ash", "Beech", "Cedar"]
    assert names("?state=running") == []


@pytest.mark.parametrize(
    ("tracked", "said"),
    [("yes", "2 parts, 190 characters, GSM-7, with tracked links"), ("no", "1 part, 158 characters")],
)
def test_the_wizard_counts_parts_as_the_campaign_sends_them(pages, settings_override, tracked, said):
    settings_override(public_url="https://parley.example.com")
    pages.people("OPT_IN")
    text = "http://a.co/x ".ljust(158, "x")
    fields = urlencode({"segment": pages.segment(), "t1": pages.template(content=text), "links": tracked})
    assert said in pages.text(f"{LIST}/preview?{fields}")
