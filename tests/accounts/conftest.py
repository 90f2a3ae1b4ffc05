"""Fixtures of accounts: people with a place in more than one workspace."""

from __future__ import annotations

import pytest


@pytest.fixture
def join(in_tenant):
    """Make someone a member of one more tenant."""

    def add(who, tenant_id, role):
        from app.accounts.models import Membership
        from app.core.db import db, unit_of_work

        with in_tenant(tenant_id), unit_of_work():
            db.session.add(Membership(user_id=who.id, tenant_id=tenant_id, role=role))

    return add
