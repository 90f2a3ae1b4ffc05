"""The messaging contract's campaigns: made, changed, started, paused, ended, tried, and what is refused how."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from app.core.db import db
from tests.messaging.campaign import twilio

__all__ = ["twilio"]
API = "/messaging/api/v1"
BASE = f"{API}/campaigns"
LONG_AGO = {"quiet_hours_start": "00:00", "quiet_hours_end": "00:01"}


def later(**ahead) -> str:
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat()


class Campaigns:
    """The API as an integrator uses it."""

    def __init__(self, client, run_jobs):
        self.client, self.run_jobs = client, run_jobs

    def call(self, method, path, body=None, status=200):
        answer = getattr(self.client, method)(f"{BASE}{path}", **({} if body is None else {"json": body}))
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def people(self, *states):
        """German numbers, one for each consent state."""
        for number, state in enumerate(states):
            body = {
                "phone_e164": f"+4915112345{number:03}",
                "consent_state": state,
                "attributes": {"name": f"P {number}"},
            }
            assert self.client.post(f"{API}/users", json=body).status_code == 201
        self.run_jobs()

    def template(self, name="Hello", content="Hello {name|you}.", **more):
        answer = self.client.post(f"{API}/templates", json={"name": name, "content": content, **more})
        assert answer.status_code == 201, answer.text
        return answer.get_json()["id"]

    def segment(self, name="Everyone"):
        body = {"name": name, "filter_criteria": {"type": "random", "seed": "all", "from": 0, "to": 100}}
        answer = self.client.post(f"{API}/segments", json=body)
        assert answer.status_code == 201, answer.text
        self.run_jobs()
        return answer.get_json()["id"]

    def make(self, status=201, **values):
        body = {"name": "Spring"} | LONG_AGO | values
        body.setdefault("segment_id", None if "segment_id" in values else self.segment())
        if "variants" not in body:
            body.setdefault("template_id", None if "template_id" in values else self.template())
        return self.call("post", "", {key: value for key, value in body.items() if value is not None}, status)

    def refused(self, field, status=400, **values):
        """Creating is refused, and the contract's body names the field."""
        answer = self.make(status, **values)
        assert answer["field"] == answer["details"]["field"] == field, answer
        assert "expected" in answer["details"], answer
        return answer


@pytest.fixture
def api(client, run_jobs) -> Campaigns:
    return Campaigns(client, run_jobs)


def test_the_contracts_campaign_is_made_and_listed_with_its_template_segment_and_figures(api):
    template, segment = api.template("Welcome", "Welcome {name}!"), api.segment("New Users")
    at = later(days=30)
    body = {
        "name": "Spring Promotion", "description": "Spring sale announcement campaign", "template_id": template,
        "segment_id": segment, "schedule_time": at, "rate_limit_per_second": 3, "quiet_hours_start": "22:00",
        "quiet_hours_end": "08:00",
    }  # fmt: skip
    made = api.call("post", "", body, 201)
    assert made["template"] == {"id": template, "name": "Welcome", "content": "Welcome {name}!"}
    assert made["segment"] == {"id": segment, "name": "New Users"}
    assert (made["status"], made["rate_limit_per_second"]) == ("SCHEDULED", 3)
    assert (made["messages_sent"], made["messages_failed"]) == (0, 0)
    assert datetime.fromisoformat(made["schedule_time"]) == datetime.fromisoformat(at)
    listed = api.call("get", "")
    assert (listed["campaigns"], listed["total"], listed["pages"]) == ([made], 1, 1)
    assert api.call("get", f"/{made['id']}") == made


def test_a_campaign_is_triggered_sends_and_counts_what_it_did(api, twilio):
    api.people("OPT_IN", "OPT_IN", "STOP")
    made = api.make(rate_limit_per_second=None)
    told = api.call("post", f"/{made['id']}/trigger")
    assert told == {
        "message": "Campaign triggered successfully", "campaign_id": made["id"], "estimated_recipients": 2,
        "execution_started": True,
    }  # fmt: skip
    assert api.call("get", f"/{made['id']}")["status"] == "RUNNING"
    api.run_jobs()
    done = api.call("get", f"/{made['id']}")
    assert done["status"] == "COMPLETED"
    assert (done["messages_total"], done["messages_sent"], done["messages_skipped"]) == (3, 2, 1)
    assert twilio.messages()["messages"] == 2
    assert api.call("post", f"/{made['id']}/trigger", status=422)["error"] == "invalid_transition"
    assert twilio.messages()["messages"] == 2


