"""Rows of customer data, written straight into the tables: what ingest and identity leave behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from app.cdp.models import (
    ConsentState,
    EventName,
    FoldItem,
    Identity,
    Profile,
    ProfileEvent,
)
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.tenancy import current_tenant_id

TODAY = 20_000
NOON = datetime(1970, 1, 1, 12, tzinfo=UTC)


def at(day: int, minutes: int = 0) -> datetime:
    return NOON + timedelta(days=day, minutes=minutes)


class People:
    """Makes, changes and removes people and their events as the acting tenant, noting each for the folder."""

    def __init__(self) -> None:
        self.name_ids: dict[str, int] = {}

    def _note(self, kind: str, payload: dict[str, Any]) -> None:
        row = {"tenant_id": current_tenant_id(), "kind": kind, "payload": payload, "created_at": utc_now()}
        db.session.execute(insert(FoldItem.__table__), [row])

    def add(self, count: int = 1, **values: Any) -> list[int]:
        """New profiles, with the same values."""
        with unit_of_work():
            rows = [Profile(**values) for _ in range(count)]
            db.session.add_all(rows)
            db.session.flush()
            ids = [row.id for row in rows]
            self._note("profiles", {"profiles": ids})
        return ids

    def change(self, profile_id: int, **values: Any) -> None:
        with unit_of_work():
            db.session.execute(update(Profile).where(Profile.id == profile_id).values(**values))
            self._note("profiles", {"profiles": [profile_id]})

    def consent(self, profile_id: int, channel: str, state: str) -> None:
        with unit_of_work():
            db.session.execute(
                delete(ConsentState).where(ConsentState.profile_id == profile_id, ConsentState.channel == channel)
            )
            db.session.add(ConsentState(profile_id=profile_id, channel=channel, state=state))
            self._note("profiles", {"profiles": [profile_id]})

    def identify(self, profile_id: int, kind: str, value: str) -> None:
        with unit_of_work():
            db.session.add(Identity(profile_id=profile_id, kind=kind, value=value))
            self._note("profiles", {"profiles": [profile_id]})

    def name_id(self, name: str) -> int:
        if name not in self.name_ids:
            found = db.session.scalar(select(EventName.id).where(EventName.name == name))
            if found is None:
                row = EventName(name=name)
                db.session.add(row)
                db.session.flush()
                found = row.id
            self.name_ids[name] = found
        return self.name_ids[name]

    def events(self, rows: Iterable[tuple[int, str, datetime, dict[str, Any]]]) -> list[int]:
        """Events of (profile, name, time, properties), in one transaction."""
        with unit_of_work():
            ids = []
            for profile_id, name, moment, properties in rows:
                event = ProfileEvent(
                    profile_id=profile_id, source_profile_id=profile_id, name_id=self.name_id(name), at=moment,
                    day=(moment - datetime(1970, 1, 1, tzinfo=UTC)).days, properties=properties,
                )  # fmt: skip
                db.session.add(event)
                db.session.flush()
                ids.append(event.id)
            self._note("events", {"events": ids})
        return ids

    def event(self, profile_id: int, name: str, day: int = TODAY, minutes: int = 0, **properties: Any) -> int:
        return self.events([(profile_id, name, at(day, minutes), properties)])[0]

    def merge(self, loser: int, winner: int) -> None:
        with unit_of_work():
            db.session.execute(update(ProfileEvent).where(ProfileEvent.profile_id == loser).values(profile_id=winner))
            db.session.execute(update(Profile).where(Profile.id == loser).values(merged_into_id=winner))
            self._note("moved", {"from": loser, "to": winner})

    def split(self, winner: int, loser: int) -> None:
        with unit_of_work():
            db.session.execute(
                update(ProfileEvent)
                .where(ProfileEvent.profile_id == winner, ProfileEvent.source_profile_id == loser)
                .values(profile_id=loser)
            )
            db.session.execute(update(Profile).where(Profile.id == loser).values(merged_into_id=None))
            self._note("moved", {"from": winner, "to": loser})

    def erase(self, profile_ids: Sequence[int]) -> None:
        with unit_of_work():
            of_them = ProfileEvent.profile_id.in_(profile_ids)
            days = db.session.execute(select(ProfileEvent.name_id, ProfileEvent.day).where(of_them).distinct()).all()
            db.session.execute(delete(ProfileEvent).where(of_them))
            db.session.execute(delete(Profile).where(Profile.id.in_(profile_ids)))
            payload = {"profiles": list(profile_ids), "days": [list(pair) for pair in days]}
            self._note("erased", payload)


def fold() -> None:
    """Fold everything that waits, in this process."""
    from app.cdp.services import folding

    while True:
        with unit_of_work():
            if not folding.fold_step():
                return
