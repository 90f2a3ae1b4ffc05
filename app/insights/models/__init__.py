"""Tables of insights."""

from app.insights.models.audience import (
    BRIEF_FIELDS,
    Audience,
    AudienceReport,
    AudienceState,
    AudienceStep,
    Step,
    StepState,
)
from app.insights.models.audience_segment import AudienceSegment
from app.insights.models.conversation import ChatTurn, Conversation, TurnState
from app.insights.models.persona import Persona
from app.insights.models.simulation import PanelReply, Simulation, SimulationState

__all__ = [
    "BRIEF_FIELDS",
    "Audience",
    "AudienceReport",
    "AudienceSegment",
    "AudienceState",
    "AudienceStep",
    "ChatTurn",
    "Conversation",
    "PanelReply",
    "Persona",
    "Simulation",
    "SimulationState",
    "Step",
    "StepState",
    "TurnState",
]
