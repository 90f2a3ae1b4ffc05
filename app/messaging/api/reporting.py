"""`/messaging/api/v1/reporting`: how a campaign went, and messages one by one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Flask, Response, jsonify

from app.accounts.guards import require_permission
from app.core.describe import describe
from app.core.errors import ValidationFailed
from app.core.http import read_query
from app.messaging.schemas.reporting import (
    MAX_DEPTH,
    STATES,
    StatusesOut,
    StatusQuery,
    SummaryOut,
    moment_of,
    statuses_out,
    summary_out,
)
from app.messaging.services import reporting
from app.messaging.services.message_reports import Asked, status_page

bp = Blueprint("messaging_reporting_api", __name__, url_prefix="/messaging/api/v1/reporting")
TAG = "Reporting"


@bp.get("/campaigns/<campaign_id>/summary")
@describe("Get a campaign's performance", TAG, answers={200: SummaryOut}, errors=(404,))
@require_permission("messaging.read")
def summary(campaign_id: str) -> Response:
    """With each text's figures, its links, and which text won: ours beyond the contract."""
    found = reporting.summary_by_uuid(campaign_id)
    report = reporting.variant_report(found.campaign.id)
    return jsonify(summary_out(found, report, reporting.link_report(found.campaign.id)))


@bp.get("/messages/status")
@describe("Track messages", TAG, query=StatusQuery, answers={200: StatusesOut}, errors=(404,))
@require_permission("messaging.read")
def statuses() -> Response:
    """Of a campaign without dates everybody is listed, state by state; else what was sent, the newest first."""
    asked = read_query(StatusQuery)
    is_by_date = not asked.campaign_id or asked.start_date is not None or asked.end_date is not None
    if asked.page * asked.per_page > MAX_DEPTH and is_by_date:
        raise ValidationFailed(
            f"page: lists by date go {MAX_DEPTH:,} messages deep. Ask for a shorter stretch.", field="page",
            provided=asked.page, expected=f"page times per_page of at most {MAX_DEPTH}",
        )  # fmt: skip
    since, until = _moment("start_date", asked.start_date), _moment("end_date", asked.end_date, is_end=True)
    if since and until and since >= until:
        raise ValidationFailed("end_date: must be after start_date.", field="end_date", provided=asked.end_date,
                               expected=f"a time after {asked.start_date}")  # fmt: skip
    status = _status(asked.status)
    page = status_page(Asked(asked.campaign_id, since, until, status, asked.page, asked.per_page))
    return jsonify(statuses_out(page))


def _moment(field: str, given: Any, *, is_end: bool = False) -> datetime | None:
    if given is None:
        return None
    try:
        return moment_of(str(given), is_end=is_end)
    except (ValueError, OverflowError):
        raise ValidationFailed(f"{field}: is no date in ISO 8601.", field=field, provided=given,
                               expected="2026-11-29 or 2026-11-29T10:15:00Z") from None  # fmt: skip


def _status(given: Any) -> str:
    if given is None:
        return ""
    word = str(given).upper()
    if word not in STATES:
        raise ValidationFailed("status: is no state of a message.", field="status", provided=given,
                               expected=", ".join(STATES))  # fmt: skip
    return word


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
