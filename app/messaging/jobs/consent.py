"""What follows when somebody's yes is noted, wherever that was done."""

from __future__ import annotations

from datetime import datetime

from app.cdp.events import ConsentGiven
from app.core.db import unit_of_work
from app.core.events import subscribe
from app.messaging.models import MessageChannel
from app.messaging.services import gate_closing, opt_outs


@subscribe(ConsentGiven)
def heed_yes(event: ConsentGiven) -> None:
    """What a STOP had left closed is open again. Harmless when heard twice, or after another no."""
    if event.channel not in set(MessageChannel):
        return
    with unit_of_work():
        places = opt_outs.lift_remembered(event.profile_id, event.channel)
    gate_closing.open_gates(places, event.channel, datetime.fromisoformat(event.at))
