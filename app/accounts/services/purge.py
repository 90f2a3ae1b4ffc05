"""Forgetting what is of no use any more: sign-ins that ended long ago, and invitations nobody took."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, or_

from app.accounts.models import Invitation, RefreshToken, UserSession
from app.core.clock import utc_now
from app.core.db import db

SESSIONS_KEPT = timedelta(days=30)
INVITATIONS_KEPT = timedelta(days=90)


def purge_sessions() -> None:
    """Delete sessions, with their tokens, that ended or expired 30 days ago, and tokens that expired as long ago.

    The audit log still tells of each sign-in.
    """
    long_ago = utc_now() - SESSIONS_KEPT
    over = or_(UserSession.ended_at < long_ago, UserSession.expires_at < long_ago)
    for statement in (delete(UserSession).where(over), delete(RefreshToken).where(RefreshToken.expires_at < long_ago)):
        db.session.execute(statement.execution_options(synchronize_session=False))


def purge_invitations() -> None:
    """Delete invitations of every tenant that expired 90 days ago, whatever became of them."""
    statement = delete(Invitation).where(Invitation.expires_at < utc_now() - INVITATIONS_KEPT)
    db.session.execute(statement.execution_options(synchronize_session=False))
