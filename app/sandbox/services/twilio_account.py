"""The one Twilio account of the sandbox: who may use it, its senders, its settings, what it remembers."""

from __future__ import annotations

import hmac
import threading
import zlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from flask import request

from app.sandbox import frame
from app.sandbox.services.twilio_callbacks import Courier
from app.sandbox.services.twilio_errors import Refused
from app.sandbox.services.twilio_ledger import Ledger

ACCOUNT_SID = "AC" + "5a4db0c5" * 4
AUTH_TOKEN = "7e575a4db0c57e575a4db0c57e575a4d"
SERVICE_SID = "MG" + "5a4db0c5" * 4
SMS_SENDERS = ("+15005550006", "+15005550008", "+18445550100", "+447700900123", "55501")
WHATSAPP_SENDERS = ("+14155238886", "+15005550006")
OUTCOMES = {
    "delivered": 0.95,
    "undelivered:30003": 0.025,
    "undelivered:30005": 0.01,
    "undelivered:30007": 0.005,
    "failed:30008": 0.01,
}
SERVICE_DEFAULTS = {
    "FriendlyName": "", "InboundRequestUrl": "", "StatusCallback": "", "StickySender": "true",
    "ValidityPeriod": "36000", "Usecase": "undeclared", "UseInboundWebhookOnNumber": "false", "SmartEncoding": "true",
}  # fmt: skip


@dataclass
class Settings:
    """What `/_control/twilio` sets. A WhatsApp message that is delivered is read by a share of `read` people."""

    callbacks: bool = True
    delay_ms: float = 400.0
    outcomes: dict[str, float] = field(default_factory=lambda: dict(OUTCOMES))
    numbers: dict[str, str] = field(default_factory=dict)
    read: float = 0.6
    senders: list[str] = field(default_factory=lambda: [*SMS_SENDERS, *(f"whatsapp:{one}" for one in WHATSAPP_SENDERS)])
    advanced_opt_out: list[str] = field(default_factory=list)
    inbound_url: str = ""
    approval_seconds: float = 5.0

    def outcome_for(self, number: str, channel: str) -> str:
        """What becomes of a message to this number; the same each time."""
        told = self.numbers.get(number)
        if told:
            return told
        point = zlib.crc32(number.encode()) / 2**32 * sum(self.outcomes.values())
        for outcome, share in self.outcomes.items():
            point -= share
            if point < 0:
                return self._read_or(outcome, number) if channel == "whatsapp" else outcome
        return "delivered"

    def _read_or(self, outcome: str, number: str) -> str:
        is_reader = zlib.crc32(number.encode(), 77) / 2**32 < self.read
        return "read" if outcome == "delivered" and is_reader else outcome


@dataclass
class Account:
    """Everything a reset forgets. `lock` guards it."""

    ledger: Ledger
    courier: Courier
    settings: Settings = field(default_factory=Settings)
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, dict[str, Any]] = field(default_factory=dict)
    opted_out: set[tuple[str, str]] = field(default_factory=set)
    windows: dict[tuple[str, str], float] = field(default_factory=dict)
    inbound: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=50))
    lock: threading.RLock = field(default_factory=threading.RLock)


def account() -> Account:
    """The account as it stands; made on first use and after a reset."""
    state = frame.sandbox()
    with state.lock:
        rows = state.store("twilio")
        if "account" not in rows:
            rows["account"] = _new_account()
        return cast(Account, rows["account"])


def check_access(sid: str = ACCOUNT_SID) -> None:
    """Refuse whoever does not bear this account's id and token."""
    given = request.authorization
    name, secret = (given.username or "", given.password or "") if given and given.type == "basic" else ("", "")
    if name != ACCOUNT_SID or sid != ACCOUNT_SID or not hmac.compare_digest(secret.encode(), AUTH_TOKEN.encode()):
        raise Refused(20003)


def now() -> float:
    """The virtual moment, in seconds since 1970."""
    return frame.sandbox().clock.now().timestamp()


def _new_account() -> Account:
    row = new_service(SERVICE_SID, {"FriendlyName": "Sandbox service"})
    return Account(Ledger(), Courier(frame.sandbox(), AUTH_TOKEN), services={SERVICE_SID: row})


def new_service(sid: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """A messaging service as it is kept; every sender of the account belongs to each."""
    return {"sid": sid, "created_at": now(), **SERVICE_DEFAULTS, **fields}
