"""JSON of the insight contract, in and out."""

from app.insights.schemas.incoming import (
    AudienceChange,
    AudienceIn,
    GenerateIn,
    MessageIn,
    PersonaChange,
    PersonaIn,
    PictureChange,
    SegmentChange,
    SegmentEdit,
    SegmentIn,
    SimulationChange,
    SimulationIn,
)
from app.insights.schemas.shown import audience_out, panel_reply_out, persona_out, segment_out, simulation_out

__all__ = [
    "AudienceChange",
    "AudienceIn",
    "GenerateIn",
    "MessageIn",
    "PersonaChange",
    "PersonaIn",
    "PictureChange",
    "SegmentChange",
    "SegmentEdit",
    "SegmentIn",
    "SimulationChange",
    "SimulationIn",
    "audience_out",
    "panel_reply_out",
    "persona_out",
    "segment_out",
    "simulation_out",
]
