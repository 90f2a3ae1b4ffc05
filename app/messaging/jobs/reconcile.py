"""Looking up messages whose fate nobody wrote down."""

from __future__ import annotations

from app.core.jobs import Queue, job
from app.core.schedule import periodic
from app.messaging.services import reconciling


@periodic("messaging.mark_lost", every_seconds=10)
def mark_lost() -> None:
    """Across tenants: claims that ran out are in doubt."""
    reconciling.mark_lost()


@job("messaging.reconcile", queue=Queue.DEFAULT, max_attempts=5, timeout=600)
def reconcile() -> None:
    """Look up the tenant's messages in doubt."""
    while reconciling.reconcile() >= reconciling.AT_ONCE:
        pass
