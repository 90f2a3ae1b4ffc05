"""A tenant with one of everything that operations name by id, and someone who may do all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.insights.panels import make_panel


@dataclass
class Caller:
    """Signs in as a client of the API would; `ids` are of rows that are there, by the parameter that names them."""

    app: Any
    member: Any
    ids: dict[str, Any]

    def headers(self) -> dict[str, str]:
        credentials = {"email": self.member.email, "password": self.member.password}
        answer = self.app.test_client().post("/api/v1/auth/login", json=credentials)
        return {"Authorization": f"Bearer {answer.json['access_token']}"}


@dataclass
class Nursery:
    """Makes a fresh tenant for each operation, so that what one deletes the next one has."""

    app: Any
    make_member: Any
    client_for: Any
    in_tenant: Any

    def make(self) -> Caller:
        member = self.make_member(is_superadmin=True)
        client = self.client_for(member)
        ids = {
            "user_id": self.make_member("analyst", member.tenant_id).id,
            "tenant_id": self.make_member().tenant_id,
        }
        return Caller(self.app, member, ids | self._made(client, member))

    def _made(self, client, member) -> dict[str, Any]:
        return self._insight(client, member) | self._account(client, member) | self._messaging(client)

    def _messaging(self, client) -> dict[str, Any]:
        api = "/messaging/api/v1"
        phone = "+14155550123"
        client.post(f"{api}/users", json={"phone_e164": phone, "consent_state": "OPT_IN"})
        template_id = client.post(f"{api}/templates", json={"name": "Hello", "content": "Hello {name|you}"}).json["id"]
        asked = {"attribute": "city", "operator": "equals", "value": "Leeds"}
        segment_uuid = client.post(f"{api}/segments", json={"name": "Leeds", "filter_criteria": asked}).json["id"]
        campaign = {"name": "Spring", "template_id": template_id, "segment_id": segment_uuid}
        campaign_id = client.post(f"{api}/campaigns", json=campaign).json["id"]
        return {"phone": phone, "template_id": template_id, "segment_uuid": segment_uuid, "campaign_id": campaign_id}

    def _insight(self, client, member) -> dict[str, Any]:
        from app.core.db import db, unit_of_work
        from app.insights.models import Simulation
        from app.insights.services import conversations

        panel = make_panel(client, self.in_tenant, member.tenant_id)
        simulation_id = client.post("/simulations", json=panel.body()).json["simulation"]["id"]
        persona_id = next(iter(panel.personas.values()))
        with self.in_tenant(member.tenant_id), unit_of_work():
            talk = conversations.begin(persona_id, member.id, simulation_id)
            db.session.flush()
            made = {"chat_history_id": talk.id, "job_id": db.session.get(Simulation, simulation_id).job_id}
        segment_id = next(iter(panel.segments.values()))
        return made | {
            "audience_id": panel.audience_id,
            "segment_id": segment_id,
            "persona_id": persona_id,
            "simulation_id": simulation_id,
            "segment_ids": [segment_id],
            "persona_ids": [persona_id],
        }

    def _account(self, client, member) -> dict[str, Any]:
        self.client_for(member)
        hook = {"url": "https://93.184.216.34/hook", "events": ["segment.entered"]}
        webhook_id = client.post("/api/v1/webhooks", json=hook).json["id"]
        sessions = client.get("/api/v1/auth/sessions").json
        invitation = {"email": f"{member.id}@example.com", "role": "viewer"}
        return {
            "key_id": client.post("/api/v1/api-keys", json={"name": "Till", "scopes": ["read"]}).json["id"],
            "invitation_id": client.post("/api/v1/invitations", json=invitation).json["id"],
            "session_id": next(session["id"] for session in sessions if not session["is_current"]),
            "webhook_id": webhook_id,
            "delivery_id": client.post(f"/api/v1/webhooks/{webhook_id}/ping").json["id"],
            "entry_id": client.get("/api/v1/audit").json["items"][0]["id"],
        }
