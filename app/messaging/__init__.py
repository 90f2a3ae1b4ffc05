"""SMS and WhatsApp to people who agreed: contacts, templates, campaigns, delivery, answers, and how it went."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from flask import Flask

EDGES = (
    "api.contacts",
    "api.templates",
    "api.segments",
    "api.campaigns",
    "api.reporting",
    "api.monitoring",
    "api.threads",
    "api.whatsapp",
    "api.provider_callbacks",
    "pages.campaigns",
    "pages.campaign_wizard",
    "pages.campaign_run",
    "pages.campaign_now",
    "pages.templates",
    "pages.inbox",
    "pages.contacts",
    "pages.reports",
    "pages.links",
    "pages.settings",
)


def init_app(app: Flask) -> None:
    """Each edge module offers `init_app(app)`; the jobs are registered by importing them."""
    import_module("app.messaging.models")
    import_module("app.messaging.jobs")
    import_module("app.messaging.personal_data")
    for edge in EDGES:
        if find_spec(f"app.messaging.{edge}"):
            import_module(f"app.messaging.{edge}").init_app(app)
