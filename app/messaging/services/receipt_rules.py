"""What one report changes of one message: forward by rank, never backwards, and again where the error allows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.core.logs import get_logger
from app.messaging.models import ACCEPTED, LOST, REACHED, MessageState
from app.messaging.providers.errors import Remedy, remedy_for

log = get_logger()
_S = MessageState

STATES: dict[str, MessageState] = {
    "accepted": _S.QUEUED, "scheduled": _S.QUEUED, "queued": _S.QUEUED, "sending": _S.QUEUED,
    "sent": _S.SENT, "delivered": _S.DELIVERED, "read": _S.READ,
    "undelivered": _S.UNDELIVERED, "failed": _S.FAILED, "canceled": _S.CANCELLED,
}  # fmt: skip
"""What the provider's words are to us; any other word of its is of no use."""

RANKS = {
    _S.PENDING: 0, _S.CLAIMED: 1, _S.UNKNOWN: 2, _S.QUEUED: 3, _S.SENT: 4, _S.DELIVERED: 5, _S.READ: 6,
}  # fmt: skip
_ENDS = (*LOST, _S.CANCELLED, _S.SKIPPED)


@dataclass(frozen=True)
class Report:
    """One receipt."""

    sid: str
    status: str
    error_code: int | None
    at: datetime


@dataclass
class Fate:
    """A message as it is, and as its reports leave it. `before` is what it was, `counted_at` when it counted as
    sent."""

    id: int
    campaign_id: int | None
    variant_id: int
    thread_id: int | None
    profile_id: int | None
    channel: str
    address: str
    attempts: int
    state: MessageState
    reason: str
    sid: str | None
    earlier_sids: list[Any]
    claim: str | None
    due_at: datetime
    error_code: int | None
    sent_at: datetime | None
    delivered_at: datetime | None
    ended_at: datetime | None
    before: tuple[MessageState, str]
    counted_at: datetime | None
    is_changed: bool = False
    failures: list[tuple[Remedy, int | None, str]] = field(default_factory=list)  # with the code and the sid
    reached: list[tuple[MessageState, datetime]] = field(default_factory=list)  # each step it took, and when

    @classmethod
    def of(cls, row: Any) -> Fate:
        """From a row of messages."""
        state = MessageState(row.state)
        return cls(
            row.id, row.campaign_id, row.variant_id, row.thread_id, row.profile_id, row.channel, row.address,
            row.attempts, state, row.reason, row.sid, list(row.earlier_sids or []), row.claim, row.due_at,
            row.error_code, row.sent_at, row.delivered_at, row.ended_at, (state, row.reason),
            row.sent_at if state in ACCEPTED else None,
        )  # fmt: skip


def settle(fate: Fate, report: Report, *, may_retry: bool) -> None:
    """Move the message on by one report, or leave it as it is.

    A report names the message by our own reference, so that of one we did not know to be sent it brings the
    provider's id: it was sent after all and is not sent again.
    """
    if report.sid in fate.earlier_sids:
        return
    if fate.sid is not None and fate.sid != report.sid:
        log.warning("receipt_of_another_sid", message_id=fate.id, sid=report.sid)
        return
    state = STATES[report.status]
    if not _is_forward(fate.state, state):
        return
    fate.sid, fate.claim, fate.is_changed = report.sid, None, True
    fate.sent_at = fate.sent_at or (report.at if state != _S.FAILED else None)
    fate.state, fate.reason = state, ""
    if state in REACHED:
        fate.delivered_at = fate.delivered_at or report.at
        fate.ended_at = fate.ended_at or report.at
    if state in LOST:
        _lose(fate, report, may_retry=may_retry)
    elif state == _S.CANCELLED:
        fate.ended_at = report.at
    fate.reached.append((fate.state, report.at))


def _is_forward(now: MessageState, to: MessageState) -> bool:
    """What has arrived stays arrived, whatever a late report says; what has ended stays ended."""
    if now in _ENDS:
        return False
    return RANKS[to] > RANKS[now] if to in RANKS else now not in REACHED


def _lose(fate: Fate, report: Report, *, may_retry: bool) -> None:
    remedy = remedy_for(report.error_code, None if report.error_code is not None else 400)
    fate.error_code, fate.reason = report.error_code, remedy.error_class
    again = max(0, fate.attempts - 1)  # its first try was no repeat
    if may_retry and fate.address and again < len(remedy.retry_delays):  # an erased person has none
        fate.state, fate.reason, fate.due_at = _S.PENDING, "", report.at + timedelta(seconds=remedy.retry_delays[again])
        fate.earlier_sids, fate.sid, fate.sent_at = [*fate.earlier_sids, report.sid], None, None
        return
    fate.ended_at = report.at
    fate.failures.append((remedy, report.error_code, report.sid))
