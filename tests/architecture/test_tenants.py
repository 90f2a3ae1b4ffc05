"""Sweep over every address with an id: another tenant's row looks exactly like no row, and is left as it was."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest

NOBODYS = 2_000_000_000
JSON_BODY = {"name": "Stolen", "message": "Hello", "prompt_type": "perplexity", "data": {"age": 1}, "description": "x"}
ALIASES = {"chat_history_id": "conversation_id"}
OF_THE_PLATFORM = {"tenants.manage"}  # refused to a tenant's admin, whatever the id
NOT_A_ROWS_ID = {"version", "number"}


def upload_contacts(client: Any) -> int:
    """A file of contacts on its way in."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/app/contacts/upload").text).group(1)
    file = {"csrf_token": token, "file": (BytesIO(b"phone_e164\n+14155550123\n"), "contacts.csv")}
    return int(client.post("/app/contacts/upload", data=file).location.rsplit("/", 1)[1])


def make_customers(client: Any) -> dict[str, int]:
    """Two people who became one, an import and a computed trait."""
    url = "/api/v1/cdp"
    first, second = (
        client.post(f"{url}/events", json={"event_name": "page", "user_id": user_id}).get_json()["profile_id"]
        for user_id in ("ours-1", "ours-2")
    )
    merge = client.post(f"{url}/profiles/{first}/merge", json={"profile_id": second}).get_json()
    trait = {"name": "visits", "function": "count", "event": "page"}
    file = {"kind": "people", "file": (BytesIO(b"email\na@example.com\n"), "people.csv")}
    return {
        "profile_id": first, "merge_id": merge["id"],
        "import_id": client.post(f"{url}/imports", data=file).get_json()["id"],
        "upload_id": upload_contacts(client),
        "trait_id": client.post(f"{url}/computed-traits", json=trait).get_json()["id"],
    }  # fmt: skip


def make_thread() -> int:
    """Somebody wrote to us."""
    from app.core.db import db, unit_of_work
    from app.messaging.models import MessageThread

    with unit_of_work():
        row = MessageThread(channel="sms", address="+14155550199", sender="+15005550006")
        db.session.add(row)
    return row.id


def make_template() -> int:
    """A text of messages."""
    from app.core.db import unit_of_work
    from app.messaging.services import templates

    with unit_of_work():
        return templates.create("Welcome", "Hi {name|there}").id


def make_campaign(template_id: int) -> int:
    """A draft that writes to everyone."""
    from app.cdp.services import segments
    from app.core.db import unit_of_work
    from app.messaging.services import campaigns
    from app.messaging.services.campaign_rules import CampaignIn, VariantIn

    with unit_of_work():
        segment = segments.create("With a number", "", {"type": "identifier", "kind": "phone"})
        return campaigns.create(CampaignIn("Ours", segment.id, [VariantIn(template_id)])).id


def make_sender() -> int:
    """A number messages leave from."""
    from app.core.db import unit_of_work
    from app.messaging.services import sender_settings

    with unit_of_work():
        return sender_settings.add("sms", "+14155550100").id


def make_webhook(client: Any) -> dict[str, int]:
    """A webhook to an address nobody answers at, and a message that waits for it."""
    body = {"url": "https://93.184.216.34/hook", "events": ["segment.entered"]}
    webhook_id = client.post("/api/v1/webhooks", json=body).get_json()["id"]
    ping = client.post(f"/api/v1/webhooks/{webhook_id}/ping").get_json()
    return {"webhook_id": webhook_id, "delivery_id": ping["id"]}


