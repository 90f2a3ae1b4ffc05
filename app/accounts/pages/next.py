"""Where a browser goes after signing in."""

from __future__ import annotations

from flask import request, url_for


def safe_next() -> str:
    """The path of this site that was asked for, and nothing else; home when none was."""
    target = request.values.get("next", "")
    if target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target and target.isprintable():
        return target
    return url_for("home.show")
