"""`/messaging/api/v1/monitoring`: how messages fare in the whole workspace, now."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, current_app, jsonify

from app.accounts.guards import require_permission
from app.core.clock import utc_now
from app.core.describe import describe
from app.core.http import read_query
from app.messaging.schemas.monitoring import DashboardOut, InboundOut, InboundQuery, dashboard_out, inbound_out
from app.messaging.services import monitoring

bp = Blueprint("messaging_monitoring_api", __name__, url_prefix="/messaging/api/v1/monitoring")
TAG = "Monitoring"
STARTED = "messaging_started_at"


@bp.get("/dashboard")
@describe("Get dashboard metrics", TAG, answers={200: DashboardOut})
@require_permission("messaging.read")
def dashboard() -> Response:
    return jsonify(dashboard_out(monitoring.dashboard(), current_app.extensions[STARTED]))


@bp.get("/inbound")
@describe("Monitor what people write", TAG, query=InboundQuery, answers={200: InboundOut})
@require_permission("messaging.read")
def inbound() -> Response:
    """The newest first."""
    asked = read_query(InboundQuery)
    return jsonify(inbound_out(monitoring.inbound_activity(asked.hours, asked.limit)))


def init_app(app: Flask) -> None:
    app.extensions[STARTED] = utc_now()
    app.register_blueprint(bp)
