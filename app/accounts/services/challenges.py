"""Challenges a passkey signs: each for one purpose, once, within five minutes."""

from __future__ import annotations

import secrets

from redis.exceptions import RedisError

from app.core import crypto
from app.core.errors import Unavailable
from app.core.logs import get_logger
from app.core.redis import get_redis

log = get_logger()
SECONDS = 300
N_BYTES = 32


def issue(purpose: str) -> str:
    """A new challenge, in hex; raises Unavailable when it cannot be kept."""
    challenge = secrets.token_hex(N_BYTES)
    try:
        get_redis().set(_key(challenge), purpose, ex=SECONDS)
    except RedisError as error:
        raise _gone(error) from None
    return challenge


def spend(challenge: str, purpose: str) -> bool:
    """Whether this challenge was issued for the purpose, not long ago, and not spent; it is spent now."""
    try:
        kept = get_redis().getdel(_key(challenge))
    except RedisError as error:
        raise _gone(error) from None
    return bool(challenge) and kept == purpose.encode()


def _key(challenge: str) -> str:
    return f"passkey:{crypto.fingerprint(challenge)}"


def _gone(error: RedisError) -> Unavailable:
    log.warning("challenges_unavailable", reason=str(error))
    return Unavailable("Passkeys cannot be used for a moment. Please try again.")
