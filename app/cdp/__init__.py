"""What is known of a tenant's customers: profiles, identities, events, consent, segments."""

from __future__ import annotations

from flask import Flask


def init_app(_app: Flask) -> None:
    from app.cdp import models  # noqa: F401