def test_a_running_campaign_is_paused_resumed_and_cancelled_but_not_triggered_again(api, twilio):
    api.people("OPT_IN")
    made = api.make()
    at = f"/{made['id']}"
    api.call("post", f"{at}/trigger")
    assert api.call("post", f"{at}/pause")["status"] == "PAUSED"
    assert api.call("post", f"{at}/trigger", status=422)["error"] == "invalid_transition"
    assert api.call("put", at, {"name": "Other"}, 422)["error"] == "invalid_transition"
    assert api.call("delete", at, status=422)["error"] == "invalid_transition"
    assert api.call("post", f"{at}/resume")["status"] == "RUNNING"
    assert api.call("post", f"{at}/resume", status=422)["error"] == "invalid_transition"
    assert api.call("post", f"{at}/cancel")["status"] == "CANCELLED"
    api.run_jobs()
    assert twilio.messages()["messages"] == 0


def test_what_is_given_changes_and_the_rest_stays(api):
    made = api.make(rate_limit_per_second=3, holdout_percent=10)
    at = f"/{made['id']}"
    changed = api.call("put", at, {"name": "Autumn", "rate_limit_per_second": None})
    assert changed == made | {"name": "Autumn", "rate_limit_per_second": None}
    other = api.template("Other", "Other text")
    changed = api.call("patch", at, {"template_id": other, "quiet_hours_start": None, "quiet_hours_end": None})
    assert (changed["template"]["id"], changed["quiet_hours_start"], changed["holdout_percent"]) == (other, None, 10)
    scheduled = api.call("patch", at, {"schedule_time": later(hours=2)})
    assert scheduled["status"] == "SCHEDULED"
    assert api.call("patch", at, {"schedule_time": None})["status"] == "DRAFT"
    assert api.call("post", f"{at}/schedule", {"schedule_time": later(days=1)})["status"] == "SCHEDULED"
    assert api.call("post", f"{at}/unschedule")["schedule_time"] is None
    assert api.call("delete", at)["id"] == made["id"]
    assert api.call("get", at, status=404)["error"] == "not_found"


def test_variants_share_a_campaign_and_a_copy_has_them_too(api):
    texts = [{"template_id": api.template(letter, f"Text {letter}"), "weight": n} for n, letter in ((1, "A"), (3, "B"))]
    made = api.make(variants=texts, goal_event="purchase", goal_days=3, holdout_percent=5)
    assert [(one["label"], one["weight"]) for one in made["variants"]] == [("A", 1), ("B", 3)]
    copy = api.call("post", f"/{made['id']}/duplicate", status=201)
    assert (copy["name"], copy["status"]) == ("Spring, copy", "DRAFT")
    for field in ("variants", "segment", "goal_event", "goal_days", "holdout_percent", "rate_limit_per_second"):
        assert copy[field] == made[field], field


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {"name": "  "}),
        ("template_id", {"template_id": "nothing-like-it"}),
        ("segment_id", {"segment_id": "nothing-like-it"}),
        ("schedule_time", {"schedule_time": "2001-01-01T00:00:00Z"}),
        ("schedule_time", {"schedule_time": "next spring"}),
        ("schedule_time", {"schedule_time": "0001-01-01T00:00:00+14:00"}),
        ("rate_limit_per_second", {"rate_limit_per_second": 0}),
        ("rate_limit_per_second", {"rate_limit_per_second": 100_000}),
        ("quiet_hours_end", {"quiet_hours_start": "22:00", "quiet_hours_end": "22:00"}),
        ("quiet_hours_start", {"quiet_hours_start": "25:00"}),
        ("holdout_percent", {"holdout_percent": 100}),
        ("goal_days", {"goal_days": 0}),
        ("variants", {"variants": []}),
    ],
)  # fmt: skip
def test_what_is_not_acceptable_is_named_with_what_was_given_and_expected(api, field, values):
    api.refused(field, **values)


def test_a_campaign_to_nobody_is_refused_before_anything_starts(api, twilio):
    made = api.make()
    refused = api.call("post", f"/{made['id']}/trigger", status=400)
    assert (refused["field"], refused["details"]["expected"]) == ("segment_id", "a segment with people in it")
    assert refused["details"]["provided"] == made["segment"]["id"]
    assert api.call("get", f"/{made['id']}")["status"] == "DRAFT"


