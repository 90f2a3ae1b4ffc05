"""Whether providers answer: asked by people, asked every half hour, shown on the settings page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from redis.exceptions import RedisError

from app.ai.models import AICredential, CheckState
from app.ai.providers.base import Failure, ProviderError
from app.ai.queries import credentials_by_provider, list_recently_used
from app.ai.services import circuit, clients, ledger
from app.ai.services.candidates import Candidate, Source, find_candidate, platform_candidate
from app.ai.services.names import PROVIDERS
from app.core.clock import utc_now
from app.core.db import release_connection, unit_of_work
from app.core.logs import get_logger
from app.core.redis import get_redis
from app.core.tenancy import tenant_scope

log = get_logger()
RECENTLY = timedelta(days=1)
KEPT_SECONDS = 7 * 86_400


@dataclass(frozen=True)
class Check:
    """What a provider said when it was last asked."""

    state: CheckState
    at: datetime | None = None
    error: str = ""


UNCHECKED = Check(CheckState.UNCHECKED)


def check(candidate: Candidate) -> Check:
    """Ask now, with no transaction open. Success ends the provider's rest, failure of the key begins one."""
    release_connection()
    try:
        clients.check(candidate)
    except ProviderError as error:
        circuit.note_failure(candidate.key, error.failure, _short(error))
        return Check(CheckState.FAILED, utc_now(), ledger.redact(error.message, candidate.api_key))
    circuit.note_success(candidate.key)
    return Check(CheckState.OK, utc_now())


def check_provider(name: str) -> Check | None:
    """Ask the acting tenant's provider and keep what it said; None when it has no access."""
    row = credentials_by_provider().get(name)
    candidate = find_candidate(name, row)
    if candidate is None:
        return None
    result = check(candidate)
    _keep(candidate, result)
    return result


def last_check(candidate: Candidate, row: AICredential | None) -> Check:
    """What is known from the last time."""
    if candidate.source != Source.PLATFORM and row is not None:
        return Check(CheckState(row.check_state), row.checked_at, row.check_error)
    return _load(candidate)


def recheck() -> None:
    """Ask every platform key, and every tenant's own access used in the last day."""
    for name in PROVIDERS:
        candidate = platform_candidate(name)
        if candidate is not None:
            _store(candidate, check(candidate))
    for tenant_id, provider in list_recently_used(utc_now() - RECENTLY):
        with tenant_scope(tenant_id):
            if provider in credentials_by_provider():
                check_provider(provider)


def _keep(candidate: Candidate, result: Check) -> None:
    if candidate.source == Source.PLATFORM:
        _store(candidate, result)
        return
    with unit_of_work():
        row = credentials_by_provider().get(candidate.name)
        if row is not None:
            row.check_state, row.checked_at, row.check_error = result.state, result.at, result.error


def _store(candidate: Candidate, result: Check) -> None:
    """The platform's keys have no row: what they said is kept in Redis for a week."""
    moment = result.at.isoformat() if result.at else ""
    try:
        get_redis().set(_place(candidate), json.dumps([result.state, moment, result.error]), ex=KEPT_SECONDS)
    except RedisError as error:
        log.warning("ai_check_not_kept", provider=candidate.name, reason=str(error))


def _load(candidate: Candidate) -> Check:
    try:
        kept = get_redis().get(_place(candidate))
    except RedisError:
        return UNCHECKED
    if kept is None:
        return UNCHECKED
    state, moment, error = json.loads(kept)
    return Check(CheckState(state), datetime.fromisoformat(moment), error)


def _place(candidate: Candidate) -> str:
    return f"ai:check:{candidate.key}"


def _short(error: ProviderError) -> str:
    return "its key was not accepted" if error.failure == Failure.CREDENTIALS else "the last check failed"
