"""The token of a browser's forms."""

from __future__ import annotations

from flask import g, session


def renew_token() -> None:
    """Make forms that are open elsewhere out of date: they were filled in for another workspace."""
    session.pop("csrf_token", None)
    g.pop("csrf_token", None)
