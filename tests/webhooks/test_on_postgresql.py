"""Deliveries by the same tests over the other database: there several workers do write at once."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("postgres")]


def test_deliveries_hold_on_postgresql_too(hold_on_postgresql):
    hold_on_postgresql(webhooks="deliveries erasure told")
