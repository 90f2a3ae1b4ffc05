"""The workspace of the segments benchmark: people, what they are known by, consents and a year of events, seeded."""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

NAMES = {"view": 0.46, "visit": 0.2, "search": 0.12, "add_to_cart": 0.08, "purchase": 0.08, "email_open": 0.06}
CITIES = ["Berlin", "Hamburg", "Munich", "Cologne", "Leipzig", "Dresden", "Bremen", "Bonn", "Kiel", "Mainz"]
DAYS = 365
BLOCK = 100_000


def seconds(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def fill(asked: argparse.Namespace) -> int:
    """People and events straight into the tables; the tenant's id."""
    from sqlalchemy import select

    from app.accounts.models import Tenant
    from app.cdp.models import ConsentState, EventName, Identity, Profile
    from app.core.db import db, unit_of_work
    from app.core.tenancy import tenant_scope

    known = db.session.scalar(select(Tenant.id).limit(1))
    if known:
        count_identities = select(Identity.id).limit(1)  # data that was kept from before has none
        if db.session.scalar(count_identities) is None:
            _write_all(Identity, identities(known, asked.people))
        return known
    with unit_of_work():
        tenant = Tenant(name="Benchmark", slug="benchmark")
        db.session.add(tenant)
        db.session.flush()
        tenant_id = tenant.id
    with tenant_scope(tenant_id), unit_of_work():
        db.session.add_all(EventName(name=name) for name in NAMES)
        db.session.flush()
        name_ids = dict(db.session.execute(select(EventName.name, EventName.id)).all())
    took = seconds(lambda: _write_all(Profile, people(tenant_id, asked.people)))
    took += seconds(lambda: _write_all(Identity, identities(tenant_id, asked.people)))
    took += seconds(lambda: _write_all(ConsentState, consents(tenant_id, asked.people)))
    took += seconds(lambda: write_deeds(tenant_id, asked, name_ids))
    print(f"filled with {asked.people:,} people and {asked.events:,} events in {took:.0f} s", flush=True)
    return tenant_id


def _write_all(model: Any, rows: Iterator[dict[str, Any]]) -> None:
    for part in chunks(rows):
        _write(model, part)


def chunks(rows: Iterator[dict[str, Any]], size: int = 50_000) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    for row in rows:
        part.append(row)
        if len(part) == size:
            yield part
            part = []
    yield part


def _write(model: Any, rows: list[dict[str, Any]]) -> None:
    """Rows as the driver takes them: SQLAlchemy alone would cost more than the database."""
    from app.core.db import db, unit_of_work

    if not rows:
        return
    names = list(rows[0])
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {model.__tablename__} ({', '.join(names)}) VALUES ({marks})"
    with unit_of_work():
        raw: Any = db.session.connection().connection.dbapi_connection
        raw.executemany(statement, [[_plain(row[name]) for name in names] for row in rows])


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value)
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if hasattr(value, "strftime") else value


def people(tenant_id: int, count: int) -> Iterator[dict[str, Any]]:
    from app.core.clock import utc_now

    now, draw = utc_now(), random.Random(1)
    for number in range(1, count + 1):
        traits = {
            "city": draw.choice(CITIES),
            "age": draw.randint(16, 90),
            "plan": draw.choice(["free", "pro", "gold"]),
        }
        if number % 3 == 0:
            traits["birthday"] = f"{draw.randint(1940, 2005)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
        yield {
            "id": number,
            "tenant_id": tenant_id,
            "name": f"Person {number}",
            "name_key": f"person {number}",
            "surname_key": "",
            "email": f"p{number}@mail{number % 50}.example" if number % 4 else "",
            "phone": "",
            "user_id": "",
            "traits": traits,
            "lifecycle": draw.choice(["anonymous", "known", "lead", "customer"]),
            "merged_into_id": None,
            "first_seen_at": now,
            "last_seen_at": now,
            "created_at": now,
            "updated_at": now,
        }


def identities(tenant_id: int, count: int) -> Iterator[dict[str, Any]]:
    """Everybody is known by one `user_id`."""
    from app.core.clock import utc_now

    now = utc_now()
    for number in range(1, count + 1):
        yield {
            "tenant_id": tenant_id,
            "profile_id": number,
            "kind": "user_id",
            "value": f"u{number}",
            "source": "benchmark",
            "first_seen_at": now,
            "last_seen_at": now,
        }


def consents(tenant_id: int, count: int) -> Iterator[dict[str, Any]]:
    from app.core.clock import utc_now

    now, draw = utc_now(), random.Random(2)
    for number in range(1, count + 1):
        for channel in ("sms", "email"):
            if draw.random() < 0.5:
                yield {
                    "tenant_id": tenant_id,
                    "profile_id": number,
                    "channel": channel,
                    "at": now,
                    "state": "granted" if draw.random() < 0.7 else "denied",
                }


def write_deeds(tenant_id: int, asked: argparse.Namespace, name_ids: dict[str, int]) -> None:
    """Events in the order of time, a year of them up to now; some people do much more than others. Drawn by the
    block, and written as the driver takes them."""
    from app.core.clock import utc_now
    from app.core.db import db, unit_of_work

    draw, now = np.random.default_rng(3), utc_now().timestamp()
    columns = "profile_id, source_profile_id, name_id, at, day, received_at, properties, tenant_id, context"
    statement = f"INSERT INTO events ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, {tenant_id}, '{{}}')"
    ids, weights = [name_ids[name] for name in NAMES], np.array(list(NAMES.values()))
    with_amount = {name_ids["purchase"], name_ids["add_to_cart"]}
    for start in range(0, asked.events, BLOCK):
        count = min(BLOCK, asked.events - start)
        seconds_ago = (DAYS - 1) * 86_400 * (1 - np.arange(start, start + count) / asked.events)
        times = now - seconds_ago
        texts = np.char.replace(
            np.datetime_as_string((times * 1e6).astype("datetime64[us]"), unit="us"), "T", " "
        ).tolist()
        who = ((asked.people * draw.random(count) ** 1.6).astype(np.int64) + 1).tolist()
        names = draw.choice(ids, count, p=weights / weights.sum()).tolist()
        channels = draw.choice(["web", "app", "shop"], count).tolist()
        amounts = (draw.integers(100, 20_000, count) / 100).tolist()
        days = (times // 86_400).astype(np.int64).tolist()
        properties = [
            f'{{"channel": "{channel}", "amount": {amount}}}' if name in with_amount else f'{{"channel": "{channel}"}}'
            for name, channel, amount in zip(names, channels, amounts, strict=True)
        ]
        with unit_of_work():
            raw: Any = db.session.connection().connection.dbapi_connection
            raw.executemany(statement, zip(who, who, names, texts, days, texts, properties, strict=True))


def deed(tenant_id: int, count: int, name_ids: dict[str, int], draw: random.Random, at: Any) -> dict[str, Any]:
    from app.cdp.services.engine.days import day_of

    who = int(count * draw.random() ** 1.6) + 1
    name = draw.choices(list(NAMES), list(NAMES.values()))[0]
    properties: dict[str, Any] = {"channel": draw.choice(["web", "app", "shop"])}
    if name in ("purchase", "add_to_cart"):
        properties["amount"] = draw.randint(100, 20_000) / 100
    return {
        "tenant_id": tenant_id,
        "profile_id": who,
        "source_profile_id": who,
        "name_id": name_ids[name],
        "at": at,
        "day": day_of(at, "UTC"),
        "message_id": None,
        "properties": properties,
        "context": {},
        "received_at": at,
    }
