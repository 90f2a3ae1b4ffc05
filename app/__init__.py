"""Parley: get to know an audience, talk with it, reach it and learn how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> Flask:
    """The application: settings, then the kernel, then each feature in order."""
    from importlib import import_module

    from flask import Flask

    from app.core import (
        assets,
        contract_dialects,
        contract_limits,
        cross_origin,
        db,
        dialects,
        docs,
        formats,
        health,
        htmx,
        http,
        logs,
        requests,
        security,
        sse,
    )
    from app.core.config import ROOT, get_settings
    from app.features import FEATURES

    settings = get_settings()
    logs.configure()
    app = Flask("app", root_path=str(ROOT / "app"), template_folder=str(ROOT / "templates"))
    app.static_folder = str(ROOT / "static")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600 if settings.environment == "production" else 0
    kernel = (
        requests,
        security,
        cross_origin,
        http,
        db,
        htmx,
        dialects,
        contract_dialects,
        docs,
        sse,
        health,
        formats,
        assets,
    )
    for part in kernel:
        part.init_app(app)
    import_module("app.core.housekeeping")
    import_module("app.demo").init_app(app)
    for feature in FEATURES:
        import_module(f"app.{feature}").init_app(app)
    contract_limits.init_app(app)  # last: it asks who the guards let in
    return app
