"""Campaigns, their forecasts and pages by the same tests over the other database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.postgres import running_postgres

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("postgres")]
ROOT = Path(__file__).resolve().parents[2]
CHOSEN = ("campaigns_api", "campaign_pages", "forecasts", "sending", "stop_holds")


def test_campaigns_hold_on_postgresql_too(tmp_path):
    with running_postgres(tmp_path) as url:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider"]
            + [f"tests/messaging/test_{name}.py" for name in CHOSEN],
            cwd=ROOT,
            env=os.environ | {"TEST_DATABASE_URL": url},
            capture_output=True,
            text=True,
            timeout=900,
        )
    assert done.returncode == 0, done.stdout[-4000:]
