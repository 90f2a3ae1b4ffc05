"""`/app/inbox`: what people write back, answered by hand, taken and closed."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Flask, Response, make_response, render_template, request, url_for

from app.accounts.guards import current_user, require_permission
from app.core import ratelimit
from app.core.db import unit_of_work
from app.core.errors import AppError, ValidationFailed
from app.core.htmx import go_to, is_htmx, toast
from app.core.http import int_argument
from app.messaging.pages import inbox_template, inbox_view
from app.messaging.pages.template_view import plain_error
from app.messaging.queries import threads as queries
from app.messaging.services import thread_templates, threads

bp = Blueprint("inbox_pages", __name__, url_prefix="/app/inbox")


@bp.get("")
@require_permission("messaging.read")
def index() -> str:
    return render_template("messaging/inbox.html", **inbox_view.list_context())


@bp.get("/list")
@require_permission("messaging.read")
def list_part() -> str:
    """The list alone; `current` is the talk that is open."""
    context = inbox_view.list_context(int_argument("current"))
    return render_template("messaging/_talks.html", **context, unread=queries.count_unread())


@bp.get("/<int:thread_id>")
@require_permission("messaging.read")
def show(thread_id: int) -> str:
    """The talk beside the list. Asking for it changes nothing: the page says when somebody sees it."""
    return _page(thread_id)


@bp.get("/<int:thread_id>/entries")
@require_permission("messaging.read")
def entries_part(thread_id: int) -> Response:
    """What was said, for a page that is open; 204 when that is what the page has, so that it is not drawn again."""
    context = inbox_view.entries_context(threads.get_thread(thread_id))
    if request.args.get("known") == context["known"]:
        return make_response("", 204)
    return make_response(render_template("messaging/_entries.html", **context))


@bp.get("/<int:thread_id>/earlier")
@require_permission("messaging.read")
def earlier(thread_id: int) -> str:
    """The page of what was said before a time."""
    threads.get_thread(thread_id)
    return _page(thread_id, before=_moment(request.args.get("before", "")))


@bp.get("/<int:thread_id>/composer")
@require_permission("messaging.read")
def composer_part(thread_id: int) -> str:
    """Whether one may answer now: a STOP, a new text or the end of a window changes it."""
    thread = threads.get_thread(thread_id)
    return render_template("messaging/_composer.html", **inbox_view.talk_context(thread))


@bp.post("/<int:thread_id>/read")
@require_permission("messaging.write")
def read(thread_id: int) -> Response:
    """What the page says once it is shown; the list comes back with what is still unread."""
    with unit_of_work():
        threads.mark_read(thread_id)
    if not is_htmx():
        return go_to(url_for("inbox_pages.show", thread_id=thread_id))
    context = inbox_view.list_context(thread_id) | {"unread": queries.count_unread()}
    return make_response(render_template("messaging/_talks.html", **context))


@bp.post("/<int:thread_id>/messages")
@require_permission("messaging.send")
def send(thread_id: int) -> Response:
    """Answer by hand. A refusal keeps what was typed; the same form sent twice sends once."""
    threads.get_thread(thread_id)
    body, token = request.form.get("body", ""), request.form.get("token", "")
    try:
        ratelimit.check("message.reply", str(current_user().id))
        with unit_of_work():
            threads.reply(thread_id, body, token, user_id=current_user().id)
    except AppError as error:
        if error.status in (404, 403) or error.status >= 500:
            raise
        return _refused(thread_id, body, token, error)
    return _sent(thread_id)


@bp.post("/<int:thread_id>/template")
@require_permission("messaging.send")
def send_template(thread_id: int) -> Response:
    """An approved text where a free one may not go. `do` look only shows how it reads; a refusal keeps what was filled
    in; the same form sent twice sends once."""
    thread = threads.get_thread(thread_id)
    token = request.form.get("token", "")
    if request.form.get("do") == "look":
        talk = inbox_view.talk_context(thread, token=token)
        part = render_template("messaging/_composer.html", **talk) if is_htmx() else _page(thread_id, token=token)
        return make_response(part)
    try:
        ratelimit.check("message.reply", str(current_user().id))
        with unit_of_work():
            _send_template(thread_id, token)
    except AppError as error:
        if error.status == 403 or error.status >= 500:
            raise
        return _refused(thread_id, "", token, error)
    return _sent(thread_id)


def _send_template(thread_id: int, token: str) -> None:
    name = inbox_template.name_of(request.form.get("template", ""))
    if not name:
        raise ValidationFailed("template: choose the template to send.", field="template")
    thread_templates.send(thread_id, name, inbox_template.given_values(request.form), token, user_id=current_user().id)


def _sent(thread_id: int) -> Response:
    if not is_htmx():
        return go_to(url_for("inbox_pages.show", thread_id=thread_id, _anchor="latest"))
    talk = inbox_view.talk_context(threads.get_thread(thread_id), is_sent=True)
    return make_response(render_template("messaging/_sent.html", **talk))


@bp.post("/<int:thread_id>/assign")
@require_permission("messaging.write")
def assign(thread_id: int) -> Response:
    """Give the talk to a colleague, or to nobody."""
    threads.get_thread(thread_id)
    chosen = request.form.get("user_id", "")
    if chosen and not (chosen.isascii() and chosen.isdecimal() and len(chosen) < 10):
        raise ValidationFailed("user_id: choose somebody of the list.", field="user_id")
    with unit_of_work():
        threads.assign(thread_id, int(chosen) if chosen else None)
    return go_to(url_for("inbox_pages.show", thread_id=thread_id))


@bp.post("/<int:thread_id>/close")
@require_permission("messaging.write")
def close(thread_id: int) -> Response:
    with unit_of_work():
        threads.close(thread_id)
    toast("Closed. It opens again when they write.")
    return go_to(url_for("inbox_pages.show", thread_id=thread_id))


@bp.post("/<int:thread_id>/reopen")
@require_permission("messaging.write")
def reopen(thread_id: int) -> Response:
    with unit_of_work():
        threads.reopen(thread_id)
    return go_to(url_for("inbox_pages.show", thread_id=thread_id))


def _page(thread_id: int, *, before: datetime | None = None, draft: str = "", error: str = "", token: str = "") -> str:
    thread = threads.get_thread(thread_id)
    talk = inbox_view.talk_context(thread, draft=draft, error=error, token=token)
    if before is not None:
        talk |= inbox_view.entries_context(thread, before)
    return render_template(
        "messaging/talk.html", **inbox_view.list_context(thread_id), **talk, is_earlier=before is not None
    )


def _refused(thread_id: int, body: str, token: str, error: AppError) -> Response:
    message = plain_error(error.message, str(error.details.get("field", "")))
    if is_htmx():
        talk = inbox_view.talk_context(threads.get_thread(thread_id), draft=body, error=message, token=token)
        return make_response(render_template("messaging/_composer.html", **talk), 422)
    return make_response(_page(thread_id, draft=body, error=message, token=token), 422)


def _moment(text: str) -> datetime:
    found = queries.read_moment(text)
    if found is None:
        raise ValidationFailed("before: is no time.", field="before")
    return found


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
