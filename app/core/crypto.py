"""Encryption of secret columns, with keys that can be rotated."""

from __future__ import annotations

import hashlib
import secrets
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Text
from sqlalchemy.types import TypeDecorator

from app.core.config import get_settings


@lru_cache(maxsize=4)
def _fernet(keys: str) -> MultiFernet:
    return MultiFernet([Fernet(key.strip().encode()) for key in keys.split(",") if key.strip()])


def encrypt(text: str) -> str:
    """Encrypt with the newest key of FIELD_KEYS."""
    return _fernet(get_settings().field_keys).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Decrypt with any key of FIELD_KEYS; raises ValueError when none fits."""
    try:
        return _fernet(get_settings().field_keys).decrypt(token.encode()).decode()
    except InvalidToken:
        raise ValueError("A stored secret cannot be read with the keys in FIELD_KEYS.") from None


def rotate(token: str) -> str:
    """The same secret under the newest key."""
    return _fernet(get_settings().field_keys).rotate(token.encode()).decode()


def fingerprint(text: str) -> str:
    """SHA-256 in hex: a name for a secret that does not tell it."""
    return hashlib.sha256(text.encode()).hexdigest()


def random_token(n_bytes: int = 32) -> str:
    """URL-safe randomness from the system."""
    return secrets.token_urlsafe(n_bytes)


class Encrypted(TypeDecorator[str]):
    """A text column that is ciphertext in the database and plain text in Python."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else encrypt(value)

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else decrypt(value)
