"""What is known of a tenant's customers: profiles, identities, events, consent, segments."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from flask import Flask

EDGES = (
    "api.events",
    "api.profiles",
    "api.consent",
    "api.identity",
    "api.lifecycle",
    "api.computed_traits",
    "api.imports",
    "api.segments",
    "pages.profiles",
    "pages.profile",
    "pages.profile_changes",
    "pages.profile_joins",
    "pages.events",
    "pages.imports",
    "pages.segments",
)


def init_app(app: Flask) -> None:
    """Each edge module offers `init_app(app)`; the jobs are registered by importing them."""
    import_module("app.cdp.models")
    import_module("app.cdp.jobs")
    app.cli.add_command(import_module("app.cdp.commands").cdp)
    for edge in EDGES:
        if find_spec(f"app.cdp.{edge}"):
            import_module(f"app.cdp.{edge}").init_app(app)
