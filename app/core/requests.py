"""The life of one request: its id, its log context, its line in the log."""

from __future__ import annotations

import re
import time
from uuid import uuid4

from flask import Flask, Response, g, request

from app.core import logs
from app.core.http import shown_path
from app.core.jobs import set_origin
from app.core.tenancy import bind_tenant

log = logs.get_logger("parley.request")
_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _ID.fullmatch(given) else uuid4().hex
    g.began = time.perf_counter()
    logs.clear()
    logs.bind(request_id=g.request_id)
    bind_tenant(None)
    set_origin(None, g.request_id)


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if request.endpoint not in ("static", "health.healthz"):
        took_ms = round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1)
        log.info("request", method=request.method, path=shown_path(), status=response.status_code, took_ms=took_ms)
    return response


def _clear(_error: BaseException | None) -> None:
    bind_tenant(None)
    logs.clear()


def init_app(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_clear)
