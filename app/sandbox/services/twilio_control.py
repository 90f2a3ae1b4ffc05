"""`/_control/twilio` and the page to write from: what becomes of messages, and who writes to us."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from app.sandbox import frame
from app.sandbox.control import read_body, refuse
from app.sandbox.services.twilio_account import SMS_SENDERS, WHATSAPP_SENDERS, Settings, account, now
from app.sandbox.services.twilio_checks import E164
from app.sandbox.services.twilio_inbound import Written, receive

NAMES = {field.name for field in fields(Settings)}
KNOWN = {"from", "to", "body", "channel", "messaging_service_sid", "media_urls", "profile_name"}
QUICK = ("STOP", "START", "HELP", "Hello, I need support")


def blueprint() -> Blueprint:
    """The routes under `/_control/twilio`."""
    bp = Blueprint("twilio_control", __name__)
    bp.get("")(show)
    bp.post("")(change)
    bp.get("/summary")(summary)
    bp.post("/inbound")(inbound)
    bp.post("/approvals")(approve)
    return bp


def show() -> Response:
    """The settings, and the latest calls nobody took."""
    kept = account()
    return frame.json_response({**asdict(kept.settings), "failures": list(kept.courier.failures)})


def change() -> Response:
    """Set some of: callbacks, delay_ms, outcomes, numbers, read, senders, advanced_opt_out, inbound_url, …

    `outcomes` are shares by `delivered`, `read`, `sent`, `undelivered:CODE`, `failed:CODE`; `numbers` says what becomes
    of messages to single numbers; `senders` are added to those there are.
    """
    body, settings = read_body(), account().settings
    if unknown := set(body) - NAMES:
        refuse(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(sorted(NAMES))}")
    for name, value in body.items():
        known = getattr(settings, name)
        is_number = isinstance(known, float) and isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number and not isinstance(value, type(known)):
            refuse(f"{name} must be of the kind of {known!r}")
        setattr(settings, name, [*dict.fromkeys([*known, *value])] if name == "senders" else value)
    return show()


def summary() -> Response:
    """Counts of everything since the start or the last reset: messages, numbers, repeats, callbacks."""
    kept = account()
    return frame.json_response({**kept.ledger.summary(), **kept.courier.counts()})


def inbound() -> Response:
    """Somebody writes to us: `from`, `to`, `body`, `channel`; what else is said goes to the webhook as it stands."""
    return frame.json_response(receive(_written(read_body())))


def approve() -> Response:
    """Have WhatsApp say `status` of the content `sid` from now on."""
    body = read_body()
    row = account().contents.get(str(body.get("sid")))
    if row is None or not row["approval"]:
        refuse("sid must be a content that was submitted for approval")
    row["approval"]["forced"] = str(body.get("status") or "approved")
    return frame.json_response({"sid": row["sid"], "status": row["approval"]["forced"]})


def page() -> str:
    """A form to write from, what came of it lately, and what this person was sent."""
    kept = account()
    last = kept.inbound[0] if kept.inbound else {}
    person = (request.args.get("from") or last.get("from", "")).removeprefix("whatsapp:") or "+14155550142"
    sender = last.get("to") or SMS_SENDERS[0]
    got = [*kept.ledger.newest_first(person), *kept.ledger.newest_first(f"whatsapp:{person}")]
    got.sort(key=lambda message: message.created_at, reverse=True)
    return render_template(
        "twilio_inbound.html",
        person=person,
        sender=sender,
        senders=kept.settings.senders,
        quick=QUICK,
        told=list(kept.inbound)[:12],
        got=[(message, message.status(now())) for message in got[:12]],
    )


def submit_page() -> AnyResponse:
    """Write, then show the page again with the answer on it."""
    body = request.form.get("quick") or request.form.get("body", "")
    said: dict[str, Any] = {name: request.form.get(name, "").strip() for name in ("from", "to")}
    receive(_written({**said, "body": body}))
    return redirect(request.path, 303)


def _written(body: dict[str, Any]) -> Written:
    person, channel = str(body.get("from") or ""), str(body.get("channel") or "")
    if not channel:
        is_whatsapp = person.startswith("whatsapp:") or str(body.get("to") or "").startswith("whatsapp:")
        channel = "whatsapp" if is_whatsapp else "sms"
    if channel not in ("sms", "whatsapp"):
        refuse("channel must be sms or whatsapp")
    person = person.removeprefix("whatsapp:")
    usual = WHATSAPP_SENDERS[0] if channel == "whatsapp" else SMS_SENDERS[0]
    if not E164.match(person):
        refuse("from must be a number such as +14155550142")
    return Written(
        person=person,
        sender=str(body.get("to") or usual).removeprefix("whatsapp:"),
        body=str(body.get("body") or ""),
        channel=channel,
        service_sid=str(body.get("messaging_service_sid") or ""),
        media_urls=tuple(str(url) for url in body.get("media_urls") or ()),
        profile_name=str(body.get("profile_name") or "Sandbox person"),
        extra=tuple((name, str(value)) for name, value in body.items() if name not in KNOWN),
    )
