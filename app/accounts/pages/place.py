"""Where passkeys work: under the product's public name, or on this machine under the name localhost."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from flask import Response, jsonify, make_response, request, session

from app.accounts.services.passkeys import Place
from app.core.config import get_settings
from app.core.errors import AppError, Conflict

KEY = "passkey_challenge"


def problem() -> str:
    """Why a browser at this address can use no passkey; empty when it can."""
    name, origin, is_secure = _here()
    if not origin:
        return "Passkeys need the product's public address: its operator sets PUBLIC_URL."
    if _is_number(name):
        return "A passkey belongs to a name, not to a number of the network."
    if not is_secure and name != "localhost" and not name.endswith(".localhost"):
        return "Browsers use passkeys over https only."
    if _origin(request.host_url)[1] != origin:
        return f"Passkeys work at {origin}."
    return ""


def better_address() -> str:
    """Where the same product can be opened with passkeys, when this address will not do; or nothing."""
    name, origin, _secure = _here()
    if get_settings().public_url:
        return origin if problem().endswith(f"{origin}.") else ""
    is_this_machine = _is_number(name) and ip_address(name).is_loopback
    return f"http://localhost:{urlsplit(request.host_url).port or 80}" if is_this_machine else ""


def place() -> Place:
    """Raises Conflict where no passkey can be used."""
    if problem():
        raise Conflict(problem(), code="passkeys_not_here")
    name, origin, _secure = _here()
    return Place(name, origin)


def _here() -> tuple[str, str, bool]:
    """The site's name, its origin and whether that is https. Only in development the request's host is believed."""
    settings = get_settings()
    believed = "" if settings.environment == "production" else request.host_url
    name, origin = _origin(settings.public_url or believed)
    return name, origin, origin.startswith("https://")


def _origin(url: str) -> tuple[str, str]:
    """Name and origin as browsers write them: no default port, no path."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return "", ""
    if not name:
        return "", ""
    usual = port is None or port == {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{name}]" if ":" in name else name
    return name, f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{port}"


def _is_number(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def remember(options: str, challenge: str) -> Response:
    """The options for the page's script; the challenge stays in this browser's session."""
    session[KEY] = challenge
    return jsonify(json.loads(options))


def remembered() -> str:
    """The challenge this browser was given; asked for once."""
    challenge = session.pop(KEY, "")
    return challenge if isinstance(challenge, str) else ""


def for_script(view: Callable[..., Any]) -> Callable[..., Any]:
    """Answer errors as JSON, at an address only a page's script asks."""

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except AppError as error:
            response = make_response(jsonify(error=error.message, code=error.code), error.status)
            response.headers.update(error.headers)
            return response

    return answer
