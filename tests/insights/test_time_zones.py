"""Days and greetings go by the clocks of the workspace."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

NOON_IN_AUCKLAND = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)  # the 11th there, the 10th in Lisbon


@pytest.fixture
def at(monkeypatch):
    """Stop the clock of home and of the list of conversations."""

    def stop(moment):
        from app.dashboard.pages import home
        from app.insights.services import chat_lists

        for module in (home, chat_lists):
            monkeypatch.setattr(module, "utc_now", lambda: moment)

    return stop


@pytest.mark.parametrize(
    ("zone", "greeting"),
    [("Europe/Lisbon", "Good evening"), ("Asia/Tokyo", "Good morning"), ("Pacific/Auckland", "Hello")],
)
def test_the_greeting_is_the_one_of_the_workspaces_time_of_day(client, member, at, zone, greeting):
    assert client.patch(f"/api/v1/tenants/{member.tenant_id}", json={"timezone": zone}).status_code == 200
    at(NOON_IN_AUCKLAND)
    assert re.search(rf"<h1>{greeting}", client.get("/app").text)


@pytest.mark.parametrize(("zone", "heading"), [("Europe/Lisbon", "Today"), ("Pacific/Auckland", "Yesterday")])
def test_a_conversation_is_under_the_workspaces_own_day(client, member, in_tenant, run_jobs, at, zone, heading):
    from app.core.db import db, unit_of_work
    from app.insights.models import Conversation, Persona

    client.patch(f"/api/v1/tenants/{member.tenant_id}", json={"timezone": zone})
    client.post("/audience", json={"name": "Ours"})
    run_jobs()
    with in_tenant(member.tenant_id), unit_of_work():
        persona = db.session.query(Persona).first()
        spoken = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
        db.session.add(Conversation(persona_id=persona.id, user_id=member.id, title="Tea", last_message_at=spoken))
    at(NOON_IN_AUCKLAND)
    page = client.get("/app/conversations").text
    assert re.findall(r">(Today|Yesterday|Last 7 days)<", page) == [heading]
