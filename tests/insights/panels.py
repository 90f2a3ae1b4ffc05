"""A small audience to put questions to, made through the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PEOPLE = {
    "Weeknight rescuers": ("Priya Nair", "Tom Ashworth", "Ana Lopez"),
    "Label readers": ("Maren Holt", "Callum Reid"),
    "Curious switchers": ("Dani Okafor",),
}
SIZES = {"Weeknight rescuers": 60, "Label readers": 30, "Curious switchers": 10}
BRIEF = {
    "name": "Orchard & Oat",
    "business_description": "Organic groceries in a weekly box, delivered to the door.",
    "industry": "Retail",
    "location": "United Kingdom",
    "age_range": "25-60",
    "core_need": "Healthy dinners without planning",
}


@dataclass
class Panel:
    """Ids of what was made, by name."""

    audience_id: int
    segments: dict[str, int] = field(default_factory=dict)
    personas: dict[str, int] = field(default_factory=dict)

    def body(self, **more: Any) -> dict[str, Any]:
        return {"audience_id": self.audience_id, "name": "First box free"} | more


def make_panel(client: Any, in_tenant: Any, tenant_id: int) -> Panel:
    """Three segments with shares, six people; the pipeline that a new audience starts is left out."""
    from app.core.db import db, unit_of_work
    from app.insights.models import Audience, AudienceSegment, AudienceState

    with in_tenant(tenant_id), unit_of_work():
        audience = Audience(**BRIEF, state=AudienceState.READY)
        db.session.add(audience)
        db.session.flush()
        for position, name in enumerate(PEOPLE):
            segment = AudienceSegment(
                audience_id=audience.id, name=name, position=position, size_percentage=SIZES[name],
                description=f"People called {name.lower()}.",
            )  # fmt: skip
            db.session.add(segment)
        db.session.flush()
        panel = Panel(audience.id)
    for row in client.get(f"/audience/{panel.audience_id}/segments").get_json():
        panel.segments[row["name"]] = row["id"]
        for number, name in enumerate(PEOPLE[row["name"]]):
            answer = client.post(f"/segments/{row['id']}/personas", json={"name": name, "data": _data(number)})
            panel.personas[name] = answer.get_json()["persona_id"]
    return panel


def _data(number: int) -> dict[str, Any]:
    return {
        "age": 29 + 7 * number,
        "gender": "Female" if number % 2 == 0 else "Male",
        "occupation": ("Pharmacist", "Physiotherapist", "Set designer")[number],
        "income": ("$62,000", "$54,000", "$38,000")[number],
        "goals": ["Cook at home more often", "Waste less food"],
        "pain_points": ["Planning dinner at five o'clock", "Delivery slots that are full"],
        "values": ["Honest labels"],
        "preferred_channels": ["Email"],
    }