def test_without_an_account_a_trigger_says_what_to_connect(api):
    api.people("OPT_IN")
    assert "Settings, Messaging" in api.call("post", f"/{api.make()['id']}/trigger", status=409)["message"]


def test_the_list_is_filtered_by_status_and_paged_in_a_fixed_number_of_statements(api, app):
    template, segment = api.template(), api.segment()
    for number in range(5):
        api.make(name=f"Number {number}", template_id=template, segment_id=segment)
    api.make(name="Later", template_id=template, segment_id=segment, schedule_time=later(days=2))

    def names(query):
        return [one["name"] for one in api.call("get", query)["campaigns"]]

    assert names("?status=SCHEDULED") == names("?status=scheduled") == ["Later"]
    assert names("?per_page=2&page=2") == ["Number 3", "Number 2"]
    assert names("?q=number%204") == ["Number 4"]
    api.make(name="Ärzte im März", template_id=template, segment_id=segment)
    assert names("?q=ärzte") == names("?q=ÄRZTE") == ["Ärzte im März"]
    assert api.call("get", "?status=SENDING", status=400)["field"] == "status"
    assert statements_of(app, lambda: names("?per_page=1")) == statements_of(app, lambda: names("?per_page=7"))


def statements_of(app, call) -> int:
    seen = []
    with app.app_context():
        engine = db.engine
    note = lambda *args: seen.append(args[2])  # noqa: E731
    event.listen(engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def test_a_test_goes_to_one_number_and_not_to_somebody_who_said_stop(api, twilio):
    api.people("OPT_IN", "STOP")
    made = api.make()
    told = api.call("post", f"/{made['id']}/test", {"phone": "+4915112345000"})
    assert told["body"] == "Hello P 0."
    api.run_jobs()
    assert twilio.messages()["messages"] == 1
    refused = api.call("post", f"/{made['id']}/test", {"phone": "+4915112345001"}, 400)
    assert refused["details"]["reason"] == "stop"
    assert api.call("post", f"/{made['id']}/test", {"phone": "12"}, 400)["field"] == "phone"
    assert (
        api.call("post", f"/{made['id']}/test", {"phone": "+4915112345000", "variant": "Z"}, 400)["field"] == "variant"
    )
    assert api.call("get", f"/{made['id']}")["messages_total"] == 0


def test_an_analyst_writes_campaigns_and_only_a_manager_sends_them(api, client_for, make_member, member, run_jobs):
    api.people("OPT_IN")
    made = api.make()
    analyst = Campaigns(client_for(make_member("analyst", member.tenant_id)), run_jobs)
    at = f"/{made['id']}"
    assert analyst.call("patch", at, {"name": "Mine"})["name"] == "Mine"
    for call in ("trigger", "pause", "resume", "cancel", "unschedule"):
        analyst.call("post", f"{at}/{call}", status=403)
    analyst.call("post", f"{at}/schedule", {"schedule_time": later(days=1)}, 403)
    analyst.call("patch", at, {"schedule_time": later(days=1)}, 403)
    api.call("post", f"{at}/schedule", {"schedule_time": later(days=1)})
    analyst.call("patch", at, {"name": "Sneaked in"}, 403)
    analyst.call("delete", at, status=403)
    viewer = Campaigns(client_for(make_member("viewer", member.tenant_id)), run_jobs)
    assert viewer.call("get", at)["name"] == "Mine"
    viewer.call("delete", at, status=403)


def test_another_workspace_finds_none_of_it(api, client_for, other_member, run_jobs):
    made = api.make()
    other = Campaigns(client_for(other_member), run_jobs)
    at = f"/{made['id']}"
    assert other.call("get", "")["campaigns"] == []
    for method, path in (("get", ""), ("delete", ""), *(("post", f"/{one}") for one in (
        "trigger", "pause", "resume", "cancel", "unschedule", "duplicate"))):  # fmt: skip
        other.call(method, f"{at}{path}", status=404)
    for path, body in (("", {"name": "x"}), ("/test", {"phone": "+4915112345000"}),
                       ("/schedule", {"schedule_time": later(days=1)})):  # fmt: skip
        other.call("post" if path else "put", f"{at}{path}", body, 404)
    other.refused("template_id", template_id=made["template"]["id"])
    other.refused("segment_id", segment_id=made["segment"]["id"])
