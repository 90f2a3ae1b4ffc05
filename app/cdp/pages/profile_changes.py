"""Changing what is known of a person by hand: traits, and what they agreed to."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Flask, Response, flash, make_response, render_template, request

from app.accounts.guards import current_user, require_permission
from app.cdp.models import Channel, ConsentValue, Profile
from app.cdp.pages import profile_view, trait_forms
from app.cdp.pages.profile import as_now, person_url
from app.cdp.services import consent, profiles
from app.core.db import unit_of_work
from app.core.errors import AppError, ValidationFailed
from app.core.htmx import go_to

bp = Blueprint("profile_change_pages", __name__, url_prefix="/app/profiles/<int:profile_id>")
MOST_NOTE = 500


@bp.get("/traits")
@require_permission("cdp.write")
def edit_traits(profile_id: int) -> str | Response:
    profile, away = as_now(profile_id)
    return away or _trait_form(profile, trait_forms.rows_of(profile.traits), json.dumps(profile.traits))


def _trait_form(profile: Profile, rows: list[trait_forms.Row], before: str, problem: str = "") -> str:
    wrong = {f"trait-{number}": row.error for number, row in enumerate(rows) if row.error}
    return render_template(
        "customers/traits.html", person=profile, url=person_url(profile), rows=rows, before=before,
        kinds=trait_forms.KINDS, errors=wrong | ({"form": problem} if problem else {}),
    )  # fmt: skip


@bp.post("/traits")
@require_permission("cdp.write")
def save_traits(profile_id: int) -> Response:
    """Only what differs from what the form showed is written."""
    profile = profiles.get_profile(profile_id)
    before = request.form.get("before", "")
    after, rows = trait_forms.read(trait_forms.from_request(request.form))
    problem, status = "", 422
    if not any(row.error for row in rows):
        try:
            _keep(profile.id, trait_forms.changes(trait_forms.before_of(before), after))
            return go_to(person_url(profile))
        except AppError as error:
            problem, status = error.message, error.status
    return make_response(_trait_form(profile, rows, before, problem), status)


def _keep(profile_id: int, values: dict[str, Any]) -> None:
    if not values:
        flash("Nothing was changed.", "ok")
        return
    with unit_of_work():
        profiles.change_traits(profile_id, values)
    flash("The traits are saved.", "ok")


@bp.post("/consent")
@require_permission("cdp.write")
def record_consent(profile_id: int) -> Response:
    """A statement is added; the ones before stay in the history."""
    channel, state, source, note = (
        request.form.get(name, "").strip() for name in ("channel", "state", "source", "note")
    )
    if channel not in set(Channel) or state not in set(ConsentValue):
        raise ValidationFailed("channel: no such channel or state.", field="channel")
    if not source or len(source) > 60 or len(note) > MOST_NOTE:
        raise ValidationFailed(
            f"Say in up to 60 characters how you know; a note has at most {MOST_NOTE}.", field="source"
        )
    with unit_of_work():
        profile = profiles.get_profile(profile_id, for_update=True)
        evidence = {"by": current_user().email} | ({"note": note} if note else {})
        consent.record(profile.id, channel, state, source, evidence)
    word = profile_view.CONSENT[state][0].lower()
    flash(f"{profile_view.CHANNELS[channel]}: {word}, from now on.", "ok")
    return go_to(person_url(profile) + "#consent-h")


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
