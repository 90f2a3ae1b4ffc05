"""Facts about audiences, simulations and conversations; their live names are the contract's where it has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from app.core.events import Event

Live = list[tuple[str, str, dict[str, Any]]]


@dataclass(frozen=True)
class AudienceEvent(Event):
    audience_id: int
    user_id: int | None
    audience_name: str

    def _data(self) -> dict[str, Any]:
        return {"audience_id": self.audience_id, "user_id": self.user_id, "audience_name": self.audience_name}

    def _outside(self) -> dict[str, Any]:
        return {"audience_id": self.audience_id, "audience_name": self.audience_name}

    def _everywhere(self, name: str, data: dict[str, Any]) -> Live:
        own: Live = [("audience", name, data), ("audience", f"audience-{self.audience_id}", data)]
        return [*own, (f"user.{self.user_id}", name, data)] if self.user_id else own


@dataclass(frozen=True)
class AudienceProcessingStarted(AudienceEvent):
    def live(self) -> Live:
        return self._everywhere("audience_processing_started", self._data())


@dataclass(frozen=True)
class AudienceProcessingComplete(AudienceEvent):
    outside_types: ClassVar[dict[str, str]] = {"audience.ready": "An audience is ready"}
    segments_count: int

    def live(self) -> Live:
        return self._everywhere("audience_processing_complete", self._data() | {"segments_count": self.segments_count})

    def outside(self) -> tuple[str, dict[str, Any]]:
        return "audience.ready", self._outside() | {"segments_count": self.segments_count}


@dataclass(frozen=True)
class AudienceProcessingError(AudienceEvent):
    outside_types: ClassVar[dict[str, str]] = {"audience.failed": "An audience stopped before it was ready"}
    error: str

    def live(self) -> Live:
        return self._everywhere("audience_processing_error", self._data() | {"error": self.error})

    def outside(self) -> tuple[str, dict[str, Any]]:
        return "audience.failed", self._outside() | {"error": self.error}


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
class SimulationFinished(Event):
    """A panel was asked to its end, and somebody answered; `headline` is what the report says first."""

    outside_types: ClassVar[dict[str, str]] = {"simulation.finished": "A simulation is done"}
    simulation_id: int
    simulation_name: str
    audience_id: int
    headline: str

    def outside(self) -> tuple[str, dict[str, Any]]:
        return "simulation.finished", _simulation(self) | {"headline": self.headline}


@dataclass(frozen=True)
class SimulationFailed(Event):
    """A panel could not be asked to its end."""

    outside_types: ClassVar[dict[str, str]] = {"simulation.failed": "A simulation stopped before it was done"}
    simulation_id: int
    simulation_name: str
    audience_id: int
    error: str

    def outside(self) -> tuple[str, dict[str, Any]]:
        return "simulation.failed", _simulation(self) | {"error": self.error}


def _simulation(event: SimulationFinished | SimulationFailed) -> dict[str, Any]:
    return {
        "simulation_id": event.simulation_id, "simulation_name": event.simulation_name,
        "audience_id": event.audience_id,
    }  # fmt: skip


@dataclass(frozen=True)
class ConversationChanged(Event):
    """A conversation of this user has something new: shown in each of their tabs."""

    conversation_id: int
    user_id: int

    def live(self) -> Live:
        data = {"conversation_id": self.conversation_id}
        return [(f"user.{self.user_id}", f"conversation-{self.conversation_id}", data)]
