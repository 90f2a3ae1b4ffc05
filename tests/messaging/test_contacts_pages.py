"""Pages of contacts: a file uploaded and followed, refused rows handed back, what a person was sent and wrote."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime

import pytest

from tests.support.pages import token_in

URL = "/app/contacts/upload"
TABLE = "phone_e164,name,consent_state\n+14155551234,Ada,OPT_IN\n=nonsense,Bob,OPT_IN\n"


@pytest.fixture
def token(client) -> str:
    return token_in(client.get(URL).text)


@pytest.fixture
def upload(client, token):
    def send(text, name="people.csv"):
        data = {"csrf_token": token, "file": (io.BytesIO(text.encode()), name)}
        return client.post(URL, data=data, content_type="multipart/form-data")

    return send


def test_an_upload_is_followed_to_its_end_and_refused_rows_are_shown_and_handed_back(client, upload, run_jobs):
    url = upload(TABLE).location
    assert "Waiting for a worker" in client.get(url).text
    assert 'hx-trigger="sse:job_progress' in client.get(f"{url}/live").text
    run_jobs()
    page = client.get(url).text
    assert re.findall(r'ply-tile__value[^>]*><span class="ply-num" title="(\d+)', page) == ["1", "0", "1"]
    assert "Phone number must be in E.164 format" in page
    assert "hx-trigger" not in client.get(f"{url}/live").text
    refused = client.get(f"{url}/errors.csv")
    assert "attachment" in refused.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(refused.text)))
    assert [(row["row"], row["field"], row["given"]) for row in rows] == [("2", "phone_e164", "'=nonsense")]
    assert "people.csv" in client.get(URL).text


@pytest.mark.parametrize(("text", "said"), [("", "is empty"), ("name\nAda\n", "no column phone_e164")])
def test_a_file_without_contacts_is_refused_beside_the_field(client, upload, text, said):
    answer = upload(text)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'id="file-error"' in answer.text


def test_a_file_that_is_too_large_is_refused_beside_the_field(upload, settings_override):
    settings_override(import_max_bytes=1000)
    answer = upload("phone_e164\n" + "+14155551234\n" * 8000)
    assert answer.status_code == 413
    assert 'id="file-error"' in answer.text


def test_an_upload_without_the_pages_token_is_refused(client):
    data = {"file": (io.BytesIO(TABLE.encode()), "a.csv")}
    answer = client.post(URL, data=data, content_type="multipart/form-data")
    assert answer.status_code in (400, 403)
    assert "Last uploads" not in client.get(URL).text


def test_a_viewer_sees_uploads_and_has_no_form(client_for, make_member, member):
    viewer = client_for(make_member("viewer", member.tenant_id))
    page = viewer.get(URL).text
    assert 'type="file"' not in page
    assert "can upload contacts" in page


def test_the_list_of_imports_leads_to_the_upload(client):
    assert f'href="{URL}"' in client.get("/app/imports").text


@pytest.fixture
def ada(client, member, in_tenant):
    """Somebody with a message that went, one that was held back, and an answer; her id."""
    from app.core.db import db, unit_of_work
    from app.messaging.models import InboundMessage, Message

    client.post("/messaging/api/v1/users", json={"phone_e164": "+14155551234", "attributes": {"name": "Ada"}})
    profile_id = client.get("/api/v1/cdp/profiles?q=ada").get_json()["items"][0]["id"]
    when = datetime(2026, 1, 2, tzinfo=UTC)
    of_her = {"profile_id": profile_id, "channel": "sms", "address": "+14155551234"}
    with in_tenant(member.tenant_id), unit_of_work():
        db.session.add(Message(**of_her, state="delivered", body="Hello Ada", sent_at=when, sid="SM1"))
        db.session.add(InboundMessage(**of_her, sender="+1500", body="Hello yourself", sid="SM2", received_at=when))
    return profile_id


def test_a_persons_page_brings_what_they_were_sent_and_wrote(client, ada):
    assert f'hx-get="/app/profiles/{ada}/messages"' in client.get(f"/app/profiles/{ada}").text
    part = client.get(f"/app/profiles/{ada}/messages", headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<section class="card" id="person-messages"')
    assert "Hello Ada" in part
    assert "Delivered" in part
    assert "Hello yourself" in part
    whole = client.get(f"/app/profiles/{ada}/messages").text
    assert "Hello Ada" in whole
    assert "<html" in whole


def test_somebody_without_messages_has_a_sentence(client):
    client.post("/messaging/api/v1/users", json={"phone_e164": "+14155551234"})
    profile_id = client.get("/api/v1/cdp/profiles").get_json()["items"][0]["id"]
    assert "Nothing was sent to them" in client.get(f"/app/profiles/{profile_id}/messages").text


def test_another_workspaces_upload_and_messages_are_not_found(client_for, other_member, upload, ada):
    url = upload(TABLE).location
    stranger = client_for(other_member)
    for address in (url, f"{url}/live", f"{url}/errors.csv", f"/app/profiles/{ada}/messages"):
        assert stranger.get(address).status_code == 404
