"""Puts the sandbox app together: state, services, control and the front page."""

from __future__ import annotations

from flask import Flask, Response, jsonify

from app.sandbox import control, frame, pages, services
from app.sandbox.state import Sandbox

BODY_LIMIT_BYTES = 64 * 1024 * 1024


def build(*, token_delay_ms: int, seed: int, callback_url: str = "") -> Flask:
    """Make the app; every service is mounted under its name."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["sandbox"] = Sandbox(token_delay_ms, seed, callback_url)
    frame.init_app(app, services.all_services())
    app.register_blueprint(control.bp)
    app.register_blueprint(pages.bp)
    app.register_error_handler(404, _not_found)
    return app


def _not_found(_error: Exception) -> tuple[Response, int]:
    return jsonify(error="The sandbox has nothing at this address."), 404
