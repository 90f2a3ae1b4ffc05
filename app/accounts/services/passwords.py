"""Hashing and checking passwords with Argon2id."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from gevent.monkey import is_module_patched
from gevent.threadpool import ThreadPool

from app.core.config import get_settings

T = TypeVar("T")


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    settings = get_settings()
    return PasswordHasher(time_cost=settings.argon2_time_cost, memory_cost=settings.argon2_memory_kib)


@lru_cache(maxsize=1)
def _native_threads() -> ThreadPool:
    return ThreadPool(2)  # each hash takes its share of memory


def _aside(function: Callable[..., T], *arguments: str) -> T:
    """Under gevent a native thread does it: a hash takes a tenth of a second, and nothing else would move."""
    if not is_module_patched("threading"):
        return function(*arguments)
    return cast(T, _native_threads().apply(function, arguments))


@lru_cache(maxsize=1)
def _decoy() -> str:
    return _hasher().hash("no account has this password")


def hash_password(password: str) -> str:
    return _aside(_hasher().hash, password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether they match. With no hash the same work is done, so that timing does not tell accounts apart."""
    try:
        _aside(_hasher().verify, password_hash or _decoy(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    return _hasher().check_needs_rehash(password_hash)
