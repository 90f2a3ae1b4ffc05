"""What goes with someone who leaves a workspace, and what stays."""

from __future__ import annotations

import re

import pytest


@pytest.fixture
def conversations(in_tenant):
    """How many conversations there are in a tenant, whoever's they are."""

    def count(tenant_id):
        from sqlalchemy import func, select

        from app.core.db import db
        from app.insights.models import Conversation

        with in_tenant(tenant_id):
            return db.session.scalar(select(func.count(Conversation.id)))

    return count


def talk(client, run_jobs):
    """Make an audience and begin a conversation with one of its personas; returns the audience's id."""
    audience_id = client.post("/audience", json={"name": "Kept"}).get_json()["audience_id"]
    run_jobs()
    persona = re.search(r"/app/personas/(\d+)", client.get(f"/app/audiences/{audience_id}").text).group(1)
    page = client.get("/app/settings/you").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    assert client.post(f"/app/personas/{persona}/chat", data={"csrf_token": token}).status_code == 303
    return audience_id


@pytest.mark.parametrize("has_another_workspace", [False, True])
def test_conversations_go_with_their_owner_and_audiences_stay(
    client, client_for, make_member, member, other_member, in_tenant, run_jobs, conversations, has_another_workspace
):
    from app.accounts.models import Membership
    from app.core.db import db, unit_of_work

    colleague = make_member("analyst", member.tenant_id)
    if has_another_workspace:
        with in_tenant(other_member.tenant_id), unit_of_work():
            db.session.add(Membership(user_id=colleague.id, tenant_id=other_member.tenant_id, role="analyst"))
    theirs = client_for(colleague)
    audience_id = talk(theirs, run_jobs)
    talk(client, run_jobs)
    assert conversations(member.tenant_id) == 2
    assert client.delete(f"/api/v1/users/{colleague.id}").status_code == 200
    run_jobs()
    assert conversations(member.tenant_id) == 1
    assert client.get(f"/audience/{audience_id}").status_code == 200
