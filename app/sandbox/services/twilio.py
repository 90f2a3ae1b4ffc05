"""Twilio: messages with their reports, people who write, contents, messaging services."""

from __future__ import annotations

from flask import Blueprint

from app.sandbox import frame
from app.sandbox.services import (
    twilio_checks,
    twilio_content,
    twilio_control,
    twilio_errors,
    twilio_messages,
    twilio_reports,
    twilio_services,
)
from app.sandbox.services.twilio_errors import CODES, Refused

PAGE = "/inbound"


def service() -> frame.Service:
    """Twilio, under `/twilio`: the hosts api, content and messaging are `/twilio`, `/twilio/content` and so on."""
    bp = Blueprint("twilio", __name__)
    twilio_messages.mount(bp)
    twilio_content.mount(bp)
    twilio_services.mount(bp)
    bp.get(PAGE)(twilio_control.page)
    bp.post(PAGE)(twilio_control.submit_page)
    bp.register_error_handler(Refused, twilio_errors.answer)
    refusals = {name: f"refuse a message: {CODES[code][1]} ({code})" for name, code in twilio_checks.ACTIONS.items()}
    return frame.Service(
        "twilio",
        bp,
        twilio_errors.refuse,
        "Messages (SMS, WhatsApp) with callbacks, contents, messaging services",
        {**refusals, **twilio_reports.ACTIONS},
        control=twilio_control.blueprint(),
        pages=(PAGE,),
    )
