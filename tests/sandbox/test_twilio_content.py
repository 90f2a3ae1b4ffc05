import json

import pytest

WA = {"To": "whatsapp:+14155550101", "From": "whatsapp:+14155238886", "Body": None}
GOOD = json.dumps({"1": "Ben", "2": "B-18"})


def test_a_content_is_written_out_with_its_variables(twilio, content):
    row = twilio.send(ContentSid=content(), ContentVariables=GOOD, Body=None).json()
    assert row["body"] == "Hi Ben, your order B-18 is here"


def test_a_content_without_variables_uses_its_examples(twilio, content):
    assert twilio.send(ContentSid=content(), Body=None).json()["body"] == "Hi Ann, your order A-17 is here"


@pytest.mark.parametrize(
    "variables",
    ["{", "[]", '{"1": "Ben"}', '{"1": "Ben", "2": 18}', '{"1": "Ben", "2": ""}', '{"1": "a", "2": "b", "3": "c"}'],
)
def test_variables_that_are_not_the_contents_placeholders_are_21656(twilio, content, variables):
    assert twilio.send(ContentSid=content(), ContentVariables=variables, Body=None).json()["code"] == 21656


def test_whatsapp_approves_in_virtual_time(twilio, content, sandbox):
    sid = content(submit_as="order_ready")

    def status():
        return twilio.get(f"/content/v1/Content/{sid}/ApprovalRequests").json()["whatsapp"]["status"]

    assert status() == "received"
    sandbox.control.advance(3)
    assert status() == "pending"
    sandbox.control.advance(3)
    assert status() == "approved"
    sandbox.control.approve(sid, "paused")
    assert status() == "paused"


def test_a_content_named_for_it_is_rejected_with_a_reason(twilio, content, sandbox):
    sid = content(submit_as="reject_me")
    sandbox.control.advance(10)
    verdict = twilio.get(f"/content/v1/Content/{sid}/ApprovalRequests").json()["whatsapp"]
    assert verdict["status"] == "rejected"
    assert verdict["rejection_reason"]


def test_a_content_nobody_submitted_is_unsubmitted(twilio, content):
    path = f"/content/v1/Content/{content()}/ApprovalRequests"
    assert twilio.get(path).json()["whatsapp"]["status"] == "unsubmitted"


@pytest.mark.parametrize(
    "request_body",
    [{"name": "Order Ready", "category": "UTILITY"}, {"name": "order", "category": "NEWS"}, {"category": "UTILITY"}],
)
def test_an_approval_needs_a_plain_name_and_a_known_category(twilio, content, request_body):
    path = f"/content/v1/Content/{content()}/ApprovalRequests/whatsapp"
    assert twilio.post(path, json=request_body).status_code == 422


def test_only_an_approved_content_reaches_whatsapp_outside_the_window(twilio, content, sandbox):
    approved, rejected, unsubmitted = content(submit_as="fine"), content(submit_as="reject_it"), content()
    sandbox.control.advance(10)
    sids = [twilio.send(**WA, ContentSid=sid).json()["sid"] for sid in (approved, rejected, unsubmitted)]
    sandbox.control.advance(60)
    assert [twilio.message(sid)["error_code"] for sid in sids] == [None, 63040, 63016]


def test_contents_are_listed_with_their_approvals_newest_first(twilio, content):
    plain, submitted = content(), content(submit_as="fine")
    rows = twilio.get("/content/v1/ContentAndApprovals").json()["contents"]
    assert [row["sid"] for row in rows] == [submitted, plain]
    assert [row["approval_requests"].get("status") for row in rows] == ["received", None]
    page = twilio.get("/content/v1/Content", PageSize=1).json()
    assert [row["sid"] for row in page["contents"]] == [submitted]
    assert page["meta"]["next_page_url"]


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"language": "en", "types": {}},
        {"language": "en", "types": {"twilio/hologram": {"body": "x"}}},
        {"language": "en", "types": {"twilio/text": {}}},
        {"language": "en", "types": {"twilio/text": {"body": "x"}}, "variables": {"1": 1}},
    ],
)
def test_a_content_without_shape_is_refused(twilio, shape):
    assert twilio.post("/content/v1/Content", json=shape).status_code == 422
