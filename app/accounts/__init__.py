"""Who may act, and for which tenant: users, sign-up and sign-in, sessions, roles."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from importlib import import_module

    from app.accounts import commands, guards
    from app.accounts.api import admins, api_keys, audit, auth
    from app.accounts.api import invitations as invitations_api
    from app.accounts.api import mfa as mfa_api
    from app.accounts.api import passwords as passwords_api
    from app.accounts.api import tenants as tenants_api
    from app.accounts.api import tokens as tokens_api
    from app.accounts.api import users as users_api
    from app.accounts.pages import api_keys as api_keys_pages
    from app.accounts.pages import audit as audit_pages
    from app.accounts.pages import auth as auth_pages
    from app.accounts.pages import invitations as invitations_pages
    from app.accounts.pages import passkey_sign_in, passkeys, second_step, security, switch, team, workspace
    from app.accounts.pages import passwords as passwords_pages
    from app.accounts.pages import settings as settings_pages
    from app.accounts.pages import tenants as tenants_pages

    import_module("app.accounts.jobs")  # registers the mails
    guards.init_app(app)
    auth.init_app(app)
    admins.init_app(app)
    app.register_blueprint(auth_pages.bp)
    app.register_blueprint(settings_pages.bp)
    for blueprint in (api_keys.bp, audit.bp, api_keys_pages.bp, audit_pages.bp):
        app.register_blueprint(blueprint)
    for blueprint in (tokens_api.bp, users_api.bp, tenants_api.bp, invitations_api.bp):
        app.register_blueprint(blueprint)
    for blueprint in (team.bp, workspace.bp, tenants_pages.bp, invitations_pages.bp, switch.bp):
        app.register_blueprint(blueprint)
    for blueprint in (mfa_api.bp, security.bp, passkeys.bp, passkey_sign_in.bp, second_step.bp):
        app.register_blueprint(blueprint)
    for blueprint in (passwords_api.bp, passwords_pages.bp):
        app.register_blueprint(blueprint)
    app.cli.add_command(commands.accounts)
