"""Operator commands on accounts."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.accounts.services import audit, mfa, password_reset, signup
from app.core.db import unit_of_work

accounts = AppGroup("accounts", help="Users and workspaces.")


@accounts.command("create-superadmin")
@click.argument("email")
@click.password_option()
def create_superadmin(email: str, password: str) -> None:
    """Make the platform's first superadmin."""
    with unit_of_work():
        signup.set_up_superadmin(email, password)
    click.echo(f"Admin user {email} created successfully")


@accounts.command("reset-link")
@click.argument("email")
def reset_link(email: str) -> None:
    """Make a link that sets this account's password: it works once, and for one hour."""
    audit.set_actor(audit.Actor(label="operator", credential="command"))
    with unit_of_work():
        link = password_reset.operator_link(email)
    click.echo(link)


@accounts.command("reset-second-factor")
@click.argument("email")
def reset_second_factor(email: str) -> None:
    """Take this account's app, passkeys and backup codes away, and sign it out everywhere."""
    audit.set_actor(audit.Actor(label="operator", credential="command"))
    mfa.operator_reset(email)
    click.echo(f"{email} signs in with the password alone now.")
