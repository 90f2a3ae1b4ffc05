"""The page of one person: who they are, what they agreed to, what they did."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, Response, make_response, redirect, render_template, request

from app.accounts.guards import require_permission
from app.cdp import personal_data
from app.cdp.models import Profile
from app.cdp.pages import profile_view
from app.cdp.queries import pages_profiles
from app.cdp.queries import profiles as queries
from app.cdp.services import computed_traits, consent, profiles
from app.cdp.services.days import tenant_zone, today
from app.core.errors import ValidationFailed
from app.core.http import int_argument

bp = Blueprint("profile_pages", __name__, url_prefix="/app/profiles/<int:profile_id>")
STEP = 40
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"(\d{1,17})\.(\d{1,18})")


def person_url(profile: Profile) -> str:
    return f"/app/profiles/{profile.id}"


def as_now(profile_id: int) -> tuple[Profile, Response | None]:
    """The person, and the way to their page when this id was merged into another."""
    profile = profiles.get_profile(profile_id)
    return profile, None if profile.id == profile_id else make_response(redirect(person_url(profile), 302))


@bp.get("")
@require_permission("cdp.read")
def show(profile_id: int) -> str | Response:
    """A merged id leads to who it became."""
    profile, away = as_now(profile_id)
    if away:
        return away
    return render_template(
        "customers/profile.html", person=profile, url=person_url(profile),
        groups=profile_view.by_kind(queries.list_identities(profile.id)),
        states=consent.states_of(profile.id), records=consent.list_records(profile.id),
        consent_words=profile_view.CONSENT, channels=profile_view.CHANNELS, stages=profile_view.STAGES,
        computed=computed_traits.values_of(profile.id), segments=pages_profiles.segments_of(profile.id),
        merges=pages_profiles.list_merges(profile.id),
        counts=pages_profiles.event_counts(profile.id), **timeline_of(profile),
    )  # fmt: skip


@bp.get("/timeline")
@require_permission("cdp.read")
def timeline(profile_id: int) -> str | Response:
    """The next part of the timeline, for the page that shows the first."""
    profile = profiles.get_profile(profile_id)
    if "HX-Request" not in request.headers:
        return make_response(redirect(f"{person_url(profile)}?{request.query_string.decode()}", 302))
    return render_template("customers/_timeline.html", person=profile, url=person_url(profile), **timeline_of(profile))


def timeline_of(profile: Profile) -> dict[str, Any]:
    """A part of the timeline by day, from the place in the address on, and the place of the next part."""
    name_id, before = int_argument("event"), _place()
    rows = pages_profiles.list_timeline(profile.id, before, name_id, STEP + 1)
    part, last = rows[:STEP], rows[STEP - 1][0] if len(rows) > STEP else None
    zone = tenant_zone()
    return {
        "days": profile_view.by_day(part, today(zone)),
        "place": _written(last.at, last.id) if last else "",
        "from_place": request.args.get("before", ""),
        "name_id": name_id,
        "zone": zone.key,
        "tz": zone,
    }


def _place() -> tuple[datetime, int] | None:
    text = request.args.get("before", "")
    if not text:
        return None
    found = _PLACE.fullmatch(text)
    if not found:
        raise ValidationFailed("before: is no place in a timeline.", field="before")
    try:
        return EPOCH + timedelta(microseconds=int(found[1])), int(found[2])
    except OverflowError:
        raise ValidationFailed("before: is no place in a timeline.", field="before") from None


def _written(at: datetime, event_id: int) -> str:
    micros = (at - EPOCH) // timedelta(microseconds=1)
    return f"{micros}.{event_id}"


@bp.get("/export.json")
@require_permission("cdp.read")
def export(profile_id: int) -> Response:
    """Everything stored of the person, as they may ask for it."""
    profile = profiles.get_profile(profile_id)
    text = json.dumps(personal_data.export(profile.id), ensure_ascii=False, indent=2, default=str)
    response = make_response(text)
    response.mimetype = "application/json"
    response.headers["Content-Disposition"] = f'attachment; filename="profile-{profile.id}.json"'
    return response


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
