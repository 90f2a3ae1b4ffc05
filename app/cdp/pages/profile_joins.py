"""Two profiles that are one person, and a person who is to be forgotten."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, flash, make_response, render_template, request

from app.accounts.guards import current_user, require_permission
from app.cdp import personal_data
from app.cdp.models import Profile
from app.cdp.pages import profile_view
from app.cdp.pages.profile import as_now, person_url
from app.cdp.queries import pages_profiles
from app.cdp.queries import profiles as queries
from app.cdp.services import merge_undo, merges, profiles
from app.core.db import unit_of_work
from app.core.errors import ValidationFailed
from app.core.htmx import go_to

bp = Blueprint("profile_join_pages", __name__, url_prefix="/app/profiles/<int:profile_id>")
FOUND = 12


@bp.get("/merge")
@require_permission("cdp.write")
def choose_other(profile_id: int) -> str | Response:
    """People to merge with, by a search; the one of this page stays."""
    profile, away = as_now(profile_id)
    if away:
        return away
    text = request.args.get("q", "").strip()[:320]
    found = queries.list_profiles(text, limit=FOUND).items if text else []
    return render_template(
        "customers/merge.html", person=profile, url=person_url(profile), q=text, stages=profile_view.STAGES,
        found=[row for row in found if row.id != profile.id],
    )  # fmt: skip


@bp.post("/merge")
@require_permission("cdp.write")
def merge(profile_id: int) -> Response:
    """The other becomes part of this one."""
    text = request.form.get("other", "")
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise ValidationFailed("other: choose a profile.", field="other")
    with unit_of_work():
        profile, other = profiles.get_profile(profile_id), profiles.get_profile(int(text))
        title = profile_view.title_of(other)
        merges.merge_by_hand(profile.id, other.id, "by hand", current_user().id)
    flash(f"{title} is part of this profile now. It can be undone below.", "ok")
    return go_to(person_url(profile))


@bp.post("/merges/<int:merge_id>/undo")
@require_permission("cdp.write")
def undo(profile_id: int, merge_id: int) -> Response:
    """Whoever was merged stands by itself again; their page shows what they have."""
    profiles.get_profile(profile_id)
    with unit_of_work():
        parted = merge_undo.undo(merge_id)
    flash("The merge is undone. This is who was merged.", "ok")
    return go_to(person_url(parted))


@bp.get("/split")
@require_permission("cdp.write")
def choose_identities(profile_id: int) -> str | Response:
    profile, away = as_now(profile_id)
    return away or _split_page(profile)


def _split_page(profile: Profile, chosen: frozenset[int] = frozenset(), error: str = "") -> str:
    rows = queries.list_identities(profile.id)
    return render_template(
        "customers/split.html", person=profile, url=person_url(profile), groups=profile_view.by_kind(rows),
        count=len(rows), chosen=chosen, error=error,
    )  # fmt: skip


@bp.post("/split")
@require_permission("cdp.write")
def split(profile_id: int) -> Response:
    """The chosen identities become a profile of their own, with the events that came by them alone."""
    profile = profiles.get_profile(profile_id)
    texts = request.form.getlist("identity_ids")[:1000]
    chosen = frozenset(int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 18)
    if not chosen:
        return make_response(_split_page(profile, error="Tick the identities that belong to somebody else."), 422)
    try:
        with unit_of_work():
            parted = merge_undo.split(profile.id, sorted(chosen))
    except ValidationFailed:
        return make_response(_split_page(profile, chosen, "At least one identity has to stay."), 422)
    flash("This is the new profile. The other keeps the rest.", "ok")
    return go_to(person_url(parted))


@bp.get("/erase")
@require_permission("cdp.write")
def confirm_erase(profile_id: int) -> str | Response:
    profile, away = as_now(profile_id)
    return away or _erase_page(profile)


def _erase_page(profile: Profile, error: str = "") -> str:
    return render_template(
        "customers/erase.html", person=profile, url=person_url(profile), error=error,
        extent=pages_profiles.extent_of(profile.id), word=word_of(profile),
    )  # fmt: skip


def word_of(profile: Profile) -> str:
    """What has to be typed."""
    return profile_view.title_of(profile)[:100].strip()


@bp.post("/erase")
@require_permission("cdp.write")
def erase(profile_id: int) -> Response:
    """For good; only with what the page asks for, typed."""
    profile = profiles.get_profile(profile_id)
    if request.form.get("typed", "").strip() != word_of(profile):
        return make_response(_erase_page(profile, "This is not what is asked for. Nothing was erased."), 422)
    with unit_of_work():
        personal_data.erase(profile.id)
    flash("The person is erased. The audit log keeps that it was done, not of whom.", "ok")
    return go_to("/app/profiles")


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
