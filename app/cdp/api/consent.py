"""`/api/v1/cdp/profiles/{id}/consent`: what a person agreed to."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import require_permission
from app.cdp.schemas.profiles import ConsentIn, ConsentOut, ConsentRecordOut, record_out
from app.cdp.services import consent, profiles
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.http import read_json

bp = Blueprint("cdp_consent_api", __name__, url_prefix="/api/v1/cdp/profiles/<int:profile_id>/consent")
TAG = "CDP"


@bp.get("")
@describe("Consent of a profile", TAG, answers={200: ConsentOut}, errors=(404,))
@require_permission("cdp.read")
def show(profile_id: int) -> Response:
    profile = profiles.get_profile(profile_id)
    records = [record_out(row) for row in consent.list_records(profile.id)]
    return jsonify(states=consent.states_of(profile.id), records=records)


@bp.post("")
@describe("Record consent", TAG, body=ConsentIn, answers={201: ConsentRecordOut}, errors=(404, 503))
@require_permission("cdp.write")
def add(profile_id: int) -> Response:
    """A statement is never changed: the newest on a channel is in force."""
    profiles.get_profile(profile_id)
    body = read_json(ConsentIn)
    with unit_of_work():
        profile = profiles.get_profile(profile_id, for_update=True)
        row = consent.record(profile.id, body.channel, body.state, body.source, body.evidence)
    return make_response(jsonify(record_out(row)), 201)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
