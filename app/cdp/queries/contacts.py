"""People with a phone number, and what they said on a channel: as whoever sends messages asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal_column, select

from app.cdp.models import Channel, ConsentState, ConsentValue, Identity, Profile
from app.cdp.queries.lists import ids_in, of_people
from app.core.db import db
from app.core.tenancy import current_tenant_id

EMPTY: Any = literal_column("''")  # written out: an index over part of a table is used for its own words only
MOST_COUNTED = 50_000


@dataclass(frozen=True)
class Said:
    """The state in force on a channel, where it came from and since when."""

    state: str
    source: str
    at: datetime


@dataclass(frozen=True)
class Answers:
    """People whose state on the channel is this one; with `sources`, whose word came (or did not come) from there."""

    channel: str
    state: str
    source: str = ""
    is_from_source: bool = True


def list_ids(answers: Answers | None, page: int, limit: int) -> list[int]:
    """Ids of a page of living people with a number, the newest first, read in the order of an index."""
    statement, place = _reachable(answers)
    return list(db.session.scalars(statement.order_by(place.desc()).limit(limit).offset((page - 1) * limit)))


def count(answers: Answers | None, most: int | None = None) -> int:
    """How many there are; with `most`, no further than that."""
    chosen = _reachable(answers)[0].limit(most).subquery()
    return db.session.scalar(select(func.count()).select_from(chosen)) or 0


def load(ids: Sequence[int]) -> list[Profile]:
    """These profiles in this order."""
    rows = {row.id: row for row in db.session.scalars(select(Profile).where(Profile.id.in_(ids_in(ids))))}
    return [rows[one] for one in ids if one in rows]


def said_on(channel: str, profile_ids: Iterable[int]) -> dict[int, Said]:
    """The state in force of each of these people who ever said something on the channel."""
    said = ConsentState.__table__.c
    columns = (said.profile_id, said.state, said.source, said.at)
    rows = db.session.execute(
        select(*columns).where(of_people(ConsentState.__table__, profile_ids), said.channel == channel)
    )
    return {profile_id: Said(state, source, at) for profile_id, state, source, at in rows}


def holders_of(ids: Sequence[int]) -> dict[int, int]:
    """These profiles and those merged straight into them: each id, and whose it is now."""
    rows = db.session.execute(select(Profile.id, Profile.merged_into_id).where(Profile.merged_into_id.in_(ids_in(ids))))
    return {one: one for one in ids} | {loser: winner for loser, winner in rows if winner is not None}


def refused_numbers(profile_ids: Iterable[int]) -> list[list[str]]:
    """Channel and number of each number of these people, for every channel messages go by that they refused."""
    ids = list(profile_ids)
    statement = (
        select(ConsentState.channel, Identity.value)
        .join(Identity, Identity.profile_id == ConsentState.profile_id)
        .where(
            ConsentState.profile_id.in_(ids_in(ids)), ConsentState.state == ConsentValue.DENIED,
            ConsentState.channel.in_((Channel.SMS, Channel.WHATSAPP)), Identity.kind == "phone",
        )
    )  # fmt: skip
    return sorted([channel, number] for channel, number in db.session.execute(statement))


def _reachable(answers: Answers | None) -> tuple[Select[Any], Any]:
    """A select of ids, and the column whose order costs nothing: that of the people, or of those who said so."""
    living = (Profile.merged_into_id.is_(None), Profile.phone != EMPTY)
    if answers is not None and answers.state != ConsentValue.UNKNOWN:
        said = _who_said(answers).join(Profile, Profile.id == ConsentState.profile_id).where(*living)
        return said, ConsentState.profile_id
    statement = select(Profile.id).where(Profile.tenant_id == current_tenant_id(), *living)
    if answers is not None:
        spoke = select(ConsentState.profile_id).where(
            ConsentState.profile_id == Profile.id, ConsentState.channel == answers.channel,
            ConsentState.state != ConsentValue.UNKNOWN, ConsentState.tenant_id == current_tenant_id(),
        )  # fmt: skip
        statement = statement.where(~spoke.exists())
    return statement, Profile.id


def _who_said(answers: Answers) -> Select[Any]:
    statement = select(ConsentState.profile_id).where(
        ConsentState.tenant_id == current_tenant_id(), ConsentState.channel == answers.channel,
        ConsentState.state == answers.state,
    )  # fmt: skip
    if answers.source:
        is_from = ConsentState.source == answers.source
        statement = statement.where(is_from if answers.is_from_source else ~is_from)
    return statement
