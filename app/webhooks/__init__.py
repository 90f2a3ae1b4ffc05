"""Telling customers' systems what happened: endpoints, signed deliveries, retries over a day.

It hears of every event by name and imports no feature that makes them: an event says itself how it looks from outside.
"""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from importlib import import_module

    from app.webhooks.api import deliveries as deliveries_api
    from app.webhooks.api import endpoints as endpoints_api
    from app.webhooks.pages import deliveries as deliveries_pages
    from app.webhooks.pages import endpoints as endpoints_pages

    import_module("app.webhooks.jobs")  # subscribes, and registers what runs in workers
    for blueprint in (endpoints_api.bp, deliveries_api.bp, endpoints_pages.bp, deliveries_pages.bp):
        app.register_blueprint(blueprint)
