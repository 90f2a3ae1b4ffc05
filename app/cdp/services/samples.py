"""Sample people: an invented grocer's customers with what they did, taken in as events like anyone's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from app.cdp.services import consent, ingestion, ingestion_rows, sample_people
from app.cdp.services.consent import Statement
from app.cdp.services.identity_rules import Rules, load_rules
from app.cdp.services.ingestion_rows import EventRow
from app.core.clock import iso, utc_now

PEOPLE, KNOWN = 1200, 720
BATCH = 1000
SEED = 20_240_517
CATEGORIES = ("vegetables", "bakery", "dairy", "recipe kits", "fruit")
PAGES = ("/", "/boxes", "/recipes", "/recipes/20-minute-dal", "/delivery", "/prices")
SUBJECTS = ("Tonight: 20-minute dal", "Your box is on its way", "Five dinners for a cold week")
CURRENCIES = {"GB": "GBP", "US": "USD", "SE": "SEK"}


class Habit(NamedTuple):
    """How someone buys: how likely among the known, how often, how far apart, and how long ago it began."""

    weight: int
    orders: tuple[int, int]
    days_apart: float
    began: tuple[int, int]


HABITS = (
    Habit(40, (0, 0), 0, (1, 170)),
    Habit(22, (1, 1), 1, (3, 160)),
    Habit(20, (2, 5), 21, (20, 120)),
    Habit(10, (6, 14), 8, (30, 120)),
    Habit(8, (2, 4), 14, (150, 210)),
)


def load() -> int:
    """Take them in; how many people they are. Their events are known by id, so a second time adds nothing."""
    received_at, rules = utc_now(), load_rules()
    events = (ingestion_rows.clean(event, rules, received_at) for event in make_events(received_at))
    while rows := list(islice(events, BATCH)):
        ingestion.in_turns(partial(_take, rows, rules, received_at))
    return PEOPLE


def _take(rows: list[EventRow], rules: Rules, received_at: datetime) -> None:
    taken = ingestion.accept(rows, rules, received_at, "sample")
    said: list[Statement] = []
    for row, one in zip(rows, taken, strict=True):
        if row.name == "signup" and not one.is_duplicate:
            said.extend(_statements(one.profile_id, row, received_at))
    consent.record_many(said)


def _statements(profile_id: int, signup: EventRow, now: datetime) -> Iterator[Statement]:
    chance = random.Random(f"{SEED} {signup.message_id}")
    for one in sample_people.make_answers(chance, has_phone="phone" in signup.traits):
        at = min(signup.at + timedelta(days=one.days), now)
        yield Statement(profile_id, one.channel, one.state, one.source, at, one.evidence)


def make_events(now: datetime) -> Iterator[dict[str, Any]]:
    """The events of all of them; the same people and message ids every time, ending today."""
    known = sample_people.make_traits(KNOWN, SEED)
    for number in range(PEOPLE):
        yield from _events_of(number, known[number] if number < KNOWN else None, now)


def _events_of(number: int, traits: dict[str, Any] | None, now: datetime) -> Iterator[dict[str, Any]]:
    """Visits first; those with traits sign up and are named from then on; they buy as their habit is."""
    chance = random.Random(SEED + number)
    habit = chance.choices(HABITS, [one.weight for one in HABITS])[0]
    at = now - timedelta(days=chance.uniform(*habit.began))
    names = {"anonymous_id": f"sample-device-{number:04}"}
    for count, (name, wait, values) in enumerate(_story(habit, traits, chance)):
        if name == "signup":
            names["user_id"] = f"sample-{number:04}"
        at = _by_day(at + timedelta(days=wait), at)
        if at > now:
            return
        message_id = f"sample-{number:04}-{count:03}"
        yield {"event_name": name, "timestamp": iso(at), "message_id": message_id, **names, **values}


def _by_day(at: datetime, before: datetime) -> datetime:
    """The same time, but nobody shops in the small hours: what would fall there happens in the afternoon."""
    return at + timedelta(hours=13) if at.hour < 6 and at - before > timedelta(hours=1) else at


def _story(habit: Habit, traits: dict[str, Any] | None, chance: random.Random) -> Iterator[tuple[str, float, Any]]:
    """Name, days since the one before, and what the event says."""
    for _ in range(chance.randint(1, 4)):
        yield _step("page", chance.uniform(0.001, 0.2), path=chance.choice(PAGES))
    if traits is None:
        return
    yield "signup", 0.01, {"traits": traits, "properties": {"form": "weekly box"}}
    currency = CURRENCIES.get(traits["country"], "EUR")
    for _ in range(chance.choice((0, 0, 1, 2))):
        yield _step("product_viewed", chance.uniform(0.5, 20), category=chance.choice(CATEGORIES))
    for _ in range(chance.randint(*habit.orders)):
        category = chance.choice(CATEGORIES)
        yield _step("product_viewed", habit.days_apart * chance.uniform(0.4, 1.6), category=category)
        amount = round(chance.uniform(18, 96), 2)
        yield _step("purchase", chance.uniform(0.002, 0.1), amount=amount, currency=currency, category=category)
        if chance.random() < 0.4:
            yield _step("email_opened", chance.uniform(0.1, 2), subject=chance.choice(SUBJECTS))


def _step(name: str, wait: float, **properties: Any) -> tuple[str, float, Any]:
    return name, wait, {"properties": properties}
