"""The engine, the folder and segments by the same tests over the other database."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("postgres")]


def test_conditions_and_folding_hold_on_postgresql_too(hold_on_postgresql):
    hold_on_postgresql(cdp="engine engine_properties folding segments")
