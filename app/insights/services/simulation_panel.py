"""Who sits on a panel: personas of one audience, chosen by segment, by name, or all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.core.errors import ValidationFailed
from app.insights.models import AudienceSegment
from app.insights.queries import PersonaPlace, list_audience_personas, list_segments

LARGEST_PANEL = 100


@dataclass(frozen=True)
class Choice:
    """What a run keeps of a choice; both empty means everyone in the audience."""

    segment_ids: list[int]
    persona_ids: list[int]


def resolve(audience_id: int, segment_ids: Sequence[int], persona_ids: Sequence[int]) -> list[PersonaPlace]:
    """The people chosen, segment by segment. A segment of which nobody is named brings all of its people."""
    return pick(list_audience_personas(audience_id), segment_ids, persona_ids)


def pick(
    everyone: Iterable[PersonaPlace], segment_ids: Sequence[int], persona_ids: Sequence[int]
) -> list[PersonaPlace]:
    """As `resolve`, of people already at hand."""
    everyone = list(everyone)
    if not segment_ids and not persona_ids:
        return everyone
    named = set(persona_ids)
    with_names = {place.segment.id for place in everyone if place.persona.id in named}
    whole = set(segment_ids) - with_names
    return [place for place in everyone if place.persona.id in named or place.segment.id in whole]


def choose(audience_id: int, segment_ids: Sequence[int], persona_ids: Sequence[int]) -> list[PersonaPlace]:
    """As `resolve`, but refuses ids that are not of this audience, an empty panel and one that is too large."""
    _refuse_strangers("segment_ids", segment_ids, {s.id for s in list_segments(audience_id)}, "Segment")
    everyone = list_audience_personas(audience_id)
    if not everyone:
        raise ValidationFailed(
            "This audience has no personas yet, so there is nobody to ask. Make its personas first.",
            field="audience_id",
        )
    _refuse_strangers("persona_ids", persona_ids, {p.persona.id for p in everyone}, "Persona")
    panel = pick(everyone, segment_ids, persona_ids)
    if not panel:
        raise ValidationFailed("The chosen segments have no personas. Choose someone to ask.", field="segment_ids")
    if len(panel) > LARGEST_PANEL:
        raise ValidationFailed(
            f"A panel has at most {LARGEST_PANEL} personas; this choice has {len(panel)}.", field="persona_ids"
        )
    return panel


def remaining(audience_id: int, segment_ids: Sequence[int], persona_ids: Sequence[int]) -> Choice:
    """An earlier choice without what was deleted since; refused when nothing of it is left."""
    people = {place.persona.id for place in list_audience_personas(audience_id)}
    segments = {segment.id for segment in list_segments(audience_id)}
    choice = Choice([i for i in segment_ids if i in segments], [i for i in persona_ids if i in people])
    if choice == Choice([], []) and (segment_ids or persona_ids):
        raise ValidationFailed("Nobody of that panel is left in the audience. Choose a new one.", field="persona_ids")
    return choice


def _refuse_strangers(field: str, ids: Sequence[int], known: set[int], noun: str) -> None:
    strangers = [i for i in ids if i not in known]
    if strangers:
        raise ValidationFailed(f"{noun} {strangers[0]} is not part of this audience.", field=field)


def as_choice(everyone: Sequence[PersonaPlace], persona_ids: Iterable[int]) -> Choice:
    """Ticked people in the fewest words: everyone, whole segments, or names."""
    ticked = set(persona_ids)
    by_segment: dict[int, set[int]] = {}
    for place in everyone:
        by_segment.setdefault(place.segment.id, set()).add(place.persona.id)
    if ticked >= {place.persona.id for place in everyone}:
        return Choice([], [])
    whole = [segment_id for segment_id, people in by_segment.items() if people <= ticked]
    if ticked == set().union(*(by_segment[segment_id] for segment_id in whole)):
        return Choice(whole, [])
    return Choice([], sorted(ticked))


def segments_of(panel: Iterable[PersonaPlace]) -> list[AudienceSegment]:
    """The segments the panel comes from, each once."""
    return list({place.segment.id: place.segment for place in panel}.values())
