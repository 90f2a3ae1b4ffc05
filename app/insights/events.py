"""Facts about audiences, simulations and conversations; their live names are the contract's where it has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.core.events import Event

Live = list[tuple[str, str, dict[str, Any]]]


@dataclass(frozen=True)
class AudienceEvent(Event):
    audience_id: int
    user_id: int | None
    audience_name: str

    def _data(self) -> dict[str, Any]:
        return {"audience_id": self.audience_id, "user_id": self.user_id, "audience_name": self.audience_name}

    def _everywhere(self, name: str, data: dict[str, Any]) -> Live:
        own: Live = [("audience", name, data), ("audience", f"audience-{self.audience_id}", data)]
        return [*own, (f"user.{self.user_id}", name, data)] if self.user_id else own


@dataclass(frozen=True)
class AudienceProcessingStarted(AudienceEvent):
    def live(self) -> Live:
        return self._everywhere("audience_processing_started", self._data())


@dataclass(frozen=True)
class AudienceProcessingComplete(AudienceEvent):
    segments_count: int

    def live(self) -> Live:
        return self._everywhere("audience_processing_complete", self._data() | {"segments_count": self.segments_count})


@dataclass(frozen=True)
class AudienceProcessingError(AudienceEvent):
    error: str

    def live(self) -> Live:
        return self._everywhere("audience_processing_error", self._data() | {"error": self.error})


@dataclass(frozen=True)
class AudienceChanged(Event):
    """Something of the audience is new on the page: a step, a segment, a persona, a field."""

    audience_id: int
    what: str = ""

    def live(self) -> Live:
        return [("audience", f"audience-{self.audience_id}", {"audience_id": self.audience_id, "what": self.what})]


@dataclass(frozen=True)
class SimulationChanged(Event):
    """The simulation moved on; `state` is its state now."""

    simulation_id: int
    state: str

    def live(self) -> Live:
        data = {"simulation_id": self.simulation_id, "state": self.state}
        return [("audience", f"simulation-{self.simulation_id}", data)]


@dataclass(frozen=True)
class ConversationChanged(Event):
    """A conversation of this user has something new: shown in each of their tabs."""

    conversation_id: int
    user_id: int

    def live(self) -> Live:
        data = {"conversation_id": self.conversation_id}
        return [(f"user.{self.user_id}", f"conversation-{self.conversation_id}", data)]
