"""What a person is called where one line has to do."""

from __future__ import annotations

from app.cdp.models import Profile


def title_of(profile: Profile) -> str:
    """The name, or the best identifier there is."""
    return profile.name or profile.email or profile.phone or profile.user_id or f"Anonymous {profile.id}"


def subtitle_of(profile: Profile) -> str:
    """The best identifier besides what the title says."""
    known = [profile.email, profile.phone, profile.user_id]
    return next((value for value in known if value and value != title_of(profile)), "")
