"""What every test of messages needs: people to write to, made through the customer data API, and to act as theirs."""

from __future__ import annotations

import pytest

from tests.cdp.conftest import people

__all__ = ["people"]


@pytest.fixture
def acting(member, in_tenant):
    """`with acting():` speaks to services as the workspace does."""
    return lambda: in_tenant(member.tenant_id)
