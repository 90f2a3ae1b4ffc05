"""How people, their traits and their days are put into words for pages."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.cdp.models import Channel, ConsentValue, Identity, Lifecycle, Profile
from app.cdp.queries.titles import subtitle_of, title_of
from app.cdp.services.days import EPOCH

STAGES: dict[str, tuple[str, str, str]] = {
    Lifecycle.ANONYMOUS: ("Anonymous", "idle", "only a device or browser is known"),
    Lifecycle.KNOWN: ("Known", "idle", "an address, number or id is known"),
    Lifecycle.LEAD: ("Lead", "live", "showed interest"),
    Lifecycle.CUSTOMER: ("Customer", "ok", "bought"),
    Lifecycle.ACTIVE: ("Active", "ok", "buys again and again"),
    Lifecycle.CHURNED: ("Churned", "warn", "a customer not seen for long"),
}
CHANNELS: dict[str, str] = {
    Channel.EMAIL: "E-mail",
    Channel.SMS: "SMS",
    Channel.WHATSAPP: "WhatsApp",
    Channel.ADS: "Ads",
    Channel.ANALYTICS: "Analytics",
}
CONSENT: dict[str, tuple[str, str]] = {
    ConsentValue.GRANTED: ("Granted", "ok"),
    ConsentValue.DENIED: ("Denied", "bad"),
    ConsentValue.UNKNOWN: ("Unknown", "idle"),
}
KINDS = {"email": "E-mail", "phone": "Phone", "user_id": "User id", "anonymous_id": "Devices and browsers"}
KIND_ICONS = {"email": "mail", "phone": "message-circle", "user_id": "id-badge-2", "anonymous_id": "device-desktop"}
_ORDER = list(KINDS)


def city_of(profile: Profile) -> str:
    """Where the person lives, as far as a trait says."""
    address = profile.traits.get("address")
    nested = address.get("city") if isinstance(address, dict) else None
    city = profile.traits.get("city") or nested or ""
    return city[:60] if isinstance(city, str) else ""


def kind_label(kind: str) -> str:
    system = kind.removeprefix("external:")
    return KINDS.get(kind) or system.replace("_", " ").replace("-", " ").capitalize()


def kind_icon(kind: str) -> str:
    return KIND_ICONS.get(kind, "plug")


def by_kind(identities: Iterable[Identity]) -> list[tuple[str, list[Identity]]]:
    """Identities in groups: address, number, user id, devices, then other systems."""
    groups: dict[str, list[Identity]] = {}
    for row in identities:
        groups.setdefault(row.kind, []).append(row)
    rank = {kind: place for place, kind in enumerate(_ORDER)}
    return sorted(groups.items(), key=lambda item: (rank.get(item[0], len(rank)), item[0]))


def shown(value: Any) -> str:
    """A trait's or property's value on one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"{int(value)}"
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return ", ".join(shown(item) for item in value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def digest(properties: dict[str, Any], most: int = 4) -> list[tuple[str, str]]:
    """The first few plain properties of an event, for its line."""
    plain = [(key, shown(value)) for key, value in properties.items() if not isinstance(value, dict | list)]
    return [(key, value[:60]) for key, value in plain if value][:most]


def day_label(day: int, today: int) -> str:
    """`Today`, `Yesterday`, `Mon 3 Nov`, with the year when it is another."""
    if today - day in (0, 1):
        return "Today" if day == today else "Yesterday"
    there, here = date.fromordinal(day + EPOCH), date.fromordinal(today + EPOCH)
    year = "" if there.year == here.year else f" {there.year}"
    return f"{there:%a} {there.day} {there:%b}{year}"


@dataclass(frozen=True)
class Day:
    """The events of one day, newest first."""

    number: int
    label: str
    events: list[Any]


def by_day(rows: Iterable[Any], today: int) -> list[Day]:
    days: list[Day] = []
    for row in rows:
        number = row[0].day
        if not days or days[-1].number != number:
            days.append(Day(number, day_label(number, today), []))
        days[-1].events.append(row)
    return days


FILTERS = {
    "person_title": title_of,
    "person_subtitle": subtitle_of,
    "person_city": city_of,
    "kind_label": kind_label,
    "kind_icon": kind_icon,
    "shown": shown,
    "pretty_json": pretty,
    "digest": digest,
}
