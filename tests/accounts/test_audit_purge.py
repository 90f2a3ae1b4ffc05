"""What ended long ago is forgotten; what is live or recent is kept, and the audit log tells on."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update


def in_days(days: float):
    from app.core.clock import utc_now

    return utc_now() + timedelta(days=days)


def run_purge() -> None:
    from app.core.schedule import table
    from app.core.tenancy import platform_scope

    with platform_scope():
        table["accounts.purge"].function()


def test_sessions_that_ended_or_expired_a_month_ago_go_with_their_tokens(app, client, client_for, member):
    from app.accounts.models import RefreshToken, UserSession
    from app.core.db import db, unit_of_work

    for _ in range(4):
        client_for(member)
    with app.app_context():
        ids = list(db.session.scalars(select(UserSession.id).order_by(UserSession.id)))
        states = [{}, {"ended_at": in_days(-31)}, {"ended_at": in_days(-29)},
                  {"expires_at": in_days(-31)}, {"expires_at": in_days(-29)}]  # fmt: skip
        with unit_of_work():
            for session_id, values in zip(ids, states, strict=True):
                if values:
                    db.session.execute(update(UserSession).where(UserSession.id == session_id).values(**values))
                for days in (-31, 5):
                    token = RefreshToken(
                        session_id=session_id, token_hash=f"{session_id} {days}", expires_at=in_days(days)
                    )
                    db.session.add(token)
        run_purge()
        kept = [ids[0], ids[2], ids[4]]
        assert list(db.session.scalars(select(UserSession.id).order_by(UserSession.id))) == kept
        tokens = select(RefreshToken.token_hash).order_by(RefreshToken.session_id)
        assert list(db.session.scalars(tokens)) == [f"{session_id} 5" for session_id in kept]
    assert client.get("/api/v1/audit?action=session.started").get_json()["total"] == 5


def test_invitations_that_expired_three_months_ago_go_in_every_tenant(app, member, other_member):
    from app.accounts.models import Invitation
    from app.core.db import db, unit_of_work
    from app.core.tenancy import platform_scope, tenant_scope

    with app.app_context():
        for who in (member, other_member):
            with tenant_scope(who.tenant_id), unit_of_work():
                for days in (-91, -89, 3):
                    db.session.add(Invitation(email=f"{days}@example.com", role="viewer", expires_at=in_days(days)))
        run_purge()
        with platform_scope():
            left = db.session.scalars(select(Invitation.email).order_by(Invitation.id))
            assert list(left) == ["-89@example.com", "3@example.com"] * 2
