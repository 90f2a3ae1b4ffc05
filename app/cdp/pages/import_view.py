"""How an import is put before people: columns to be mapped, and how far it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.cdp.models import Channel, DataImport, ImportKind, ImportState
from app.cdp.pages.profile_view import CHANNELS
from app.cdp.services import imports, imports_mapping
from app.core.clock import utc_now

STATES: dict[str, tuple[str, str]] = {
    ImportState.UPLOADED: ("To be mapped", "warn"),
    ImportState.QUEUED: ("Waiting", "idle"),
    ImportState.RUNNING: ("Running", "live"),
    ImportState.DONE: ("Done", "ok"),
    ImportState.FAILED: ("Failed", "bad"),
    ImportState.CANCELLED: ("Stopped", "idle"),
}
KINDS = {ImportKind.PEOPLE: "People", ImportKind.EVENTS: "Events"}
FORMS = {"csv": "table", "lines": "JSON lines", "list": "JSON list"}
PLACES = {
    "": "Leave out",
    "email": "E-mail",
    "phone": "Phone",
    "user_id": "User id",
    "anonymous_id": "Device or browser id",
    "external_ids": "Id in another system",
    "traits": "Trait of the person",
}
CONSENT_PLACES = {f"consent.{channel}": f"Consent: {CHANNELS[channel]}" for channel in Channel} | {
    "consented_at": "Time of consent"
}
EVENT_PLACES = {
    "event_name": "Name of the event",
    "timestamp": "Time of the event",
    "message_id": "Message id",
    "properties": "Property of the event",
}
NAMED = ("traits", "properties", "external_ids", "context")
AS_SENT = frozenset({*imports_mapping.PLAIN, *imports_mapping.NESTED, "sent_at"})
SAMPLES = 3


@dataclass(frozen=True)
class Column:
    """A column of the file: its name, some values, and where it goes; `label` names a trait, property or system."""

    name: str
    samples: list[str]
    place: str = ""
    label: str = ""


def columns_of(row: DataImport, mapping: Mapping[str, str]) -> list[Column]:
    names = [name for name in row.layout.get("columns", []) if name]
    return [_column(name, row.layout.get("sample", []), mapping.get(name, "")) for name in names]


def _column(name: str, sample: list[dict[str, Any]], target: str) -> Column:
    seen = [str(values[name])[:60] for values in sample if values.get(name) not in (None, "")]
    place, _, label = target.partition(".")
    if place not in NAMED:
        place, label = target, ""
    return Column(name, seen[:SAMPLES], place, label)


def places_of(row: DataImport) -> dict[str, str]:
    return PLACES | (EVENT_PLACES if row.kind == ImportKind.EVENTS else CONSENT_PLACES)


def is_as_sent(row: DataImport) -> bool:
    """Whether a JSON file looks like what the API takes, so that it needs no mapping."""
    columns = row.layout.get("columns", [])
    return row.form != "csv" and bool(columns) and set(columns) <= AS_SENT


def mapping_from(row: DataImport, form: Mapping[str, str]) -> dict[str, str]:
    """What the form says: column to target. Empty when rows are taken as they are."""
    if form.get("as_sent") and row.form != "csv":
        return {}
    names = [name for name in row.layout.get("columns", []) if name]
    found = {}
    for number, name in enumerate(names):
        place = form.get(f"place_{number}", "")
        label = form.get(f"label_{number}", "").strip() or name[:90]
        if place == "external_ids":
            label = _system_of(label)
        found[name] = f"{place}.{label}" if place in NAMED else place
    return found


def _system_of(label: str) -> str:
    """A name another system can have, from what was typed: "Shopify Store!" is shopify-store."""
    return re.sub(r"[^a-z0-9_.]+", "-", label.lower()).strip("-_.")[:40]


@dataclass(frozen=True)
class Progress:
    """How far an import is; `left` is None until it can be told."""

    share: float
    rows_a_second: float
    left: timedelta | None


def progress_of(row: DataImport) -> Progress:
    share = row.bytes_done / row.size_bytes if row.size_bytes else 0.0
    took = (utc_now() - row.started_at).total_seconds() if row.started_at else 0.0
    left = timedelta(seconds=took * (1 - share) / share) if share > 0 and took > 1 else None
    return Progress(min(share, 1.0), row.rows_done / took if took > 0 else 0.0, left)


def is_live(row: DataImport) -> bool:
    return row.state in imports.LIVE
