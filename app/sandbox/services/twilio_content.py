"""Twilio's Content API: message templates, and what WhatsApp says of them."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request

from app.sandbox import frame
from app.sandbox.services.twilio_account import ACCOUNT_SID, Account, account, check_access, now
from app.sandbox.services.twilio_errors import Refused

HOLES = re.compile(r"\{\{\s*(\w+)\s*\}\}")
TYPES = (
    "twilio/text", "twilio/media", "twilio/quick-reply", "twilio/call-to-action", "twilio/list-picker",
    "twilio/location", "twilio/card", "whatsapp/card", "whatsapp/authentication",
)  # fmt: skip
NAME = re.compile(r"[a-z0-9_]{1,512}$")
CATEGORIES = ("UTILITY", "MARKETING", "AUTHENTICATION")
REASON = "The template's text is not allowed by the business policy."


def mount(bp: Blueprint) -> None:
    """Add the routes."""
    bp.post("/content/v1/Content")(create_content)
    bp.get("/content/v1/Content")(list_contents)
    bp.get("/content/v1/ContentAndApprovals")(list_with_approvals)
    bp.get("/content/v1/Content/<sid>")(get_content)
    bp.delete("/content/v1/Content/<sid>")(delete_content)
    bp.post("/content/v1/Content/<sid>/ApprovalRequests/whatsapp")(submit)
    bp.get("/content/v1/Content/<sid>/ApprovalRequests")(get_approvals)


def create_content() -> Response:
    """Keep a content after a look at its shape."""
    check_access()
    body = _json_body()
    types = body.get("types")
    if not isinstance(body.get("language"), str) or not isinstance(types, dict) or not types:
        raise Refused(20422, "language and types are required")
    if unknown := [name for name in types if name not in TYPES]:
        raise Refused(20422, f"Unknown content type {unknown[0]}")
    kinds = [kind for kind in types.values() if isinstance(kind, dict) and isinstance(kind.get("body", ""), str)]
    if len(kinds) < len(types) or not _first_text(types):
        raise Refused(20422, "Each content type needs a body")
    variables = body.get("variables") or {}
    if not isinstance(variables, dict) or any(not isinstance(value, str) for value in variables.values()):
        raise Refused(20422, "variables must be an object of strings")
    sid = "HX" + os.urandom(16).hex()
    named = str(body.get("friendly_name") or "")
    row = {"sid": sid, "friendly_name": named, "language": body["language"], "variables": variables, "types": types}
    account().contents[sid] = {**row, "created_at": now(), "approval": None}
    return frame.json_response(_as_seen(account().contents[sid]), 201)


def list_contents() -> Response:
    """All contents, newest first."""
    check_access()
    return _listed([_as_seen(row) for row in reversed(account().contents.values())])


def list_with_approvals() -> Response:
    """All contents with WhatsApp's verdict on each."""
    check_access()
    kept = account()
    rows = [
        {**_as_seen(row), "approval_requests": _approval(row, kept) or {}} for row in reversed(kept.contents.values())
    ]
    return _listed(rows)


def get_content(sid: str) -> Response:
    """One content."""
    check_access()
    return frame.json_response(_as_seen(_find(sid)))


def delete_content(sid: str) -> Response:
    """Forget a content."""
    check_access()
    _find(sid)
    del account().contents[sid]
    return Response(status=204)


def submit(sid: str) -> Response:
    """Take a content on for approval; a name with `reject` in it will be rejected."""
    check_access()
    row, body = _find(sid), _json_body()
    name, category = str(body.get("name") or ""), str(body.get("category") or "")
    if not NAME.match(name):
        raise Refused(20422, "name may contain lowercase letters, digits and underscores only")
    if category not in CATEGORIES:
        raise Refused(20422, "category must be UTILITY, MARKETING or AUTHENTICATION")
    if any(other["approval"] and other["approval"]["name"] == name for other in account().contents.values()):
        raise Refused(20422, "A template of this name was submitted already")
    row["approval"] = {"name": name, "category": category, "at": now()}
    return frame.json_response(_approval(row, account()), 201)


