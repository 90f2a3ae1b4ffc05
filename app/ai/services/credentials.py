"""A tenant's own access to providers: entered, changed, taken away. A key goes in and never comes out again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from app.accounts.services import audit
from app.ai.models import AICredential, CheckState
from app.ai.queries import credentials_by_provider
from app.ai.services.names import LOCAL, PROVIDERS, label_of
from app.core.activity import record_activity
from app.core.config import get_settings
from app.core.db import db
from app.core.errors import NotFound, ValidationFailed
from app.core.outbound import check_url

_KEY = re.compile(r"[\x21-\x7e]{8,500}")
_MODEL = re.compile(r"[\w./:@\-]{1,120}")
SETTINGS_URL = "/app/settings/ai"


@dataclass(frozen=True)
class Access:
    """What someone entered for a provider. An empty key keeps the stored one."""

    provider: str
    api_key: str = ""
    base_url: str = ""
    model: str = ""
    is_enabled: bool = True
    uses_sandbox: bool = False


def check_access(access: Access) -> None:
    """Refuse what cannot be a key, a model or an allowed address. Looks names up: call it with no transaction open."""
    known_provider(access.provider)
    if access.api_key and not _KEY.fullmatch(access.api_key):
        raise ValidationFailed("A key has 8 to 500 characters and no spaces.", field="api_key")
    if access.model and not _MODEL.fullmatch(access.model):
        raise ValidationFailed("A model's name has letters, digits and . / : @ - only.", field="model")
    if len(access.base_url) > 300:
        raise ValidationFailed("The address is longer than 300 characters.", field="base_url")
    if access.base_url:
        if access.provider == LOCAL and not get_settings().private_urls_allowed:
            raise ValidationFailed("A local server can only be set up by whoever runs this product.", field="base_url")
        check_url(access.base_url)
    if access.uses_sandbox and not get_settings().sandbox_url:
        raise ValidationFailed("No sandbox is running.", field="uses_sandbox")


def save(access: Access, *, user_id: int | None = None) -> AICredential:
    """Store what check_access allowed.

    A changed address needs the key again: otherwise whoever may edit this page could send the stored key
    to a server of their own and read it there.
    """
    row = credentials_by_provider().get(known_provider(access.provider))
    if row is None:
        row = AICredential(provider=access.provider)
        db.session.add(row)
    if row.api_key and not access.api_key and access.base_url != (row.base_url or ""):
        raise ValidationFailed("Enter the key again when you change the address.", field="api_key")
    if access.base_url and not (access.api_key or row.api_key or access.provider == LOCAL):
        raise ValidationFailed("An address of your own needs a key of your own.", field="api_key")
    before = _settings_of(row)
    row.api_key = access.api_key or row.api_key
    row.base_url, row.model = access.base_url, access.model
    row.is_enabled, row.uses_sandbox = access.is_enabled, access.uses_sandbox
    _forget_check(row)
    _note("ai_key.saved" if access.api_key else "ai_access.changed", row, before)
    record_activity("ai.access", f"{label_of(row.provider)} settings changed", url=SETTINGS_URL, user_id=user_id)
    db.session.flush()
    return row


def remove_key(provider: str, *, user_id: int | None = None) -> None:
    """Take the key and the address away; the rest of the settings stay."""
    row = credentials_by_provider().get(known_provider(provider))
    if row is None or not (row.api_key or row.base_url):
        raise NotFound("There is no key to remove.")
    before = _settings_of(row)
    row.api_key, row.base_url = None, ""
    _forget_check(row)
    _note("ai_key.removed", row, before)
    record_activity("ai.access", f"{label_of(provider)} key removed", url=SETTINGS_URL, user_id=user_id)


def known_provider(name: str) -> str:
    """The name, or NotFound."""
    if name not in PROVIDERS:
        raise NotFound("There is no such provider.")
    return name


def _settings_of(row: AICredential) -> dict[str, Any]:
    """What the audit log may keep: of the key only whether there is one."""
    return {
        "has_key": bool(row.api_key),
        "address": row.base_url or "",
        "model": row.model or "",
        "is_enabled": row.is_enabled is not False,
        "uses_sandbox": bool(row.uses_sandbox),
    }


def _note(action: str, row: AICredential, before: dict[str, Any]) -> None:
    after = _settings_of(row)
    changed = [name for name, value in after.items() if value != before[name]]
    db.session.flush()
    audit.record(
        action,
        row,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
        label=label_of(row.provider),
    )


def _forget_check(row: AICredential) -> None:
    row.check_state, row.checked_at, row.check_error = CheckState.UNCHECKED, None, ""
