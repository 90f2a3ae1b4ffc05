"""Home, the frame around every page, search and activity: read-only views over many features."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from app.dashboard.pages import activity, frame, home, search

    for edge in (frame, home, search, activity):
        edge.init_app(app)
