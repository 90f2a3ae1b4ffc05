"""Operator commands on customer data."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from sqlalchemy import select

from app.cdp.models import Profile
from app.cdp.services import index_check, rebuilding
from app.core.db import db, release_connection
from app.core.tenancy import platform_scope, tenant_scope

cdp = AppGroup("cdp", help="Customer data.")


def _tenants(tenant_id: int | None) -> list[int]:
    if tenant_id is not None:
        return [tenant_id]
    with platform_scope():  # an operator acts on all workspaces
        found = list(db.session.scalars(select(Profile.tenant_id).distinct().order_by(Profile.tenant_id)))
        release_connection()
        return found


@cdp.command("rebuild")
@click.option("--tenant", "tenant_id", type=int, help="One workspace; all of them without it.")
def rebuild(tenant_id: int | None) -> None:
    """Make the index of segments anew from the events and profiles."""
    for one in _tenants(tenant_id):
        with tenant_scope(one):
            click.echo(f"workspace {one}")
            rebuilding.rebuild(lambda done, total, note: click.echo(f"  {note} ({done} of {total})"))


@cdp.command("check")
@click.option("--tenant", "tenant_id", type=int, help="One workspace; all of them without it.")
@click.option("--sample", default=5000, show_default=True, help="How many people to look at.")
def check(tenant_id: int | None, sample: int) -> None:
    """Hold the index against the truth and mend what differs."""
    for one in _tenants(tenant_id):
        with tenant_scope(one):
            wrong = index_check.check_and_repair(sample)
            click.echo(f"workspace {one}: {len(wrong)} people differed" + (", and are folded anew" if wrong else ""))
