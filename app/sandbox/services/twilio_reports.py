"""What Twilio tells a StatusCallback of a message, and the ways it can be made to tell it badly."""

from __future__ import annotations

from datetime import UTC, datetime

from app.sandbox.faults import Fault
from app.sandbox.services.twilio_account import ACCOUNT_SID
from app.sandbox.services.twilio_callbacks import Courier
from app.sandbox.services.twilio_ledger import Message

EVENTS = {"read": "READ", "delivered": "DELIVERED"}
ACTIONS = {
    "callbacks_doubled": "tell each state of a message `count` (2) times",
    "callbacks_out_of_order": "tell the states of a message last first",
    "callbacks_late": "tell the states of a message `seconds` (120, virtual) too late",
    "callbacks_extra_fields": "tell parameters nobody has heard of, signed as they should be",
    "callbacks_wrong_signature": "sign with another token",
    "callbacks_lost": "tell nothing of a message",
}


def plan(message: Message, courier: Courier, fault: Fault | None) -> None:
    """Have every state a message will come into told, as the fault it met, if any, has it."""
    action = fault.action if fault else ""
    if action == "callbacks_lost":
        return
    steps = message.steps()
    if action == "callbacks_out_of_order":
        steps = list(zip((at for at, _ in steps), (name for _, name in reversed(steps)), strict=True))
    late = fault.number("seconds", 120) if fault and action == "callbacks_late" else 0.0
    times = int(fault.number("count", 2)) if fault and action == "callbacks_doubled" else 1
    for at, status in steps:
        for _ in range(times):
            plan_one(message, courier, at + late, status, action)


def plan_one(message: Message, courier: Courier, at: float, status: str, action: str = "") -> None:
    """Have one state told."""
    params = _params(message, at, status)
    if action == "callbacks_extra_fields":
        params |= {"MessageQualityScore": "0.93", "CarrierNote": "übernommen & zugestellt", "Z9": ""}
    is_forged = action == "callbacks_wrong_signature"
    courier.plan(message.sid, at, message.callback_url, params, is_forged=is_forged)


def _params(message: Message, at: float, status: str) -> dict[str, str]:
    params = {
        "MessageSid": message.sid, "SmsSid": message.sid, "MessageStatus": status, "SmsStatus": status,
        "To": message.to, "From": message.sender, "AccountSid": ACCOUNT_SID, "ApiVersion": "2010-04-01",
    }  # fmt: skip
    if message.service_sid:
        params["MessagingServiceSid"] = message.service_sid
    if status in ("failed", "undelivered"):
        params["ErrorCode"] = str(message.error_code or "")
    if message.channel == "whatsapp":
        params |= {"ChannelPrefix": "whatsapp", "ChannelToAddress": message.to, "ChannelInstallSid": "XE" + "5a" * 16}
        if status in EVENTS:
            params["EventType"] = EVENTS[status]
    elif status in ("delivered", "undelivered"):
        params["RawDlrDoneDate"] = datetime.fromtimestamp(at, UTC).strftime("%y%m%d%H%M")
    return params
