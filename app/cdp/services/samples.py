"""Sample people: an invented grocer's customers with what they did, taken in as events like anyone's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from app.cdp.models import Channel, ConsentValue
from app.cdp.services import consent, ingestion, ingestion_rows
from app.cdp.services.identity_rules import Rules, load_rules
from app.cdp.services.ingestion_rows import EventRow
from app.core.clock import iso, utc_now

PEOPLE, KNOWN = 400, 220
SEED = 20_240_517
NAMES = (
    "Priya Nair", "Tom Whitfield", "Amara Okafor", "Lena Fischer", "Mateo Alvarez", "Grace Holloway", "Yusuf Demir",
    "Chloe Martin", "Arjun Mehta", "Hannah Lindqvist", "Samuel Boateng", "Isabel Duarte", "Noah Bergman", "Mei Tanaka",
    "Oliver Grant", "Fatima Zahra", "Jonas Keller", "Ruth Adeyemi", "Elif Kaya", "Daniel Moreau", "Sofia Rossi",
    "Liam O'Connor", "Nadia Haddad", "Viktor Novak", "Zoe Papadakis", "Ben Carver", "Anika Sharma", "Pedro Campos",
    "Julia Weber", "Kwame Mensah",
)  # fmt: skip
CITIES = ("Leeds", "Bristol", "Manchester", "Glasgow", "London", "Cardiff")
CATEGORIES = ("vegetables", "bakery", "dairy", "recipe kits", "fruit")
PAGES = ("/", "/boxes", "/recipes", "/recipes/20-minute-dal", "/delivery", "/prices")


def load() -> int:
    """Take them in; how many people they are. Their events are known by id, so a second time adds nothing."""
    received_at, rules = utc_now(), load_rules()
    rows = [ingestion_rows.clean(event, rules, received_at) for event in make_events(received_at)]
    ingestion.in_turns(lambda: _take(rows, rules, received_at))
    return PEOPLE


def _take(rows: list[EventRow], rules: Rules, received_at: datetime) -> None:
    taken = ingestion.accept(rows, rules, received_at, "sample")
    new = {
        one.profile_id for row, one in zip(rows, taken, strict=True) if row.name == "signup" and not one.is_duplicate
    }
    chance = random.Random(SEED)
    for profile_id in sorted(new):
        consent.record(profile_id, Channel.EMAIL, _state(chance, 0.8), "sample", {"form": "weekly box"})
        consent.record(profile_id, Channel.SMS, _state(chance, 0.4), "sample", {"form": "weekly box"})


def _state(chance: random.Random, share: float) -> ConsentValue:
    return ConsentValue.GRANTED if chance.random() < share else ConsentValue.DENIED


def make_events(now: datetime) -> Iterator[dict[str, Any]]:
    """The events of all of them; the same people and message ids every time, ending today."""
    chance = random.Random(SEED)
    for number in range(PEOPLE):
        yield from _person(number, now, chance)


def _person(number: int, now: datetime, chance: random.Random) -> Iterator[dict[str, Any]]:
    """Visits first; half of them are known by name, a third buy."""
    count = 0
    device, is_known, buys = f"sample-device-{number:03}", number < KNOWN, number % 3 == 0 and number < KNOWN
    at = now - timedelta(days=chance.uniform(6, 130))

    def event(name: str, **values: Any) -> dict[str, Any]:
        nonlocal count, at
        count += 1
        at = min(at + timedelta(hours=chance.uniform(0.05, 120)), now - timedelta(minutes=chance.uniform(2, 4000)))
        owner = {"user_id": f"sample-{number:03}"} if is_known and count > 2 else {}
        return {
            "event_name": name, "anonymous_id": device, "timestamp": iso(at), "context": {"sample": True},
            "message_id": f"sample-{number:03}-{count:03}", **owner, **values,
        }  # fmt: skip

    for _ in range(chance.randint(2, 5)):
        yield event("page", properties={"path": chance.choice(PAGES)})
    if not is_known:
        return
    yield event("signup", traits=_traits(number, chance), properties={"form": "weekly box"})
    for _ in range(chance.randint(1, 6) if buys else 0):
        yield event("product_viewed", properties={"category": chance.choice(CATEGORIES)})
        amount = round(chance.uniform(18, 96), 2)
        bought = {"amount": amount, "currency": "GBP", "category": chance.choice(CATEGORIES)}
        yield event("purchase", properties=bought)
    yield event("email_opened", properties={"subject": "Tonight: 20-minute dal"})


def _name(number: int) -> str:
    """First names and surnames, each pair once among the known."""
    turn, place = divmod(number, len(NAMES))
    first, surname = NAMES[place].split(" ", 1)[0], NAMES[(place + 7 * turn) % len(NAMES)].split(" ", 1)[1]
    return f"{first} {surname}"


def _traits(number: int, chance: random.Random) -> dict[str, Any]:
    name = _name(number)
    address = name.lower().replace("'", "").replace(" ", ".")
    traits: dict[str, Any] = {"name": name, "email": f"{address}@sample.example", "sample": True}
    traits |= {"city": chance.choice(CITIES), "household": chance.randint(1, 5), "newsletter": chance.random() < 0.6}
    if number % 2:
        traits["phone"] = f"+447700900{number:03}"
    return traits
