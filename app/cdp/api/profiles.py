"""`/api/v1/cdp/profiles`: search, one profile, its events; changing and erasing it."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import require_permission
from app.cdp import personal_data
from app.cdp.queries import profiles as queries
from app.cdp.schemas.profiles import (
    EventsQuery,
    HealthOut,
    ProfileEventOut,
    ProfileOut,
    ProfilesQuery,
    StatisticsOut,
    TraitsIn,
    WholeProfileOut,
    event_out,
    identity_out,
    profile_out,
)
from app.cdp.services import computed_traits, consent, profiles
from app.core.clock import iso
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.http import read_json, read_query
from app.core.paging import PageOut

bp = Blueprint("cdp_profiles_api", __name__, url_prefix="/api/v1/cdp")
TAG = "CDP"


@bp.get("/health")
@describe("Health of customer data", TAG, answers={200: HealthOut})
@require_permission("cdp.read")
def health() -> Response:
    lag = queries.index_lag()
    return jsonify(status="ok", waiting=lag["waiting"], folded_at=iso(lag["folded_at"]))


@bp.get("/profiles/statistics")
@describe("Statistics", TAG, answers={200: StatisticsOut})
@require_permission("cdp.read")
def statistics() -> Response:
    return jsonify(queries.statistics())


@bp.get("/profiles")
@describe("Search profiles", TAG, query=ProfilesQuery, answers={200: PageOut[ProfileOut]})
@require_permission("cdp.read")
def index() -> Response:
    """Last seen first; with `q`, best match first and at most 1,000."""
    asked = read_query(ProfilesQuery)
    page = queries.list_profiles(asked.q, asked.lifecycle_stage or "", asked.segment_id, asked.page, asked.limit)
    return jsonify(page.out(profile_out))


@bp.get("/profiles/<int:profile_id>")
@describe("Get a profile", TAG, answers={200: WholeProfileOut}, errors=(404,))
@require_permission("cdp.read")
def show(profile_id: int) -> Response:
    """A profile that was merged answers as the one it became."""
    profile = profiles.get_profile(profile_id)
    body = profile_out(profile) | {
        "identities": [identity_out(row) for row in queries.list_identities(profile.id)],
        "consent": consent.states_of(profile.id),
        "computed_traits": computed_traits.values_of(profile.id),
        "segment_ids": queries.list_segment_ids(profile.id),
    }
    return jsonify(body)


@bp.patch("/profiles/<int:profile_id>")
@describe("Change traits", TAG, body=TraitsIn, answers={200: ProfileOut}, errors=(404, 503))
@require_permission("cdp.write")
def change(profile_id: int) -> Response:
    profiles.get_profile(profile_id)
    body = read_json(TraitsIn)
    with unit_of_work():
        profile = profiles.change_traits(profile_id, body.traits)
    return jsonify(profile_out(profile))


@bp.delete("/profiles/<int:profile_id>")
@describe("Erase a person", TAG, answers={204: None}, errors=(404, 503))
@require_permission("cdp.write")
def erase(profile_id: int) -> Response:
    """Everything known of them goes, at once and for good."""
    with unit_of_work():
        personal_data.erase(profile_id)
    return make_response("", 204)


@bp.get("/profiles/<int:profile_id>/events")
@describe("Events of a profile", TAG, query=EventsQuery, answers={200: PageOut[ProfileEventOut]}, errors=(404,))
@require_permission("cdp.read")
def events(profile_id: int) -> Response:
    profile = profiles.get_profile(profile_id)
    asked = read_query(EventsQuery)
    return jsonify(queries.list_events(profile.id, asked.event_name, asked.page, asked.limit).out(event_out))


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
