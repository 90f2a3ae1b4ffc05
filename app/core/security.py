"""What every answer carries and every call must show: headers, cookies, a name of ours, no other site behind it."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from flask_talisman import Talisman
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.sansio.utils import host_is_trusted

from app.core import cross_origin
from app.core.config import get_settings
from app.core.dialects import respond, speaks_only_json
from app.core.errors import BadRequest, PermissionDenied
from app.core.http import is_upload
from app.core.messaging_rewrite import MessagingRewrite

FOR_PROBES = {"health.healthz", "health.readyz"}  # a router's probe calls us by address
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
CSP = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
csrf = CSRFProtect()


def refuse_strange_host() -> None:
    """With ALLOWED_HOSTS set, refuse a call for another name. Flask's own TRUSTED_HOSTS would leave the error page
    without addresses and knows no exception for probes."""
    names = allowed_hosts()
    if names and request.endpoint not in FOR_PROBES and not host_is_trusted(request.host.lower(), names):
        raise BadRequest("This product does not answer to that name.", code="unknown_host")


def allowed_hosts() -> list[str]:
    """The names we answer to, without ports; empty for any."""
    settings = get_settings()
    names = [name.strip().lower() for name in settings.allowed_hosts.split(",") if name.strip()]
    if not names:
        return []
    own = [urlsplit(settings.public_url).hostname, urlsplit(f"//{settings.messaging_host}").hostname]
    return names + [name for name in own if name]


def refuse_cross_site() -> None:
    """Refuse a write that a browser says another site caused; forms and cookie-borne JSON alike.

    Browsers send Sec-Fetch-Site or Origin with every cross-site write and pages cannot forge them;
    programs that are no browser send neither and hold no ambient cookie. GET /logout writes too.
    Addresses open to any origin take a bearer of the caller's own, and then no cookie.
    """
    if request.method in SAFE_METHODS and request.path != "/logout":
        return
    if cross_origin.is_open() and cross_origin.has_own_credential():
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site in ("same-origin", "none"):
        return
    origin = request.headers.get("Origin")
    if site is None and (origin is None or _is_here(origin)):
        return
    raise PermissionDenied("This request came from another site and was refused.", code="cross_site")


def _is_here(origin: str) -> bool:
    try:
        return bool(request.host) and urlsplit(origin).netloc == request.host
    except ValueError:
        return False


def _token_needed() -> bool:
    """Form posts need the token too; JSON is covered by its content type and refuse_cross_site."""
    return request.method not in SAFE_METHODS and request.mimetype in (
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain",
    )


def check_token() -> None:
    if _token_needed() and not speaks_only_json(request.path) and not is_upload():
        csrf.protect()


def check_upload_token() -> None:
    """What `check_token` does, for a page's view that takes a file: its form is read once the caller is known."""
    csrf.protect()


def _csrf_error(_error: CSRFError) -> Response:
    return respond(PermissionDenied("This form is out of date. Reload the page and send it again.", code="csrf"))


def _private_by_default(response: Response) -> Response:
    """Pages and JSON of signed-in people are not for shared caches or the back button after sign-out."""
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    return response


def _stricter_referrer(response: Response) -> Response:
    """A view may ask for `g.referrer_policy`; runs after Talisman, which writes the same one everywhere."""
    if "referrer_policy" in g:
        response.headers["Referrer-Policy"] = g.referrer_policy
    return response


def init_app(app: Flask) -> None:
    settings = get_settings()
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="parley_session"
        if settings.environment == "production"
        else f"parley_session_{settings.port}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_REFRESH_EACH_REQUEST=False,  # a slow answer to an earlier request must not undo a sign-in
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.wsgi_app = MessagingRewrite(app.wsgi_app)  # type: ignore[method-assign]
    if settings.trusted_proxies:  # outside the rewrite, which goes by the host that the proxies say
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    csrf.init_app(app)
    app.register_error_handler(CSRFError, _csrf_error)
    app.after_request(_stricter_referrer)  # the last to be registered is the first to run
    Talisman(
        app,
        force_https=False,  # the host's router does it
        strict_transport_security=settings.environment == "production",
        session_cookie_secure=settings.secure_cookies,
        content_security_policy=CSP,
        frame_options="DENY",
        referrer_policy="same-origin",  # addresses that hold a token are told to no other site
    )
    app.before_request(refuse_strange_host)
    app.before_request(refuse_cross_site)
    app.before_request(check_token)
    app.after_request(_private_by_default)
