"""Events as they come in, the names they have, and how to send them."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template, request

from app.accounts.guards import require_permission
from app.cdp.queries import pages_events
from app.cdp.services import tail
from app.cdp.services.days import tenant_zone, today
from app.core.htmx import is_htmx

bp = Blueprint("event_pages", __name__, url_prefix="/app/events")


@bp.get("")
@require_permission("cdp.read")
def index() -> str:
    """The newest events; the page asks for their lines alone, again and again while it is open."""
    zone, name = tenant_zone(), request.args.get("name", "")[:200]
    rows = pages_events.newest_events(name)
    tail.watch()
    if is_htmx():
        return render_template("customers/_tail.html", rows=rows, tz=zone)
    names = pages_events.list_names(today(zone))
    return render_template("customers/events.html", rows=rows, name=name, tz=zone, zone=zone.key, names=names)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
