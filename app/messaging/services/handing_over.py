"""Handing one message to the provider, from any thread: no database, no exception."""

from __future__ import annotations

from app.core.clock import utc_now
from app.core.logs import get_logger
from app.messaging.providers.base import ErrorClass, MessageProvider, SendFailed
from app.messaging.services.delivery_claims import Ready
from app.messaging.services.delivery_outcomes import Outcome

log = get_logger()


def hand_over(provider: MessageProvider, ready: Ready) -> Outcome:
    """What the provider made of it. A fault of ours is taken for the worst case: it may have left.

    One that waited too long, in a process that was frozen perhaps, stays: another may have sent it by now.
    """
    if ready.is_late:
        return Outcome(ready, utc_now(), is_late=True)
    try:
        submitted = provider.send(ready.outgoing)
    except SendFailed as failure:
        return Outcome(ready, utc_now(), failure=failure)
    except Exception as error:
        log.error("handing_over_failed", message_id=ready.message_id, exc_info=error)
        lost = SendFailed(ErrorClass.UNKNOWN, "Something unexpected went wrong.", is_ambiguous=True)
        return Outcome(ready, utc_now(), failure=lost)
    return Outcome(ready, utc_now(), submitted=submitted)
