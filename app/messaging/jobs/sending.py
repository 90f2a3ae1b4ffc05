"""Sending in the background, and waking it."""

from __future__ import annotations

from app.core.jobs import Queue, job
from app.core.schedule import periodic
from app.messaging.services import delivery, sending


@job("messaging.send", queue=Queue.BULK, max_attempts=3, timeout=600)
def send(lane_id: int, turn_id: int) -> None:
    """One turn of a lane over all running campaigns."""
    sending.run_lane(lane_id, turn_id)


@job("messaging.send_one", queue=Queue.CRITICAL, max_attempts=5, timeout=120)
def send_one(message_id: int) -> None:
    """Hand over one message that belongs to no campaign: a reply, a single send."""
    delivery.send_one(message_id)


@periodic("messaging.wake", every_seconds=5)
def wake() -> None:
    """Sending goes on by itself: after a restart, when a night ends, when whoever sent was killed."""
    sending.wake()
    delivery.wake_singles()
