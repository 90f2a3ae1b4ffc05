"""The demo workspace: made by the product itself, through the same services and jobs as anyone's."""

from __future__ import annotations

import time
from dataclasses import replace

import click
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy import select

from app import demo_messages
from app.accounts import queries as accounts_queries
from app.accounts.models import Membership, Tenant, User
from app.accounts.services import audit, invitations, sessions, signup, users
from app.cdp.queries.segment_pages import names_by_id
from app.cdp.services import computed_traits, samples, segments
from app.core import crypto, mail
from app.core.config import get_settings
from app.core.db import db, unit_of_work
from app.core.jobs import LIVE, BackgroundJob, JobState
from app.core.jobs_run import execute
from app.core.tenancy import current_tenant_id, platform_scope, tenant_scope
from app.demo_content import AUDIENCES, COLLEAGUES, COMPUTED_TRAITS, CONVERSATION, INVITED, SEGMENTS, SIMULATION
from app.insights import queries
from app.insights.services import audiences, chat, conversations, simulations

WAIT_SECONDS = 180
demo = AppGroup("demo", help="The demo workspace.")


@demo.command("load")
def load() -> None:
    """Fill the demo workspace unless it is there; prints its sign-in. Safe to run again after an interruption."""
    settings = get_settings()
    user_id, tenant_id = _workspace()
    with tenant_scope(tenant_id):
        _staff(user_id)
        _fill(user_id)
    click.echo(f"demo: {settings.demo_email} {settings.demo_password}")


def _workspace() -> tuple[int, int]:
    """The demo's user and tenant, made when missing; the user is the platform's superadmin when there is none."""
    settings = get_settings()
    with platform_scope(), unit_of_work():
        user = db.session.scalars(select(User).where(User.email == settings.demo_email.lower())).one_or_none()
        if user is None:
            first = not signup.has_superadmin()
            user = signup.sign_up(
                settings.demo_email, settings.demo_password, name="Ines Moreau", workspace="Orchard & Oat",
                is_superadmin=first,
            )  # fmt: skip
        membership = db.session.scalars(
            select(Membership).where(Membership.user_id == user.id).order_by(Membership.id).limit(1)
        ).one()
        tenant = db.session.get_one(Tenant, membership.tenant_id)
        tenant.is_demo = True
        return user.id, tenant.id


def _staff(user_id: int) -> None:
    """Colleagues whom nobody can sign in as (their passwords are kept nowhere), and one who was asked to join.

    Before anything else is there, so that who removes them does not meet them again at the next start.
    """
    if queries.list_audiences() or accounts_queries.count_members(current_tenant_id()) > 1:
        return
    user, tenant = db.session.get_one(User, user_id), db.session.get_one(Tenant, current_tenant_id())
    audit.set_actor(audit.Actor(user.id, user.email, "command"))
    membership = sessions.find_membership(user.id, tenant.id)
    with unit_of_work():
        for email, name, role in COLLEAGUES:
            users.create(email, name, role, crypto.random_token())
        if not mail.is_set_up():
            invitations.invite(*INVITED, sessions.Caller(tenant=tenant, user=user, membership=membership))


def _fill(user_id: int) -> None:
    have = {audience.name for audience in queries.list_audiences()}
    for brief in AUDIENCES:
        if brief["name"] not in have:
            with unit_of_work():
                audiences.create(dict(brief), user_id=user_id)
    _work()
    ours = {audience.name: audience.id for audience in queries.list_audiences()}
    audience_id = ours[AUDIENCES[0]["name"]]
    if not names_by_id():
        _bring_customers(user_id)
    demo_messages.load(user_id, _work)
    if not queries.totals().simulations:
        _simulate(audience_id, user_id)
    if not queries.totals().conversations:
        _talk(audience_id, user_id)


def _bring_customers(user_id: int) -> None:
    """Invented customers, as the page for a first visitor loads them, and the segments it offers."""
    samples.load()
    _work()
    with unit_of_work():
        for name, function, event, property_name in COMPUTED_TRAITS:
            if computed_traits.find_definition(name) is None:
                computed_traits.create(name, function, event, property_name)
    _work()
    with unit_of_work():
        for name, description, conditions in SEGMENTS:
            segments.create(name, description, conditions, user_id=user_id)
    _work()


def _simulate(audience_id: int, user_id: int) -> None:
    with unit_of_work():
        simulations.create(replace(SIMULATION, audience_id=audience_id), user_id=user_id)
    _work()


def _talk(audience_id: int, user_id: int) -> None:
    places = queries.list_audience_personas(audience_id)
    persona = places[len(places) // 2].persona
    with unit_of_work():
        conversation_id = conversations.begin(persona.id, user_id).id
    for message in CONVERSATION:
        with unit_of_work():
            chat.ask(conversation_id, user_id, message)
        _work()


def _work() -> None:
    """Do this tenant's jobs here, or wait for the workers that took them, so that each step finds the one before."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        rows = db.session.execute(
            select(BackgroundJob.id, BackgroundJob.state)
            .where(BackgroundJob.state.in_(LIVE), BackgroundJob.tenant_id == current_tenant_id())
            .order_by(BackgroundJob.created_at)
        ).all()
        db.session.rollback()
        if not rows:
            return
        waiting = [row.id for row in rows if row.state == JobState.QUEUED]
        if waiting:
            execute(waiting[0])
        else:
            time.sleep(0.1)
    raise click.ClickException("The demo workspace is still being made. Run this again in a minute.")


def init_app(app: Flask) -> None:
    app.cli.add_command(demo)
