"""The last gate before a message leaves: pace, kept by all workers together, and nobody who said STOP.

A sender's or a campaign's pace is one number in the store, the moment its next message may leave (GCRA), so messages
leave evenly and no two workers send more than one. What is in the air to a number is counted, so that who answers a
STOP can wait until nothing is. Without the store nothing is sent: a pace nobody keeps is none.

A store can lose what it was told: emptied, started again, or followed by a copy that had not heard the last of it. So
it has an epoch, which none of these outlives. Whoever sends learns it before looking at consent, and what was claimed
in one epoch does not leave in another.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from redis.exceptions import RedisError

from app.core.logs import get_logger
from app.core.tenancy import current_tenant_id
from app.messaging.services import gate_scripts

log = get_logger()
LATE_US = 100_000  # how far a worker that woke late may catch up
FLIGHT_MS = 60_000  # longer than any call to a provider may take
STOPPED_SECONDS = 120  # longer than anything waits that was claimed before; whoever claims later reads consent
WAIT_SECONDS = 10.0
SHORTEST_LOOK, LONGEST_LOOK = 0.01, 0.05


@dataclass(frozen=True)
class Pace:
    """So many messages a second for what `name` says: a campaign, a sender. 0: as many as there are."""

    name: str
    per_second: float


@dataclass(frozen=True)
class Decision:
    """`goes[i]` for the first numbers asked about: True it may leave now, False it said STOP. The others wait.

    `is_lost`: the store is not the one the epoch was of, so nothing was decided; consent has to be looked at anew.
    """

    goes: list[bool]
    wait_seconds: float
    is_lost: bool = False


@dataclass(frozen=True)
class Place:
    """Where the gate is closed: a number, as one tenant writes to it."""

    tenant_id: int
    number: str


@dataclass(frozen=True)
class Closing:
    """`is_quiet`: nothing the store knows of is in the air. `remembers`: it has known of everything for a minute."""

    is_quiet: bool
    remembers: bool


def epoch() -> str:
    """What the store is called for as long as it loses nothing. Ask before consent is read; raises RedisError."""
    name: bytes = gate_scripts.run("epoch", [gate_scripts.EPOCH], [])[0]
    return name.decode()


def take(
    paces: Sequence[Pace], channel: str, numbers: Sequence[str], since: str, *, ahead_seconds: float = 0.0
) -> Decision:
    """Let as many of the numbers go, in their order, as the paces allow now. One round trip; raises RedisError.

    `since` is the epoch their consent was read in; in another nothing goes. Each that goes must be given back with
    `land` once the provider has answered. With `ahead_seconds` turns that come so soon are taken too, and count as in
    the air from now on: they leave after `wait_seconds`, which is that of the last.
    """
    keys = [gate_scripts.EPOCH, *(f"msg:pace:{pace.name}" for pace in paces)]
    for place in map(_here, numbers):
        keys += [_stop_key(place, channel), _flight_key(place, channel)]
    # One without a pace is asked too: the provider may have asked for a rest.
    intervals = [round(1_000_000 / pace.per_second) if pace.per_second > 0 else 0 for pace in paces]
    ahead = round(ahead_seconds * 1_000_000)
    wait, *decided = gate_scripts.run("take", keys, [len(paces), *intervals, LATE_US, FLIGHT_MS, since, ahead])
    if int(wait) < 0:
        return Decision([], 0.0, is_lost=True)
    return Decision([one == 1 for one in decided], int(wait) / 1_000_000)


def land(channel: str, numbers: Sequence[str]) -> None:
    """These are no longer in the air. A store that is away forgets them by itself after a minute."""
    if not numbers:
        return
    try:
        gate_scripts.run("land", [_flight_key(_here(number), channel) for number in numbers], [])
    except (RedisError, OSError) as error:
        log.warning("gate_not_told", reason=str(error))


def hold_back(pace: Pace, seconds: float) -> None:
    """Let nothing of this pace leave for a while: the provider asked for it. Raises RedisError."""
    gate_scripts.run("rest", [f"msg:pace:{pace.name}"], [round(seconds * 1_000_000)])


def close(places: Sequence[Place], channel: str, at: datetime, deadline: float) -> Closing:
    """Close it in all these places at once, and wait until nothing is in the air to any, to the `deadline` on the
    monotonic clock. `at` is when STOP was said. Raises RedisError."""
    stops = [_stop_key(one, channel) for one in places]
    flights = [_flight_key(one, channel) for one in places]
    age_us = gate_scripts.run("close", [gate_scripts.EPOCH, *stops], [_stamp(at), STOPPED_SECONDS])
    remembers = int(age_us) >= FLIGHT_MS * 1000
    pause = SHORTEST_LOOK
    while any(int(count or 0) > 0 for count in gate_scripts.client().mget(flights)):
        if time.monotonic() > deadline:
            log.warning("stop_answered_with_a_message_in_the_air", channel=channel)
            return Closing(is_quiet=False, remembers=remembers)
        time.sleep(pause)
        pause = min(LONGEST_LOOK, pause * 1.5)  # many wait at once, and looking takes time from those who land
    return Closing(is_quiet=True, remembers=remembers)


def reopen(places: Sequence[Place], channel: str, at: datetime) -> None:
    """Somebody who had said STOP said START at `at`; a STOP said later stays."""
    if not places:
        return
    try:
        gate_scripts.run("reopen", [_stop_key(one, channel) for one in places], [_stamp(at)])
    except (RedisError, OSError) as error:
        log.warning("gate_not_told", reason=str(error))


def _stamp(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


def _here(number: str) -> Place:
    return Place(current_tenant_id(), number)


def _stop_key(place: Place, channel: str) -> str:
    return f"msg:stop:{place.tenant_id}:{channel}:{place.number}"


def _flight_key(place: Place, channel: str) -> str:
    return f"msg:flight:{place.tenant_id}:{channel}:{place.number}"