@pytest.fixture
def ours(client, member, in_tenant, run_jobs) -> dict[str, int]:
    """One of everything a tenant can have, and the ids."""
    from sqlalchemy import select

    from app.accounts.models import ApiKey, AuditEntry, Invitation, Passkey
    from app.accounts.services.sessions import list_sessions
    from app.core.db import db, unit_of_work
    from app.insights import models
    from app.insights.services import chat, conversations, reports

    audience_id = client.post("/audience", json={"name": "Ours"}).get_json()["audience_id"]
    run_jobs()
    client.post("/simulations", json={"audience_id": audience_id, "name": "Ours", "type": "default"})
    client.post("/api/v1/invitations", json={"email": "guest@example.com", "role": "viewer"})
    client.post("/api/v1/api-keys", json={"name": "Ours", "scopes": ["read"]})
    with in_tenant(member.tenant_id):
        persona_id = db.session.scalars(select(models.Persona.id)).first()
        with unit_of_work():
            report_id = reports.request_report(audience_id, "perplexity", deep=False).id
            conversation_id = conversations.begin(persona_id, member.id).id
            passkey = Passkey(user_id=member.id, credential_id="ours", public_key="ours", name="Ours")
            db.session.add(passkey)
        with unit_of_work():
            chat.ask(conversation_id, member.id, "Hello")
    run_jobs()
    customers = make_customers(client) | make_webhook(client)
    with in_tenant(member.tenant_id):

        def first(model: Any) -> int:
            return db.session.scalars(select(model.id).order_by(model.id.desc())).first()

        return customers | {
            "audience_id": audience_id, "segment_id": first(models.AudienceSegment), "persona_id": persona_id,
            "simulation_id": first(models.Simulation), "conversation_id": conversation_id, "report_id": report_id,
            "turn_id": first(models.ChatTurn), "user_id": member.id, "session_id": list_sessions(member.id)[0].id,
            "passkey_id": passkey.id, "invitation_id": first(Invitation), "tenant_id": member.tenant_id,
            "key_id": first(ApiKey), "entry_id": first(AuditEntry), "thread_id": make_thread(),
            "sender_id": make_sender(),
            "template_id": (template_id := make_template()), "campaign_id": make_campaign(template_id),
        }  # fmt: skip


def filled(rule: Any, ids: dict[str, int]) -> str:
    address = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", rule.rule)
    address = re.sub(r"<int:(\w+)>", lambda m: str(ids.get(ALIASES.get(m[1], m[1]), 1)), address)
    return re.sub(r"<\w+>", "summary", address)


def test_each_id_in_an_address_is_covered_here(app, ours):
    names = {name for rule in app.url_map.iter_rules() for name in re.findall(r"<int:(\w+)>", rule.rule)}
    assert {ALIASES.get(name, name) for name in names} - set(ours) - NOT_A_ROWS_ID == set()


def test_another_tenants_row_looks_like_no_row_and_stays_as_it_was(app, client, client_for, other_member, ours):
    stranger = client_for(other_member)
    token = re.search(r'name="csrf_token" value="([^"]+)"', stranger.get("/app/settings/you").text).group(1)
    nobodys = dict.fromkeys(ours, NOBODYS)
    watched = [
        f"/audience/{ours['audience_id']}/insight", f"/simulations/{ours['simulation_id']}",
        f"/chat/{ours['conversation_id']}", f"/personas/{ours['persona_id']}", f"/segments/{ours['segment_id']}",
        f"/api/v1/cdp/profiles/{ours['profile_id']}", f"/api/v1/cdp/profiles/{ours['profile_id']}/merges",
        f"/api/v1/cdp/imports/{ours['import_id']}", "/api/v1/cdp/computed-traits",
        f"/messaging/api/v1/threads/{ours['thread_id']}",
        f"/api/v1/webhooks/{ours['webhook_id']}", f"/api/v1/webhooks/deliveries/{ours['delivery_id']}",
    ]  # fmt: skip
    before = [client.get(url).get_json() for url in watched]

    def answer(rule: Any, method: str, ids: dict[str, int]) -> tuple[int, str]:
        is_page = rule.rule.startswith("/app/")
        body = {"data": {"csrf_token": token, **JSON_BODY}} if is_page else {"json": JSON_BODY}
        headers = {"Accept": "text/html" if is_page else "application/json"}
        got = stranger.open(filled(rule, ids), method=method, headers=headers, **({} if method == "GET" else body))
        return got.status_code, got.headers.get("Location", "")

    swept = 0
    for rule in app.url_map.iter_rules():
        names = {ALIASES.get(name, name) for name in re.findall(r"<int:(\w+)>", rule.rule)} - NOT_A_ROWS_ID
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}) if names else ():
            theirs, none = answer(rule, method, ours), answer(rule, method, nobodys)
            assert theirs[0] == none[0], (
                f"{method} {rule.rule} tells another tenant's row ({theirs}) from none ({none})"
            )
            if getattr(app.view_functions[rule.endpoint], "permission", "") in OF_THE_PLATFORM:
                assert theirs[0] == 403, f"{method} {rule.rule}: {theirs}"
                continue
            is_poll = rule.rule.endswith("/live")  # it leads away from what was deleted
            assert theirs[0] in (404, 422) or (is_poll and theirs[0] == 303), f"{method} {rule.rule}: {theirs}"
            swept += 1
    assert swept > 60
    assert [client.get(url).get_json() for url in watched] == before
