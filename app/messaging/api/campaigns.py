"""`/messaging/api/v1/campaigns`: made, changed, started, paused, ended; the contract's calls and ours beside them."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import current_caller, require, require_permission
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.errors import ValidationFailed
from app.core.http import read_json, read_query
from app.messaging.models import Campaign, CampaignState
from app.messaging.queries import campaigns as queries
from app.messaging.schemas.campaigns import (
    CampaignDeleted,
    CampaignsQuery,
    MessagingCampaignChangeIn,
    MessagingCampaignIn,
    MessagingCampaignOut,
    MessagingCampaignsOut,
    ScheduleIn,
    TrialIn,
    TrialOut,
    TriggeredOut,
    campaign_out,
    trial_out,
)
from app.messaging.services import campaign_requests as requests
from app.messaging.services import campaigns, forecasts, phones, trials

bp = Blueprint("messaging_campaigns_api", __name__, url_prefix="/messaging/api/v1/campaigns")
TAG = "Campaigns"


@bp.get("")
@describe("List campaigns", TAG, query=CampaignsQuery, answers={200: MessagingCampaignsOut})
@require_permission("messaging.read")
def index() -> Response:
    """The newest first, those that run before all others."""
    asked = read_query(CampaignsQuery)
    states = [_state(asked.status)] if asked.status else []
    page = queries.list_rows(asked.page, asked.per_page, q=asked.q, states=states)
    return jsonify({
        "campaigns": [campaign_out(row) for row in page.items], "total": page.total, "page": page.number,
        "per_page": page.limit, "pages": page.pages,
    })  # fmt: skip


@bp.post("")
@describe("Create a campaign", TAG, body=MessagingCampaignIn, answers={201: MessagingCampaignOut}, errors=(402,))
@require_permission("messaging.write")
def create() -> Response:
    """A draft, or with a time a scheduled campaign, for which one must be allowed to send."""
    body = read_json(MessagingCampaignIn)
    if body.schedule_time is not None:
        require("messaging.send")
    with unit_of_work():
        row = campaigns.create(requests.wanted(body.model_dump()), user_id=_user_id())
        answer = campaign_out(queries.row_of(row))
    return make_response(jsonify(answer), 201)


@bp.get("/<campaign_id>")
@describe("Get a campaign", TAG, answers={200: MessagingCampaignOut}, errors=(404,))
@require_permission("messaging.read")
def show(campaign_id: str) -> Response:
    return _answer(campaigns.get_by_uuid(campaign_id))


@bp.put("/<campaign_id>")
@describe(
    "Change a campaign", TAG, body=MessagingCampaignChangeIn, answers={200: MessagingCampaignOut}, errors=(404, 422)
)
@require_permission("messaging.write")
def update(campaign_id: str) -> Response:
    """A draft or a scheduled campaign; another is refused (422)."""
    return _changed(campaign_id)


@bp.patch("/<campaign_id>")
@describe(
    "Change parts of a campaign",
    TAG,
    body=MessagingCampaignChangeIn,
    answers={200: MessagingCampaignOut},
    errors=(404, 422),
)
@require_permission("messaging.write")
def patch(campaign_id: str) -> Response:
    """The same as PUT."""
    return _changed(campaign_id)


def _changed(campaign_id: str) -> Response:
    campaigns.get_by_uuid(campaign_id)  # 404 before anything is said of the body
    body = read_json(MessagingCampaignChangeIn)
    with unit_of_work():
        row = campaigns.get_by_uuid(campaign_id, for_update=True)
        if row.state == CampaignState.SCHEDULED or body.schedule_time is not None:
            require("messaging.send")
        wanted = requests.changed(campaigns.as_given(row), body.model_dump(exclude_unset=True))
        return _answer(campaigns.update(row.id, wanted))


@bp.delete("/<campaign_id>")
@describe("Delete a campaign", TAG, answers={200: CampaignDeleted}, errors=(404, 422))
@require_permission("messaging.write")
def delete(campaign_id: str) -> Response:
    """One that was started stays (422), with what it sent. A scheduled one asks for the right to send."""
    with unit_of_work():
        row = campaigns.get_by_uuid(campaign_id, for_update=True)
        if row.state == CampaignState.SCHEDULED:
            require("messaging.send")
        campaigns.delete(row.id)
    return jsonify({"message": "Campaign deleted successfully", "id": campaign_id})


@bp.post("/<campaign_id>/trigger")
@describe("Trigger a campaign", TAG, answers={200: TriggeredOut}, errors=(404, 409, 422))
@require_permission("messaging.send")
def trigger(campaign_id: str) -> Response:
    """Whoever is in the segment now is written to. A paused campaign is resumed instead; triggering it is refused."""
    estimated = forecasts.reach(campaigns.get_by_uuid(campaign_id)).sendable
    with unit_of_work():
        campaigns.launch(campaigns.get_by_uuid(campaign_id).id, user_id=_user_id())
    return jsonify({
        "message": "Campaign triggered successfully", "campaign_id": campaign_id, "estimated_recipients": estimated,
        "execution_started": True,
    })  # fmt: skip


@bp.post("/<campaign_id>/pause")
@describe("Pause a campaign", TAG, answers={200: MessagingCampaignOut}, errors=(404, 422))
@require_permission("messaging.send")
def pause(campaign_id: str) -> Response:
    """What is in the air is not called back."""
    return _moved(campaign_id, campaigns.pause)


@bp.post("/<campaign_id>/resume")
@describe("Resume a campaign", TAG, answers={200: MessagingCampaignOut}, errors=(404, 409, 422))
@require_permission("messaging.send")
def resume(campaign_id: str) -> Response:
    return _moved(campaign_id, campaigns.resume)


@bp.post("/<campaign_id>/cancel")
@describe("Cancel a campaign", TAG, answers={200: MessagingCampaignOut}, errors=(404, 422))
@require_permission("messaging.send")
def cancel(campaign_id: str) -> Response:
    """For good: whoever was not written to is not written to. One that is over, while it tries something again."""
    return _moved(campaign_id, campaigns.cancel)


@bp.post("/<campaign_id>/schedule")
@describe("Schedule a campaign", TAG, body=ScheduleIn, answers={200: MessagingCampaignOut}, errors=(404, 422))
@require_permission("messaging.send")
def schedule(campaign_id: str) -> Response:
    """A scheduled campaign moves to the new time."""
    campaigns.get_by_uuid(campaign_id)
    at = requests.moment(read_json(ScheduleIn).schedule_time)
    return _moved(campaign_id, lambda row_id: campaigns.schedule(row_id, at))


@bp.post("/<campaign_id>/unschedule")
@describe("Make a scheduled campaign a draft", TAG, answers={200: MessagingCampaignOut}, errors=(404, 422))
@require_permission("messaging.send")
def unschedule(campaign_id: str) -> Response:
    return _moved(campaign_id, campaigns.unschedule)


@bp.post("/<campaign_id>/duplicate")
@describe("Copy a campaign", TAG, answers={201: MessagingCampaignOut}, errors=(402, 404))
@require_permission("messaging.write")
def duplicate(campaign_id: str) -> Response:
    """A draft with the same settings and the newest version of each text."""
    with unit_of_work():
        row = campaigns.duplicate(campaigns.get_by_uuid(campaign_id).id, user_id=_user_id())
        answer = campaign_out(queries.row_of(row))
    return make_response(jsonify(answer), 201)


@bp.post("/<campaign_id>/test")
@describe("Send a test", TAG, body=TrialIn, answers={200: TrialOut}, errors=(404, 409))
@require_permission("messaging.send")
def send_test(campaign_id: str) -> Response:
    """One of its texts to one number, with that person's values. Nobody who said no gets one."""
    known = campaigns.get_by_uuid(campaign_id)
    body = read_json(TrialIn)
    number = phones.read(body.phone, "phone")
    with unit_of_work():
        row = trials.send(known.id, number, _variant_id(known, body.variant))
        answer = trial_out(row)
    return jsonify(answer)


def _variant_id(campaign: Campaign, label: str | None) -> int | None:
    if label is None:
        return None
    known = {text.variant.label: text.variant.id for text in queries.row_of(campaign).texts}
    if label.upper() not in known:
        raise ValidationFailed("variant: there is no such variant.", field="variant", provided=label,
                               expected=", ".join(known))  # fmt: skip
    return known[label.upper()]


def _moved(campaign_id: str, move: Callable[[int], Campaign]) -> Response:
    with unit_of_work():
        return _answer(move(campaigns.get_by_uuid(campaign_id).id))


def _answer(row: Campaign) -> Response:
    return jsonify(campaign_out(queries.row_of(row)))


def _state(text: str) -> CampaignState:
    try:
        return CampaignState(text.lower())
    except ValueError:
        raise ValidationFailed("status: there is no such status.", field="status", provided=text,
                               expected=", ".join(one.name for one in CampaignState)) from None  # fmt: skip


def _user_id() -> int | None:
    user = current_caller().user
    return user.id if user else None


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
