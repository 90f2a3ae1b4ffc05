"""`/l/<token>`: where a short link in a message leads, and the note that somebody followed it."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, g, make_response, request
from sqlalchemy.exc import SQLAlchemyError

from app.accounts.guards import ignores_bearer, public
from app.core import ratelimit
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.errors import NotFound, Unavailable
from app.core.http import limited_address
from app.core.logs import get_logger
from app.messaging.services import clicks
from app.messaging.services.clicks import Followed

bp = Blueprint("link_pages", __name__)
log = get_logger()


@bp.get("/l/<token>")
@public
@ignores_bearer
def follow(token: str) -> Response:
    """Leads to the address the campaign has for it and nowhere else. Programs and HEAD are led on and not counted."""
    g.referrer_policy = "no-referrer"
    followed = clicks.find(token)
    if followed is None:
        ratelimit.check("link.guess", limited_address())
        raise NotFound("This link leads nowhere. It may have been cut off on its way to you.")
    if request.method == "GET" and not clicks.is_robot(request.user_agent.string):
        _count(followed)
    answer = make_response("", 302)
    answer.headers["Location"] = followed.url
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _count(followed: Followed) -> None:
    """The reader gets where they want to go even when the visit cannot be noted."""
    try:
        with unit_of_work():
            clicks.record(followed, utc_now())
    except (SQLAlchemyError, Unavailable) as error:
        db.session.rollback()
        log.warning("click_not_noted", message_id=followed.message_id, reason=type(error).__name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
