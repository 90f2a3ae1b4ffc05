"""How many calls each API contract takes: counted per credential, or per address for callers without one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from flask import Flask, Response, g, request

from app.core import ratelimit
from app.core.contracts import contract_at
from app.core.dialects import respond, speaks_json
from app.core.errors import RateLimited
from app.core.http import limited_address
from app.core.ratelimit import Limit, Use

TOO_MANY = "Too many requests. Please try again later."


class Person(Protocol):
    id: int


class Caller(Protocol):
    """What is asked of whoever the guards let in, as `g.caller`."""

    @property
    def credential(self) -> str: ...

    @property
    def tenant(self) -> Person: ...

    @property
    def user(self) -> Person | None: ...


@dataclass(frozen=True)
class Allowance:
    """A contract's two limits; `counts_users` adds up all credentials of one person."""

    known: str
    unknown: str
    counts_users: bool = False


@dataclass(frozen=True)
class OperationLimit:
    """A limit on one operation, beside its contract's. A group in the pattern counts each such thing of a tenant."""

    name: str
    method: str
    pattern: re.Pattern[str]


# The figures of messaging, tobermory and sync are those of their contracts; insight and stratum give none.
LIMITS = {
    "insight.credential": Limit("600/minute", TOO_MANY),
    "insight.address": Limit("120/minute", TOO_MANY),
    "stratum.credential": Limit("600/minute", TOO_MANY),
    "stratum.address": Limit("120/minute", TOO_MANY),
    "sync.credential": Limit("600/minute", TOO_MANY),
    "sync.address": Limit("120/minute", TOO_MANY),
    "sync.list": Limit("60/minute", TOO_MANY),
    "sync.create": Limit("10/minute", TOO_MANY),
    "sync.run": Limit("10/minute", "This audience was synced many times in the last minute. Try again later."),
    "sync.export": Limit("5/minute", TOO_MANY),
    "tobermory.user": Limit("100/minute", TOO_MANY),
    "tobermory.address": Limit("100/minute", TOO_MANY),
    "messaging.credential": Limit("10000/hour", TOO_MANY),
    "messaging.address": Limit("1000/hour", TOO_MANY),
}
ALLOWANCES = {
    "insight": Allowance("insight.credential", "insight.address"),
    "stratum": Allowance("stratum.credential", "stratum.address"),
    "sync": Allowance("sync.credential", "sync.address"),
    "tobermory": Allowance("tobermory.user", "tobermory.address", counts_users=True),
    "messaging": Allowance("messaging.credential", "messaging.address"),
}
_SYNC = "/api/v1/cdp/audience-sync/audiences"
OPERATIONS = (
    OperationLimit("sync.list", "GET", re.compile(_SYNC)),
    OperationLimit("sync.create", "POST", re.compile(_SYNC)),
    OperationLimit("sync.run", "POST", re.compile(f"{_SYNC}/([^/]+)/sync")),
    OperationLimit("sync.export", "POST", re.compile(f"{_SYNC}/export")),
)
UNLIMITED = ("/webhooks/", "/api/v1/whatsapp/webhook")  # providers call them, signed: a refused receipt is lost


def find_uses(method: str, path: str, caller: Caller | None, address: str) -> list[Use]:
    """The limits a call of a contract counts towards; none for providers' callbacks."""
    if path.startswith(UNLIMITED):
        return []
    allowance = ALLOWANCES[contract_at(path).name]
    who = _key(caller, address, counts_users=allowance.counts_users)
    names = [(allowance.known if caller else allowance.unknown, who)]
    for operation in OPERATIONS:
        found = operation.pattern.fullmatch(path.rstrip("/"))
        if caller and found and method == operation.method:
            names.append((operation.name, f"{caller.tenant.id}:{found[1]}" if found.groups() else who))
    return [Use(name, LIMITS[name], key) for name, key in names]


def _key(caller: Caller | None, address: str, *, counts_users: bool) -> str:
    if caller is None:
        return f"address:{address}"
    by_user = counts_users and caller.user is not None and not caller.credential.startswith("api_key")
    return f"{caller.tenant.id}:" + (f"user:{caller.user.id}" if by_user and caller.user else caller.credential)


def _count_call() -> None:
    """Count a call that the guards let in, and every call for an address that is none."""
    g.is_counted = True
    if not speaks_json(request.path):
        return
    uses = find_uses(request.method, request.path, g.get("caller"), limited_address())
    if uses:
        ratelimit.count(uses)


def _answer(response: Response) -> Response:
    """Count what was refused on its way in, above all bad tokens, which past the limit hear 429; say the figures."""
    if "is_counted" not in g:
        try:
            _count_call()
        except RateLimited as error:
            response = respond(error)
    response.headers.update(ratelimit.headers())
    return response


def init_app(app: Flask) -> None:
    """After the features: the guards must have said who calls."""
    app.before_request(_count_call)
    app.after_request(_answer)
