"""Writing the ledger of calls."""

from __future__ import annotations

import re

from app.ai.models import AICall, Outcome
from app.ai.providers.base import Usage
from app.core.db import db, unit_of_work
from app.core.jobs import current_job
from app.core.tenancy import tenant_scope

ERROR_CHARACTERS = 500
_SECRETS = re.compile(r"(?i)\b(?:sk|pk|gsk|pplx|key)[-_][A-Za-z0-9_\-]{6,}|bearer\s+\S+|[A-Za-z0-9_\-]{40,}")


def redact(text: str, *secrets: str | None) -> str:
    """The text, bounded, without the given secrets and without anything that looks like one."""
    for secret in secrets:
        if secret and len(secret) >= 4:
            text = text.replace(secret, "[key]")
    return _SECRETS.sub("[key]", " ".join(text.split()))[:ERROR_CHARACTERS]


def record(tenant_id: int, *, usage: Usage, outcome: Outcome, **columns: object) -> AICall:
    """Add one row in a unit of work of its own, so that it stays whatever becomes of the work it was for."""
    job = current_job()
    with tenant_scope(tenant_id), unit_of_work():
        row = AICall(
            outcome=outcome,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost_micros=usage.cost_micros,
            job_id=job.id if job else None,
            **columns,
        )
        db.session.add(row)
        db.session.flush()
    return row
