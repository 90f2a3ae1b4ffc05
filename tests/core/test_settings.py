"""Settings, secrets and limits: refuse to start unsafe, keep what is secret, count what is limited."""

from __future__ import annotations

import base64

import pytest
from cryptography.fernet import Fernet

from app.core import crypto, logs, ratelimit
from app.core.config import DEV_FIELD_KEY, DEV_SECRET, ConfigurationError, Settings, load_settings
from app.core.errors import RateLimited, Unavailable

GOOD = {"ENVIRONMENT": "production", "SECRET_KEY": "s" * 40, "FIELD_KEYS": base64.urlsafe_b64encode(b"k" * 32).decode()}


@pytest.fixture
def environment(monkeypatch):
    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


def test_production_starts_with_keys_of_its_own_and_secure_cookies(environment):
    environment(**GOOD)
    assert load_settings().secure_cookies


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", DEV_SECRET),
        ("SECRET_KEY", "short"),
        ("FIELD_KEYS", DEV_FIELD_KEY),
        ("FIELD_KEYS", f"{GOOD['FIELD_KEYS']},{DEV_FIELD_KEY}"),
        ("FIELD_KEYS", ""),
        ("FIELD_KEYS", "not a key"),
        ("DEMO_MODE", "true"),
    ],
)
def test_production_does_not_start_with_keys_that_are_no_secret(environment, name, value):
    environment(**GOOD | {name: value})
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert "must be" in str(refused.value)
    assert value not in str(refused.value) or len(value) < 6


def test_a_setting_that_cannot_be_is_named(environment):
    environment(PORT="eighty")
    with pytest.raises(ConfigurationError, match="PORT"):
        load_settings()


def test_a_hosts_database_address_is_understood(environment):
    environment(DATABASE_URL="postgres://u:p@h/d")
    assert Settings().sqlalchemy_url == "postgresql+psycopg://u:p@h/d"


def test_a_secret_is_unreadable_and_survives_a_change_of_keys(settings_override):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings_override(field_keys=old)
    kept = crypto.encrypt("sk-very-secret")
    assert "secret" not in kept
    settings_override(field_keys=f"{new}, {old}")
    assert crypto.decrypt(kept) == "sk-very-secret"
    turned = crypto.rotate(kept)
    settings_override(field_keys=new)
    assert crypto.decrypt(turned) == "sk-very-secret"
    with pytest.raises(ValueError, match="FIELD_KEYS"):
        crypto.decrypt(kept)


def test_passwords_are_kept_as_argon2id(app, member):
    from sqlalchemy import select

    from app.accounts.models import User
    from app.core.db import db

    with app.app_context():
        kept = db.session.scalars(select(User.password_hash).where(User.id == member.id)).one()
    assert kept.startswith("$argon2id$")


def test_a_log_line_hides_secrets_wherever_they_stand_and_keeps_figures():
    line = {
        "event": "call", "headers": {"Authorization": "Bearer x", "Accept": "y"}, "openai_api_key": "sk",
        "input_tokens": 12,
    }  # fmt: skip
    shown = logs._hide_secrets(None, "info", line)
    assert shown == {
        "event": "call", "headers": {"Authorization": "[hidden]", "Accept": "y"}, "openai_api_key": "[hidden]",
        "input_tokens": 12,
    }  # fmt: skip


@pytest.fixture
def a_limit(app, monkeypatch):
    monkeypatch.setitem(ratelimit.LIMITS, "test", ratelimit.Limit("2/minute", "Slowly."))
    monkeypatch.setitem(ratelimit.LIMITS, "strict", ratelimit.Limit("2/minute", "Slowly.", fails_closed=True))


def test_a_limit_counts_each_key_for_itself_and_says_how_long_to_wait(a_limit):
    ratelimit.check("test", "a")
    ratelimit.check("test", "a")
    ratelimit.check("test", "b")
    with pytest.raises(RateLimited) as refused:
        ratelimit.check("test", "a")
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 60
    ratelimit.clear("test", "a")
    ratelimit.check("test", "a")


def test_without_the_store_a_limit_lets_through_unless_it_guards_the_door(a_limit, store):
    store.stop()
    try:
        ratelimit.check("test", "a")
        ratelimit.clear("test", "a")
        with pytest.raises(Unavailable):
            ratelimit.check("strict", "a")
    finally:
        store.start()
    ratelimit.check("strict", "a")


@pytest.mark.parametrize(
    "values",
    [
        {"TWILIO_TIMEOUT_SECONDS": "40"},  # 10 to leave, 45 for the call, 30 to be listed: over 60
        {"MESSAGE_CLAIM_SECONDS": "40"},
        {"MESSAGE_DOUBT_SECONDS": "50"},
    ],
)
def test_what_might_send_a_message_twice_does_not_start(environment, values):
    environment(**values)
    with pytest.raises(ConfigurationError, match="MESSAGE_CLAIM_SECONDS"):
        load_settings()


def test_no_call_to_a_provider_may_outlast_what_the_store_remembers_of_it(environment):
    environment(TWILIO_TIMEOUT_SECONDS="55", MESSAGE_CLAIM_SECONDS="600")
    with pytest.raises(ConfigurationError, match="TWILIO_TIMEOUT_SECONDS"):
        load_settings()
