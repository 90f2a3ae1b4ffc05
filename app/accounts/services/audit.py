"""Writing the audit log: one entry beside the change it tells of, in the same unit of work."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from app.accounts.models import AuditEntry, User
from app.core.db import db
from app.core.jobs import RunningJob, current_job
from app.core.tenancy import current_tenant_id, tenant_scope

HIDDEN = "[hidden]"
_SECRET_WORDS = ("password", "secret", "token", "key_hash", "api_key", "code")


@dataclass(frozen=True)
class Actor:
    """Who acts in this request or job, and how they showed it."""

    user_id: int | None = None
    label: str = ""
    credential: str = "none"
    address: str = ""
    browser: str = ""
    request_id: str = ""


SYSTEM = Actor(label="system", credential="job")
_acting: ContextVar[Actor | None] = ContextVar("audit_actor", default=None)


def set_actor(actor: Actor) -> None:
    """Name who acts from here on in this context: edges call it once per request or command."""
    _acting.set(actor)


def current_actor() -> Actor:
    """In a job, whoever asked for it; else whom the edge named; else the product itself."""
    running = current_job()
    return _acting.get() or SYSTEM if running is None else _asker(running)


def _asker(running: RunningJob) -> Actor:
    user = db.session.get(User, running.user_id) if running.user_id else None
    label = user.email if user else SYSTEM.label
    return Actor(user.id if user else None, label, SYSTEM.credential, request_id=running.request_id or "")


def record(
    action: str,
    subject: Any = None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    label: str = "",
    tenant_id: int | None = None,
    user: User | None = None,
) -> None:
    """Add an entry in the current unit of work.

    `action` is `noun.verb_past` ("user.created"); `subject` a row; `before` and `after` hold only what changed
    (secrets are hidden whatever the caller passes). `user` names the actor where the request has none yet (sign-in).
    """
    actor = current_actor()
    tenant_id = tenant_id if tenant_id is not None else current_tenant_id()
    entry = AuditEntry(
        tenant_id=tenant_id,
        actor_id=user.id if user else actor.user_id,
        actor_label=(user.email if user else actor.label)[:254],
        credential=actor.credential[:40],
        action=action,
        subject_type=type(subject).__name__ if subject is not None else "",
        subject_id=str(getattr(subject, "id", "") or "")[:64],
        subject_label=(label or _label(subject))[:300],
        before=_plain(before),
        after=_plain(after),
        address=actor.address[:64],
        browser=actor.browser[:300],
        request_id=actor.request_id[:64],
    )
    with tenant_scope(tenant_id):  # at sign-in none is bound yet
        db.session.add(entry)
        db.session.flush()


def changed(row: Any, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set `values` on `row`; returns what differed, before and after, for `record`."""
    before = {name: getattr(row, name) for name, value in values.items() if getattr(row, name) != value}
    for name in before:
        setattr(row, name, values[name])
    return before, {name: values[name] for name in before}


def _label(subject: Any) -> str:
    return str(next((value for name in ("email", "name", "title") if (value := getattr(subject, name, ""))), ""))


def _plain(values: dict[str, Any] | None) -> dict[str, Any] | None:
    """Values that JSON can hold; what sounds like a secret is not kept."""
    if not values:
        return None
    return {name: HIDDEN if _is_secret(name) else _json(value) for name, value in values.items()}


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)


def _json(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, dict):
        return _plain(value) or {}
    if isinstance(value, list | tuple | set):
        return [_json(one) for one in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
