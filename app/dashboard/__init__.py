"""Home, the frame around every page, search and activity: read-only views over many features."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from app.dashboard.api import jobs
    from app.dashboard.pages import activity, frame, home, search

    for edge in (frame, home, search, activity, jobs):
        edge.init_app(app)
