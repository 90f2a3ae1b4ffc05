"""An approved template into a talk: chosen, read as the person would read it, its gaps filled by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.messaging.models import MessageThread
from app.messaging.queries import templates as queries
from app.messaging.services import thread_templates
from app.messaging.services.template_people import Shown

GIVEN = "p."  # before the name of a value given by hand
MOST_VALUE = 200


@dataclass(frozen=True)
class Choice:
    """What the form shows. `refusal`: why none may go; `gaps` are values the person lacks, as given so far."""

    refusal: str
    names: list[tuple[int, str]] = field(default_factory=list)
    chosen: int = 0
    shown: Shown | None = None
    gaps: list[tuple[str, str]] = field(default_factory=list)


def choice_of(thread: MessageThread, fields: Mapping[str, str]) -> Choice:
    """As the form's fields have it; the only template there is is chosen by itself."""
    refusal = thread_templates.find_refusal(thread)
    if refusal:
        return Choice(refusal)
    found = {template.id: (template, version) for template, version in queries.list_approved_whatsapp()}
    names = [(template.id, template.name) for template, _ in found.values()]
    chosen = names[0][0] if len(names) == 1 else _number(fields.get("template", ""))
    if chosen not in found:
        return Choice("", names)
    version = found[chosen][1]
    lacking = thread_templates.show(thread, version, {}).missing
    given = given_values(fields)
    shown = thread_templates.show(thread, version, {name: given[name] for name in lacking if name in given})
    return Choice("", names, chosen, shown, [(name, given.get(name, "")) for name in lacking])


def name_of(template_id: str) -> str:
    """What a template is called to send it; nothing for one that cannot be sent."""
    wanted = _number(template_id)
    return next((one.name for one, _ in queries.list_approved_whatsapp() if one.id == wanted), "")


def given_values(fields: Mapping[str, str]) -> dict[str, str]:
    """Values filled in by hand; an empty field is none."""
    return {
        key.removeprefix(GIVEN): text.strip()[:MOST_VALUE]
        for key, text in fields.items()
        if key.startswith(GIVEN) and text.strip()
    }


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
