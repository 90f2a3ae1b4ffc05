"""Twilio's Messaging Services: senders that go by one name."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request

from app.sandbox import frame
from app.sandbox.services.twilio_account import (
    ACCOUNT_SID,
    SERVICE_DEFAULTS,
    account,
    check_access,
    new_service,
)
from app.sandbox.services.twilio_checks import check_validity
from app.sandbox.services.twilio_errors import Refused

SHOWN = {
    "FriendlyName": "friendly_name", "InboundRequestUrl": "inbound_request_url", "StatusCallback": "status_callback",
    "Usecase": "usecase",
}  # fmt: skip
FLAGS = {
    "StickySender": "sticky_sender",
    "SmartEncoding": "smart_encoding",
    "UseInboundWebhookOnNumber": "use_inbound_webhook_on_number",
}


def mount(bp: Blueprint) -> None:
    """Add the routes."""
    bp.post("/messaging/v1/Services")(create_service)
    bp.get("/messaging/v1/Services")(list_services)
    bp.get("/messaging/v1/Services/<sid>")(get_service)
    bp.post("/messaging/v1/Services/<sid>")(change_service)
    bp.delete("/messaging/v1/Services/<sid>")(delete_service)
    bp.get("/messaging/v1/Services/<sid>/PhoneNumbers")(list_numbers)


def create_service() -> Response:
    """Make a service."""
    check_access()
    if not request.form.get("FriendlyName"):
        raise Refused(20001, "FriendlyName is required")
    sid = "MG" + os.urandom(16).hex()
    account().services[sid] = new_service(sid, _fields())
    return frame.json_response(_as_seen(account().services[sid]), 201)


def list_services() -> Response:
    """All services."""
    check_access()
    return _listed("services", [_as_seen(row) for row in account().services.values()])


def get_service(sid: str) -> Response:
    """One service."""
    check_access()
    return frame.json_response(_as_seen(_find(sid)))


def change_service(sid: str) -> Response:
    """Set some of a service's fields."""
    check_access()
    _find(sid).update(_fields())
    return frame.json_response(_as_seen(_find(sid)))


def delete_service(sid: str) -> Response:
    """Forget a service."""
    check_access()
    _find(sid)
    del account().services[sid]
    return Response(status=204)


def list_numbers(sid: str) -> Response:
    """The SMS senders of a service."""
    check_access()
    _find(sid)
    numbers = [one for one in account().settings.senders if one.startswith("+")]
    rows = [{"phone_number": one, "service_sid": sid, "account_sid": ACCOUNT_SID} for one in numbers]
    return _listed("phone_numbers", rows)


def _fields() -> dict[str, str]:
    fields = {name: request.form[name] for name in SERVICE_DEFAULTS if name in request.form}
    for name in ("InboundRequestUrl", "StatusCallback"):
        if fields.get(name) and not fields[name].startswith(("http://", "https://")):
            raise Refused(20001, f"{name} is not a valid URL")
    check_validity(fields)
    return fields


def _as_seen(row: dict[str, Any]) -> dict[str, Any]:
    made = datetime.fromtimestamp(row["created_at"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    url = f"{request.host_url}twilio/messaging/v1/Services/{row['sid']}"
    return {
        "sid": row["sid"], "account_sid": ACCOUNT_SID,
        **{shown: row[name] or None for name, shown in SHOWN.items()},
        **{shown: row[name].lower() == "true" for name, shown in FLAGS.items()},
        "validity_period": int(row["ValidityPeriod"]), "inbound_method": "POST", "date_created": made,
        "date_updated": made, "url": url, "links": {"phone_numbers": f"{url}/PhoneNumbers"},
    }  # fmt: skip


def _listed(key: str, rows: list[dict[str, Any]]) -> Response:
    meta = {"page": 0, "page_size": 50, "key": key, "url": request.url, "next_page_url": None}
    return frame.json_response({key: rows, "meta": meta})


def _find(sid: str) -> dict[str, Any]:
    row = account().services.get(sid)
    if row is None:
        raise Refused(20404, f"The requested resource /Services/{sid} was not found")
    return row
