"""Speaking with htmx: page or partial, toasts, redirects."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, Response, g, make_response, redirect, render_template, request
from htmx_flask import Htmx
from werkzeug.urls import iri_to_uri

htmx = Htmx()


def is_htmx() -> bool:
    """Whether htmx asks for a part of a page (a boosted or restored one is a whole page)."""
    headers = request.headers
    return "HX-Request" in headers and "HX-Boosted" not in headers and "HX-History-Restore-Request" not in headers


def toast_header(message: str, kind: str) -> str:
    return json.dumps({"toast": {"message": message, "kind": kind}})


def toast(message: str, kind: str = "ok") -> None:
    """Show a short note with the answer to this request. Kinds: ok, warn, bad."""
    g.toast = toast_header(message, kind)


def render(page: str, partial: str | None = None, /, **context: Any) -> str:
    """The partial for htmx, the whole page for anyone else."""
    return render_template(partial if partial and is_htmx() else page, **context)


def go_to(url: str) -> Response:
    """Redirect a browser with 303, htmx with HX-Redirect."""
    if is_htmx():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = iri_to_uri(url)  # a header holds no letter beyond Latin-1
        return response
    return make_response(redirect(url, 303))


def _add_toast(response: Response) -> Response:
    if "toast" in g and is_htmx():
        response.headers.setdefault("HX-Trigger", g.toast)
    return response


def init_app(app: Flask) -> None:
    htmx.init_app(app)
    app.after_request(_add_toast)
