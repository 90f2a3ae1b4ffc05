"""One door to language models: who is asked for what, with which key and prompt, and what came of it at what cost."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from importlib import import_module

    from app.ai.api import prompts
    from app.ai.pages.blueprint import bp

    import_module("app.ai.jobs")  # registers the periodic check
    for pages in ("access", "prompts", "spend"):
        import_module(f"app.ai.pages.{pages}")
    prompts.init_app(app)
    app.register_blueprint(bp)
