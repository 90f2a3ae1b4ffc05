"""Merging, parting and the rules of identities."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import current_caller, require_permission
from app.cdp.schemas.identity import (
    DryRunOut,
    MergeIn,
    MergeOut,
    RulesIn,
    RulesOut,
    SplitIn,
    merge_out,
    rules_out,
)
from app.cdp.schemas.profiles import ProfileOut, profile_out
from app.cdp.services import identity_dry_run, identity_rules, merge_undo, merges, profiles
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.http import read_json

bp = Blueprint("cdp_identity_api", __name__, url_prefix="/api/v1/cdp")
TAG = "CDP"


@bp.get("/profiles/<int:profile_id>/merges")
@describe("Merges of a profile", TAG, answers={200: list[MergeOut]}, errors=(404,))
@require_permission("cdp.read")
def index(profile_id: int) -> Response:
    profile = profiles.get_profile(profile_id)
    return jsonify([merge_out(row) for row in merge_undo.list_merges(profile.id)])


@bp.post("/profiles/<int:profile_id>/merge")
@describe("Merge another profile into this one", TAG, body=MergeIn, answers={201: MergeOut}, errors=(404, 409, 503))
@require_permission("cdp.write")
def merge(profile_id: int) -> Response:
    """This profile's values stay, the other's fill its gaps; the merge can be undone."""
    profiles.get_profile(profile_id)
    body = read_json(MergeIn)
    caller = current_caller()
    with unit_of_work():
        winner, loser = profiles.get_profile(profile_id), profiles.get_profile(body.profile_id)
        reason = body.reason or "by hand"
        row = merges.merge_by_hand(winner.id, loser.id, reason, caller.user.id if caller.user else None)
    return make_response(jsonify(merge_out(row)), 201)


@bp.post("/merges/<int:merge_id>/undo")
@describe("Undo a merge", TAG, answers={200: ProfileOut}, errors=(404, 409, 503))
@require_permission("cdp.write")
def undo(merge_id: int) -> Response:
    """Answers with the profile that is one of its own again."""
    with unit_of_work():
        profile = merge_undo.undo(merge_id)
    return jsonify(profile_out(profile))


@bp.post("/profiles/<int:profile_id>/split")
@describe("Part identities from a profile", TAG, body=SplitIn, answers={201: ProfileOut}, errors=(404, 503))
@require_permission("cdp.write")
def split(profile_id: int) -> Response:
    """Answers with the new profile."""
    profiles.get_profile(profile_id)
    body = read_json(SplitIn)
    with unit_of_work():
        profile = merge_undo.split(profile_id, body.identity_ids)
    return make_response(jsonify(profile_out(profile)), 201)


@bp.get("/identity-rules")
@describe("Identity rules", TAG, answers={200: RulesOut})
@require_permission("cdp.read")
def show_rules() -> Response:
    return jsonify(rules_out(identity_rules.load_rules()))


@bp.put("/identity-rules")
@describe("Change identity rules", TAG, body=RulesIn, answers={200: RulesOut}, errors=(503,))
@require_permission("cdp.write")
def change_rules() -> Response:
    """From now on; who was joined before stays joined."""
    values = read_json(RulesIn).model_dump(exclude_none=True)
    with unit_of_work():
        rules = identity_rules.save_rules(values)
    return jsonify(rules_out(rules))


@bp.post("/identity-rules/dry-run")
@describe("What a change of the rules would do", TAG, body=RulesIn, answers={200: DryRunOut})
@require_permission("cdp.write")
def dry_run() -> Response:
    """Counts and up to ten examples; nothing is changed."""
    values = read_json(RulesIn).model_dump(exclude_none=True)
    found = identity_dry_run.dry_run(identity_rules.load_rules(), identity_rules.proposed(values))
    return jsonify(asdict(found))


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
