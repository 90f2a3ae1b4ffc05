"""Twilio's Messages: send, list, look at, cancel."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import dropwhile, islice
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from app.sandbox import frame
from app.sandbox.services import twilio_checks, twilio_reports
from app.sandbox.services.twilio_account import ACCOUNT_SID, Account, account, check_access, now
from app.sandbox.services.twilio_checks import Draft
from app.sandbox.services.twilio_content import approval_status
from app.sandbox.services.twilio_errors import Refused
from app.sandbox.services.twilio_ledger import Message

VERSION = "2010-04-01"
WINDOW_SECONDS = 86400
NOT_APPROVED = {"rejected": 63040, "paused": 63041, "disabled": 63042}
PRICE = {"sms": 0.0083, "whatsapp": 0.005}


def mount(bp: Blueprint) -> None:
    """Add the routes."""
    root = f"/{VERSION}/Accounts/<sid>"
    bp.get(f"{root}.json")(get_account)
    bp.post(f"{root}/Messages.json")(send)
    bp.get(f"{root}/Messages.json")(list_messages)
    bp.get(f"{root}/Messages/<message_sid>.json")(get_message)
    bp.post(f"{root}/Messages/<message_sid>.json")(change_message)


def get_account(sid: str) -> Response:
    """Who the account is."""
    check_access(sid)
    made = _date(0)
    row = {
        "sid": sid, "friendly_name": "Sandbox account", "status": "active", "type": "Full", "owner_account_sid": sid,
        "date_created": made, "date_updated": made, "uri": f"/{VERSION}/Accounts/{sid}.json",
    }  # fmt: skip
    return frame.json_response(row)


def send(sid: str) -> Response:
    """Take a message; what becomes of it is told to its StatusCallback."""
    check_access(sid)
    kept = account()
    draft = twilio_checks.read(request.form, kept)
    message = _message(draft, kept)
    kept.ledger.add(message)
    if message.callback_url and kept.settings.callbacks:
        twilio_reports.plan(message, kept.courier, frame.current_fault())
    return frame.json_response(as_seen(message, message.created_at), 201)


def list_messages(sid: str) -> Response:
    """A page of messages, newest first, after the filters Twilio has."""
    check_access(sid)
    size = min(1000, max(1, request.args.get("PageSize", 50, type=int)))
    found = _filtered(account().ledger.newest_first(request.args.get("To", "")))
    token = request.args.get("PageToken", "")
    if token:
        found = islice(dropwhile(lambda row: row.sid != token, found), 1, None)
    rows = list(islice(found, size + 1))
    moment = now()
    return frame.json_response(_page([as_seen(row, moment) for row in rows[:size]], size, has_more=len(rows) > size))


def get_message(sid: str, message_sid: str) -> Response:
    """One message."""
    check_access(sid)
    return frame.json_response(as_seen(_find(message_sid), now()))


def change_message(sid: str, message_sid: str) -> Response:
    """Cancel a message that has not gone yet, or blot out the text of one that has."""
    check_access(sid)
    message, kept = _find(message_sid), account()
    if request.form.get("Status") == "canceled":
        if message.status(now()) not in ("scheduled", "accepted", "queued"):
            raise Refused(30409)
        message.canceled_at = now()
        kept.courier.take_back(message.sid)
        if message.callback_url and kept.settings.callbacks:
            twilio_reports.plan_one(message, kept.courier, now(), "canceled")
    elif request.form.get("Body") == "":
        message.body = ""
    else:
        raise Refused(20001, "Only Status=canceled or an empty Body can be set")
    return frame.json_response(as_seen(message, now()))


def as_seen(message: Message, moment: float) -> dict[str, Any]:
    """A message as Twilio shows it; its counts are texts."""
    status = message.status(moment)
    has_failed = status in ("failed", "undelivered")
    has_gone = status in ("sent", "delivered", "read", "undelivered", "received")
    made, path = _date(message.created_at), f"/{VERSION}/Accounts/{ACCOUNT_SID}/Messages/{message.sid}"
    return {
        "account_sid": ACCOUNT_SID, "api_version": VERSION, "body": message.body,
        "date_created": made, "date_sent": made if has_gone else None, "date_updated": made,
        "direction": "inbound" if message.is_inbound else "outbound-api",
        "error_code": message.error_code if has_failed else None, "error_message": None,
        "from": None if status in ("accepted", "scheduled") else message.sender,
        "messaging_service_sid": message.service_sid or None,
        "num_media": str(message.media), "num_segments": str(message.segments),
        "price": f"-{PRICE[message.channel] * message.segments:.5f}" if has_gone else None, "price_unit": "USD",
        "sid": message.sid, "status": status, "subresource_uris": {"media": f"{path}/Media.json"},
        "to": message.to, "uri": f"{path}.json",
    }  # fmt: skip


def _message(draft: Draft, kept: Account) -> Message:
    moment = now()
    return Message(
        sid=("MM" if draft.media else "SM") + os.urandom(16).hex(),
        to=draft.to,
        sender=draft.sender,
        service_sid=draft.service_sid,
        body=draft.body,
        segments=draft.segments,
        media=draft.media,
        created_at=moment,
        starts_at=draft.send_at or moment,
        step_seconds=kept.settings.delay_ms / 1000,
        outcome=_outcome(draft, kept, moment),
        callback_url=draft.callback_url,
        is_scheduled=draft.send_at is not None,
    )


def _outcome(draft: Draft, kept: Account, moment: float) -> str:
    """WhatsApp delivers free text within 24 hours of the person's last words only, approved contents always."""
    if draft.channel == "whatsapp" and moment - kept.windows.get((draft.sender, draft.to), 0) > WINDOW_SECONDS:
        status = approval_status(kept.contents[draft.content_sid], kept) if draft.content_sid else "unsubmitted"
        if status != "approved":
            return f"undelivered:{NOT_APPROVED.get(status, 63016)}"
    return kept.settings.outcome_for(draft.to.removeprefix("whatsapp:"), draft.channel)


