"""AI-made audiences, their segments and personas, and the talks and simulations with them."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

EDGES = (
    "api.audiences",
    "api.segments",
    "api.personas",
    "api.simulations",
    "api.chat",
    "pages.audiences",
    "pages.segments",
    "pages.personas",
    "pages.simulations",
    "pages.chat",
)


def init_app(app: Flask) -> None:
    """Each edge module offers `init_app(app)`; the jobs are registered by importing them."""
    import_module("app.insights.jobs")
    from importlib.util import find_spec

    for edge in EDGES:
        if find_spec(f"app.insights.{edge}") is None:
            continue
        import_module(f"app.insights.{edge}").init_app(app)
