"""Carries calls that speak the messaging contract from /api/v1, where its text puts them, to where it lives."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from app.core.config import get_settings

SHARED, OWN = "/api/v1", "/messaging/api/v1"
STRATUMS = "/api/v1/whatsapp"  # messages too, and in no other contract
KEY_PREFIX = "msg_"


class MessagingRewrite:
    """Before routing: /api/v1 is messaging's for a Bearer that begins with `msg_` and on MESSAGING_HOST, but for
    WhatsApp, whose calls only stratum describes."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        is_shared = _is_below(path, SHARED) and not _is_below(path, STRATUMS)
        if is_shared and (_has_key(environ) or _is_at_its_host(environ)):
            environ["PATH_INFO"] = OWN + path.removeprefix(SHARED)
        return self._app(environ, start_response)


def _is_below(path: str, base: str) -> bool:
    return path == base or path.startswith(f"{base}/")


def _has_key(environ: WSGIEnvironment) -> bool:
    scheme, _, credential = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return scheme.lower() == "bearer" and credential.strip().startswith(KEY_PREFIX)


def _is_at_its_host(environ: WSGIEnvironment) -> bool:
    """Whether the call is for MESSAGING_HOST; the port counts only when the setting names one."""
    wanted, given = _split(get_settings().messaging_host), _split(environ.get("HTTP_HOST", ""))
    usual_port = 443 if environ.get("wsgi.url_scheme") == "https" else 80
    return bool(wanted[0]) and wanted[0] == given[0] and wanted[1] in (None, given[1] or usual_port)


def _split(host: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(f"//{host.strip()}")
        return (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return "", None
