"""Who may act, and for which tenant: users, sign-up and sign-in, sessions, roles."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from app.accounts import commands, guards
    from app.accounts.api import admins, auth
    from app.accounts.pages import auth as auth_pages
    from app.accounts.pages import settings as settings_pages

    guards.init_app(app)
    auth.init_app(app)
    admins.init_app(app)
    app.register_blueprint(auth_pages.bp)
    app.register_blueprint(settings_pages.bp)
    app.cli.add_command(commands.accounts)
