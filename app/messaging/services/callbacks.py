"""What a provider calls us with: who signed it, and where it waits while the database is away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.core.config import get_settings
from app.core.db import db
from app.core.errors import PermissionDenied, Unavailable
from app.core.logs import get_logger
from app.core.redis import get_redis
from app.core.tenancy import platform_scope
from app.messaging.models import MessagingAccount
from app.messaging.providers import signature

log = get_logger()
STATUS, INBOUND = "status", "inbound"
HELD = "msg:held_callbacks"
MOST_HELD = 100_000
_STEP = 2000  # calls taken up in one round
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout, Unavailable)


@dataclass(frozen=True)
class Call:
    """A call as it came: `url` is the public address it was made to, query included."""

    kind: str
    url: str
    params: Mapping[str, list[str]]
    signature: str
    received_at: datetime

    def get(self, name: str) -> str:
        """A parameter's text without what no database keeps; empty when it is not there."""
        return (self.params.get(name) or [""])[0].replace("\x00", "")

    def query(self, name: str) -> str:
        """A parameter of the address itself."""
        return (parse_qs(urlsplit(self.url).query).get(name) or [""])[0]


@dataclass(frozen=True)
class Origin:
    """The account that signed: whose own it is, or the installation's, which many tenants share."""

    tenant_ids: frozenset[int]
    is_shared: bool

    def may_speak_of(self, tenant_id: int) -> bool:
        """The installation's account carried everyone's messages at some time; a tenant's own only its own."""
        return self.is_shared or tenant_id in self.tenant_ids


def origin_of(call: Call) -> Origin:
    """The account whose token signed the call; raises PermissionDenied for anything else."""
    named, settings = call.get("AccountSid"), get_settings()
    own = frozenset(tenant_id for tenant_id, token in _own_tokens(named) if _is_signed(call, token))
    is_installations = bool(settings.twilio_auth_token) and named in ("", settings.twilio_account_sid)
    is_shared = is_installations and _is_signed(call, settings.twilio_auth_token)
    if not own and not is_shared:
        raise PermissionDenied("The signature of this call is not valid.", code="bad_signature")
    return Origin(own, is_shared)


def _own_tokens(account_sid: str) -> list[tuple[int, str]]:
    if not account_sid:
        return []
    with platform_scope():  # the call names an account, not a tenant
        rows = db.session.scalars(select(MessagingAccount).where(MessagingAccount.account_sid == account_sid[:40]))
        return [(row.tenant_id, token) for row in rows if (token := _token_of(row))]


def _token_of(row: MessagingAccount) -> str:
    """Empty when it cannot be read any more: nothing is believed that is signed with it."""
    try:
        return row.auth_token
    except ValueError:
        log.error("account_token_unreadable", tenant_id=row.tenant_id)
        return ""


def _is_signed(call: Call, token: str) -> bool:
    return signature.is_signed(call.url, call.params, b"", call.signature, token)


def hold(call: Call) -> None:
    """Keep a call, its signature unread, until it can be looked at; Unavailable when it cannot be kept either."""
    try:
        if int(get_redis().llen(HELD)) >= MOST_HELD:
            raise Unavailable("Too many calls wait already. Send it again later.")
        get_redis().rpush(HELD, _written(call))
    except (RedisError, OSError):
        raise Unavailable("Nothing can be kept for the moment. Send it again later.") from None
    log.warning("callback_held", kind=call.kind)


def held() -> list[tuple[bytes, Call]]:
    """The calls that have waited longest, each with what `forget` and `put_back` know it by."""
    texts: list[bytes] = get_redis().lrange(HELD, 0, _STEP - 1)
    return [(text, _read(text)) for text in texts]


def forget(text: bytes) -> None:
    """It was looked at."""
    get_redis().lrem(HELD, 1, text)


def put_back(text: bytes) -> None:
    """It waits on, behind the others."""
    with get_redis().pipeline(transaction=True) as pipe:
        pipe.lrem(HELD, 1, text)
        pipe.rpush(HELD, text)
        pipe.execute()


def _written(call: Call) -> str:
    return json.dumps(
        {"kind": call.kind, "url": call.url, "params": dict(call.params), "signature": call.signature,
         "at": call.received_at.isoformat()}
    )  # fmt: skip


def _read(text: bytes) -> Call:
    raw: dict[str, Any] = json.loads(text)
    return Call(raw["kind"], raw["url"], raw["params"], raw["signature"], datetime.fromisoformat(raw["at"]))