def _find(sid: str) -> Message:
    message = account().ledger.get(sid)
    if message is None:
        raise Refused(20404, f"The requested resource /{VERSION}/Accounts/{ACCOUNT_SID}/Messages/{sid} was not found")
    return message


def _filtered(rows: Iterable[Message]) -> Iterator[Message]:
    """By `From`, and by `DateSent`, `DateSent>` and `DateSent<`, each a day or a moment in UTC."""
    sender, day = request.args.get("From", ""), request.args.get("DateSent", "")
    since, until = _moment(request.args.get("DateSent>", "")), _moment(request.args.get("DateSent<", ""), day_end=True)
    if day:
        since, until = _moment(day), _moment(day[:10], day_end=True)
    for row in rows:
        if sender and row.sender != sender:
            continue
        if (since is None or int(row.created_at) >= since) and (until is None or int(row.created_at) <= until):
            yield row


def _moment(text: str, *, day_end: bool = False) -> float | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Refused(20001, f"'{text}' is not a date") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at.timestamp() + (86399 if day_end and len(text) == 10 else 0)


def _page(rows: list[dict[str, Any]], size: int, *, has_more: bool) -> dict[str, Any]:
    """Addresses of pages are paths from the host on, whatever stands before them here."""
    number, path = max(0, request.args.get("Page", 0, type=int)), f"/{VERSION}/Accounts/{ACCOUNT_SID}/Messages.json"
    asked = {name: value for name, value in request.args.items() if name not in ("Page", "PageToken", "PageSize")}
    uri = f"{path}?{urlencode({**asked, 'PageSize': size, 'Page': number})}"
    following = {**asked, "PageSize": size, "Page": number + 1, "PageToken": rows[-1]["sid"] if rows else ""}
    return {
        "messages": rows, "page": number, "page_size": size, "uri": uri,
        "first_page_uri": f"{path}?{urlencode({**asked, 'PageSize': size, 'Page': 0})}",
        "next_page_uri": f"{path}?{urlencode(following)}" if has_more else None, "previous_page_uri": None,
        "start": number * size, "end": number * size + max(0, len(rows) - 1),
    }  # fmt: skip


def _date(moment: float) -> str:
    return format_datetime(datetime.fromtimestamp(int(moment), UTC))
