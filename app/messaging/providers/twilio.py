"""Twilio: SMS and WhatsApp, through the client of its own package, which is loaded with the first call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from app.messaging.providers.base import ErrorClass, Found, Outgoing, SendFailed, Submitted
from app.messaging.providers.errors import classify

if TYPE_CHECKING:
    from twilio.rest import Client

API, CONTENT, MESSAGING = "https://api.twilio.com", "https://content.twilio.com", "https://messaging.twilio.com"
PAGE_SIZE = 200
WHATSAPP = "whatsapp:"


class TwilioProvider:
    """One account at Twilio; see MessageProvider. Safe to share between threads.

    The package's client is asked for plain answers: its resource objects lose the headers of a refusal, and with them
    how long to wait.
    """

    def __init__(self, account_sid: str, auth_token: str, bases: Mapping[str, str], timeout_seconds: float) -> None:
        self._account_sid, self._auth_token = account_sid, auth_token
        self._bases = {host: (bases.get(host) or host).rstrip("/") for host in (API, CONTENT, MESSAGING)}
        self._timeout_seconds = timeout_seconds
        self._root = f"{API}/2010-04-01/Accounts/{quote(account_sid, safe='')}"

    @property
    def account(self) -> str:
        """Its sid, AC…"""
        return self._account_sid

    def send(self, message: Outgoing) -> Submitted:
        """Hand a message over; after an ambiguous failure `find` tells whether it went."""
        row = self._ask("POST", f"{self._root}/Messages.json", _fields(message))
        try:
            return Submitted(
                sid=str(row["sid"]),
                status=str(row["status"]),
                segments=int(row.get("num_segments") or 1),
                price_micros=_micros(row.get("price")),
                currency=str(row.get("price_unit") or "USD"),
                sent_at=_moment(str(row["date_created"])),
            )
        except (KeyError, ValueError, TypeError):
            raise _unreadable() from None

    def find(self, to: str, sender: str, channel: str, since: datetime) -> list[Found]:
        """Messages to this number created at or after `since`, newest first.

        Twilio's clock decides and knows whole seconds: allow for clocks that differ. There is no filter by
        date, because a message that still waits has no date of sending.
        """
        query: dict[str, str] = {"To": _prefixed(to, channel), "PageSize": str(PAGE_SIZE)}
        is_service = sender.startswith("MG")
        if sender and not is_service:
            query["From"] = _prefixed(sender, channel)
        earliest = since.replace(microsecond=0)
        found = []
        for row in self._listed(query):
            if is_service and row.get("messaging_service_sid") != sender:
                continue
            message = _found(row)
            if message.created_at < earliest:
                break
            if not str(row.get("direction", "")).startswith("inbound"):
                found.append(message)
        return found

    def create_content(self, name: str, language: str, body: str, variables: Mapping[str, str]) -> str:
        """Register a text with placeholders such as {{1}} and an example of each; gives its HX id."""
        content = {
            "friendly_name": name,
            "language": language,
            "variables": dict(variables),
            "types": {"twilio/text": {"body": body}},
        }
        return str(self._ask("POST", f"{CONTENT}/v1/Content", content, is_json=True).get("sid") or "")

    def submit_content(self, sid: str, name: str, category: str) -> str:
        """Ask WhatsApp to approve it; Twilio takes small letters, digits and underscores for a name."""
        plain = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")
        address = f"{CONTENT}/v1/Content/{quote(sid, safe='')}/ApprovalRequests/whatsapp"
        row = self._ask("POST", address, {"name": plain, "category": category}, is_json=True)
        return str(row.get("status") or "received")

    def content_status(self, sid: str) -> tuple[str, str]:
        """unsubmitted, received, pending, approved, rejected, paused or disabled; and why it was rejected."""
        row = self._ask("GET", f"{CONTENT}/v1/Content/{quote(sid, safe='')}/ApprovalRequests")
        verdict = row.get("whatsapp") or {}
        return str(verdict.get("status") or "unsubmitted"), str(verdict.get("rejection_reason") or "")

    def verify(self) -> str:
        """The account's friendly name."""
        row = self._ask("GET", f"{self._root}.json")
        if row.get("status", "active") != "active":
            raise SendFailed(ErrorClass.SUSPENDED, f"Twilio says the account is {row['status']}.")
        return str(row.get("friendly_name") or self._account_sid)

    @cached_property
    def _client(self) -> Client:
        """Its making may be run by two threads at once; one of the two clients is then dropped."""
        from twilio.rest import Client

        from app.messaging.providers.twilio_http import KeepAliveClient

        carrier = KeepAliveClient(self._bases, self._timeout_seconds)
        return Client(self._account_sid, self._auth_token, http_client=carrier, environment={"": ""})

    def _listed(self, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Messages of all pages, newest first; the next page is asked for only when somebody reads on."""
        page = self._ask("GET", f"{self._root}/Messages.json", query)
        while True:
            yield from page.get("messages") or []
            following = page.get("next_page_uri")
            if not following:
                return
            page = self._ask("GET", f"{API}{following}")

    def _ask(self, method: str, url: str, fields: Mapping[str, Any] | None = None, *, is_json: bool = False) -> Any:
        """Twilio's answer as a dict; anything but a 2xx with an object in it is a SendFailed."""
        kind = {"Content-Type": "application/json"} if is_json else None
        part = "params" if method == "GET" else "data"
        answer = cast(Any, self._client).request(method, url, headers=kind, **{part: fields})
        try:
            row = json.loads(answer.text)
        except ValueError:
            row = None
        if not 200 <= answer.status_code < 300:
            raise _refusal(answer.status_code, row, answer.headers or {})
        if not isinstance(row, dict):
            raise _unreadable()
        return row


def _fields(message: Outgoing) -> dict[str, Any]:
    """The form Twilio asks for."""
    fields: dict[str, Any] = {"To": _prefixed(message.to, message.channel)}
    if message.sender.startswith("MG"):
        fields["MessagingServiceSid"] = message.sender
    else:
        fields["From"] = _prefixed(message.sender, message.channel)
    if message.content_sid:
        fields["ContentSid"] = message.content_sid
        if message.variables:
            fields["ContentVariables"] = json.dumps(dict(message.variables))
    elif message.body:
        fields["Body"] = message.body
    if message.media_urls:
        fields["MediaUrl"] = list(message.media_urls)
    if message.status_callback:
        fields["StatusCallback"] = message.status_callback
    if message.validity_seconds is not None:
        fields["ValidityPeriod"] = str(message.validity_seconds)
    return fields


def _prefixed(number: str, channel: str) -> str:
    bare = number.removeprefix(WHATSAPP)
    return WHATSAPP + bare if channel == "whatsapp" else bare


def _found(row: dict[str, Any]) -> Found:
    try:
        return Found(
            sid=str(row["sid"]),
            status=str(row["status"]),
            error_code=int(row["error_code"]) if row.get("error_code") else None,
            to=str(row.get("to") or "").removeprefix(WHATSAPP),
            sender=str(row.get("from") or row.get("messaging_service_sid") or "").removeprefix(WHATSAPP),
            body=str(row.get("body") or ""),
            created_at=_moment(str(row["date_created"])),
            segments=int(row.get("num_segments") or 1),
        )
    except (KeyError, ValueError, TypeError):
        raise _unreadable() from None


def _refusal(status: int, row: Any, headers: Mapping[str, str]) -> SendFailed:
    """What an answer that is none of 2xx says; after a 5xx nobody knows whether it was done."""
    said = row if isinstance(row, dict) else {}
    code = said.get("code") if isinstance(said.get("code"), int) else None
    message = str(said.get("message") or f"Twilio answered with status {status}.")
    return SendFailed(
        classify(code, status),
        message,
        code=code,
        status=status,
        retry_after=_seconds(headers.get("Retry-After")),
        is_ambiguous=status >= 500,
    )


def _unreadable() -> SendFailed:
    return SendFailed(ErrorClass.TRANSIENT, "Twilio's answer could not be read.", is_ambiguous=True)


def _micros(price: object) -> int | None:
    """Twilio writes what it takes as a negative amount."""
    return None if price in (None, "") else round(abs(float(str(price))) * 1_000_000)


def _moment(text: str) -> datetime:
    return parsedate_to_datetime(text)


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
