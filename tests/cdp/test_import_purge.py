"""Files of imports go after thirty days: what was refused, and what nobody started."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.cdp.test_imports_api import TABLE, URL, start, upload


def age(app, days, **values):
    """Make every import look that much older."""
    from app.cdp.models import DataImport
    from app.core.clock import utc_now
    from app.core.db import db, unit_of_work
    from app.core.tenancy import platform_scope

    then = utc_now() - timedelta(days=days)
    with app.app_context(), platform_scope(), unit_of_work():
        db.session.execute(update(DataImport).values(**dict.fromkeys(("created_at", *values), then)))


def purge(app):
    from app.core.schedule import table
    from app.core.tenancy import platform_scope

    with app.app_context(), platform_scope():
        table["cdp.purge_imports"].function()


@pytest.fixture
def files(app):
    """Names of the files kept since the test began."""
    from app.core.config import get_settings

    with app.app_context():
        folder = get_settings().data_dir / "files" / "imports"
    shutil.rmtree(folder, ignore_errors=True)
    return lambda: sorted(path.name for path in folder.rglob("*.*"))


def test_refused_rows_are_kept_for_thirty_days_and_then_removed(app, people, run_jobs, client, files):
    one = upload(people, TABLE)
    start(people, one)
    run_jobs()
    page = f"/app/imports/{one['id']}"
    assert "kept for 30 days" in client.get(page).text
    age(app, 29, finished_at=True)
    purge(app)
    assert client.get(f"{URL}/{one['id']}/rejected").status_code == 200
    age(app, 31, finished_at=True)
    for _ in range(2):
        purge(app)
    assert files() == []
    assert client.get(f"{URL}/{one['id']}/rejected").status_code == 404
    assert f"{page}/rejected.csv" not in client.get(page).text
    assert people.get(f"/imports/{one['id']}")["rejected"] == 1


def test_an_upload_nobody_started_goes_too_and_can_not_be_started_any_more(app, people, files):
    one = upload(people, TABLE)
    age(app, 31)
    purge(app)
    assert files() == []
    assert people.get(f"/imports/{one['id']}")["state"] == "cancelled"
    start(people, one, status=409)


def test_an_upload_of_yesterday_stays(app, people, files):
    one = upload(people, TABLE)
    age(app, 1)
    purge(app)
    assert people.get(f"/imports/{one['id']}")["state"] == "uploaded"
    assert len(files()) == 1
