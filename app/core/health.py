"""Whether the product is alive, ready and how it is doing: /healthz, /readyz, /metrics."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Flask, Response, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from redis.exceptions import RedisError
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.core import pulse
from app.core.config import ROOT, get_settings
from app.core.db import db
from app.core.errors import NotFound
from app.core.jobs import LIVE, BackgroundJob
from app.core.redis import get_redis
from app.core.sse_hub import get_hub

bp = Blueprint("health", __name__)
REQUESTS = Counter("parley_requests_total", "Requests answered", ["method", "endpoint", "status"])
SECONDS = Histogram("parley_request_seconds", "Time to answer a request", ["endpoint"])
STREAMS = Gauge("parley_sse_streams", "Open live streams of this process")
JOBS = Gauge("parley_jobs_live", "Jobs queued or running", ["name", "state"])


@bp.get("/healthz")
def healthz() -> Response:
    """Alive: this process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Ready: database, migrations, Redis and at least one worker. 503 names what is missing."""
    checks = {
        "database": _check(lambda: db.session.execute(text("SELECT 1")) is not None),
        "migrations": _check(_migrated),
        "redis": _check(lambda: bool(get_redis().ping())),
        "worker": _check(_worker_alive),
    }
    ready = all(value == "ok" for value in checks.values())
    return jsonify(status="ready" if ready else "not ready", checks=checks), 200 if ready else 503


def _check(probe: Callable[[], bool]) -> str:
    try:
        return "ok" if probe() else "missing"
    except (SQLAlchemyError, RedisError, OSError) as error:
        return type(error).__name__


def _migrated() -> bool:
    heads = set(ScriptDirectory(str(ROOT / "migrations")).get_heads())
    with db.engine.connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads()) == heads


def _worker_alive() -> bool:
    return pulse.count_alive() > 0


@bp.get("/metrics")
def metrics() -> Response:
    """Prometheus text. From this machine, or with METRICS_TOKEN as a Bearer; hidden from anyone else."""
    token = get_settings().metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    local = request.remote_addr in ("127.0.0.1", "::1") and "X-Forwarded-For" not in request.headers
    if not (hmac.compare_digest(given, token.encode()) if token else local):
        raise NotFound("There is nothing at this address.")
    STREAMS.set(get_hub().stream_count)
    JOBS.clear()
    counts = select(BackgroundJob.name, BackgroundJob.state, func.count()).where(BackgroundJob.state.in_(LIVE))
    for name, state, count in db.session.execute(counts.group_by(BackgroundJob.name, BackgroundJob.state)):
        JOBS.labels(name, state).set(count)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _start_timer() -> None:
    g.started = time.perf_counter()


def _count(response: Response) -> Response:
    endpoint = request.endpoint or "none"
    REQUESTS.labels(request.method, endpoint, response.status_code).inc()
    if endpoint != "sse.stream" and "started" in g:
        SECONDS.labels(endpoint).observe(time.perf_counter() - g.started)
    return response


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.before_request(_start_timer)
    app.after_request(_count)
