"""Facts about messages and campaigns: what other features, webhooks and open pages hear of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.core.events import Event


@dataclass(frozen=True)
class CampaignMoved(Event):
    """A campaign is in another state, or its recipients were frozen."""

    campaign_id: int
    campaign_uuid: str
    name: str
    state: str

    def live(self) -> list[tuple[str, str, dict[str, Any]]]:
        data = {"campaign_id": self.campaign_id, "state": self.state}
        return [("audience", "campaigns", data), ("audience", f"campaign-{self.campaign_id}", data)]


@dataclass(frozen=True)
class ThreadMoved(Event):
    """Something happened in a talk with a person: they wrote, or somebody answered, took or closed it."""

    thread_id: int

    def live(self) -> list[tuple[str, str, dict[str, Any]]]:
        data = {"thread_id": self.thread_id}
        return [("audience", "threads", data), ("audience", f"thread-{self.thread_id}", data)]


@dataclass(frozen=True)
class TemplateDecided(Event):
    """WhatsApp said what becomes of a text, or it could not be submitted."""

    template_id: int
    name: str
    approval: str

    def live(self) -> list[tuple[str, str, dict[str, Any]]]:
        return [("audience", f"template-{self.template_id}", {"approval": self.approval})]
