"""Periodic work of the AI door."""

from __future__ import annotations

from app.ai.services import health
from app.core.schedule import periodic


@periodic("ai.check_clients", every_seconds=1800)
def check_clients() -> None:
    """Ask each provider in use whether it answers."""
    health.recheck()