def get_approvals(sid: str) -> Response:
    """WhatsApp's verdict."""
    check_access()
    row = _find(sid)
    unsubmitted = {"type": "whatsapp", "name": "", "category": "", "status": "unsubmitted", "rejection_reason": ""}
    verdict = _approval(row, account()) or unsubmitted
    url = f"{request.host_url}twilio/content/v1/Content/{sid}/ApprovalRequests"
    return frame.json_response({"sid": sid, "account_sid": ACCOUNT_SID, "whatsapp": verdict, "url": url})


def approval_status(row: dict[str, Any], kept: Account) -> str:
    """unsubmitted, then received, pending, and approved or rejected as virtual time goes by."""
    asked = row["approval"]
    if asked is None:
        return "unsubmitted"
    if "forced" in asked:
        return str(asked["forced"])
    age, whole = now() - asked["at"], kept.settings.approval_seconds
    if age < whole:
        return "received" if age < whole / 2 else "pending"
    return "rejected" if "reject" in asked["name"] else "approved"


def placeholders(row: dict[str, Any]) -> set[str]:
    """The names of a content's placeholders, wherever they stand."""
    return set(HOLES.findall(json.dumps(row["types"])))


def rendered(row: dict[str, Any], values: dict[str, str]) -> str:
    """A content's text with its placeholders filled; what is missing is taken from its examples."""
    known = {**row["variables"], **values}
    return HOLES.sub(lambda hole: known.get(hole.group(1), hole.group(0)), _first_text(row["types"]))


def _first_text(types: dict[str, Any]) -> str:
    return next((str(kind[key]) for kind in types.values() for key in ("body", "title") if kind.get(key)), "")


def _approval(row: dict[str, Any], kept: Account) -> dict[str, Any] | None:
    asked = row["approval"]
    if asked is None:
        return None
    status = approval_status(row, kept)
    return {
        "type": "whatsapp", "name": asked["name"], "category": asked["category"],
        "content_type": next(iter(row["types"])), "status": status,
        "rejection_reason": REASON if status == "rejected" else "", "allow_category_change": True,
    }  # fmt: skip


def _as_seen(row: dict[str, Any]) -> dict[str, Any]:
    made = datetime.fromtimestamp(row["created_at"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    url = f"{request.host_url}twilio/content/v1/Content/{row['sid']}"
    links = {"approval_create": f"{url}/ApprovalRequests/whatsapp", "approval_fetch": f"{url}/ApprovalRequests"}
    seen = {name: row[name] for name in ("sid", "friendly_name", "language", "variables", "types")}
    return {**seen, "account_sid": ACCOUNT_SID, "date_created": made, "date_updated": made, "url": url, "links": links}


def _listed(rows: list[dict[str, Any]]) -> Response:
    """A page, told the way Twilio's newer APIs tell it."""
    size = min(500, max(1, request.args.get("PageSize", 50, type=int)))
    number = max(0, request.args.get("Page", 0, type=int))
    part = rows[number * size : (number + 1) * size]

    def url(page: int) -> str:
        return f"{request.base_url}?PageSize={size}&Page={page}"

    meta = {
        "page": number, "page_size": size, "key": "contents", "url": url(number), "first_page_url": url(0),
        "previous_page_url": url(number - 1) if number else None,
        "next_page_url": url(number + 1) if (number + 1) * size < len(rows) else None,
    }  # fmt: skip
    return frame.json_response({"contents": part, "meta": meta})


def _find(sid: str) -> dict[str, Any]:
    row = account().contents.get(sid)
    if row is None:
        raise Refused(20404, f"The requested resource /v1/Content/{sid} was not found")
    return row


def _json_body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused(20422)
    return body
