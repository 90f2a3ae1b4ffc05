"""`/messaging/api/v1/threads`: what people write back, and answers by hand. Ours beyond the contract."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import current_caller, require_permission
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.errors import ValidationFailed
from app.core.http import read_json, read_query
from app.messaging.models import MessageThread
from app.messaging.queries import threads as queries
from app.messaging.queries.threads import Cursor, Entry
from app.messaging.schemas.threads import (
    AssignIn,
    EntriesQuery,
    EntryOut,
    ReplyIn,
    TemplateReplyIn,
    ThreadDetailOut,
    ThreadOut,
    ThreadsOut,
    ThreadsQuery,
    detail_out,
    entry_out,
    thread_out,
)
from app.messaging.services import thread_templates, threads

bp = Blueprint("messaging_threads_api", __name__, url_prefix="/messaging/api/v1/threads")
TAG = "Threads"


@bp.get("")
@describe("List threads", TAG, query=ThreadsQuery, answers={200: ThreadsOut})
@require_permission("messaging.read")
def index() -> Response:
    """The latest first. `mine` are those of the person who asks."""
    asked = read_query(ThreadsQuery)
    before = Cursor.read(asked.before) if asked.before else None
    if asked.before and before is None:
        raise ValidationFailed("before: is no place in this list.", field="before", provided=asked.before,
                               expected="next of the page before")  # fmt: skip
    rows, more = queries.list_threads(asked.state, _user_id(), asked.q, before, asked.limit)
    found = [thread_out(row) for row in rows]
    return jsonify(threads=found, unread=queries.count_unread(), next=str(more) if more else None)


@bp.get("/<int:thread_id>")
@describe("Get a thread", TAG, query=EntriesQuery, answers={200: ThreadDetailOut}, errors=(404,))
@require_permission("messaging.read")
def show(thread_id: int) -> Response:
    """With the last sixty things said, or those before a time. It stays unread."""
    thread = threads.get_thread(thread_id)
    asked = read_query(EntriesQuery)
    entries = queries.list_entries(thread, _moment(asked.before))
    return jsonify(detail_out(queries.named([thread])[0], entries))


@bp.post("/<int:thread_id>/read")
@describe("Mark a thread as read", TAG, answers={200: ThreadOut}, errors=(404, 503))
@require_permission("messaging.write")
def read(thread_id: int) -> Response:
    with unit_of_work():
        return _answer(threads.mark_read(thread_id))


@bp.post("/<int:thread_id>/messages")
@describe("Answer by hand", TAG, body=ReplyIn, answers={201: EntryOut}, errors=(404, 422, 503))
@require_permission("messaging.send")
def reply(thread_id: int) -> Response:
    """Refused (422) after a STOP, and on WhatsApp once 24 hours have passed since they wrote."""
    threads.get_thread(thread_id)
    body = read_json(ReplyIn)
    with unit_of_work():
        message = threads.reply(thread_id, body.body, body.token, user_id=_answerer())
        answer = entry_out(Entry(message.created_at, message=message))
    return make_response(jsonify(answer), 201)


@bp.post("/<int:thread_id>/template")
@describe("Send an approved template into a thread", TAG, body=TemplateReplyIn, answers={201: EntryOut},
          errors=(404, 422, 503))  # fmt: skip
@require_permission("messaging.send")
def send_template(thread_id: int) -> Response:
    """On WhatsApp, also after the 24 hours. Refused (422) for who did not agree, said STOP or cannot be reached."""
    threads.get_thread(thread_id)
    body = read_json(TemplateReplyIn)
    with unit_of_work():
        message = thread_templates.send(thread_id, body.template, body.parameters, body.token, user_id=_answerer())
        answer = entry_out(Entry(message.created_at, message=message))
    return make_response(jsonify(answer), 201)


@bp.post("/<int:thread_id>/assign")
@describe("Give a thread to somebody", TAG, body=AssignIn, answers={200: ThreadOut}, errors=(404, 503))
@require_permission("messaging.write")
def assign(thread_id: int) -> Response:
    threads.get_thread(thread_id)
    body = read_json(AssignIn)
    with unit_of_work():
        return _answer(threads.assign(thread_id, body.user_id))


@bp.post("/<int:thread_id>/close")
@describe("Close a thread", TAG, answers={200: ThreadOut}, errors=(404, 503))
@require_permission("messaging.write")
def close(thread_id: int) -> Response:
    """It opens again by itself when they write."""
    with unit_of_work():
        return _answer(threads.close(thread_id))


@bp.post("/<int:thread_id>/reopen")
@describe("Open a thread again", TAG, answers={200: ThreadOut}, errors=(404, 503))
@require_permission("messaging.write")
def reopen(thread_id: int) -> Response:
    with unit_of_work():
        return _answer(threads.reopen(thread_id))


def _answer(thread: MessageThread) -> Response:
    return jsonify(thread_out(queries.named([thread])[0]))


def _user_id() -> int | None:
    user = current_caller().user
    return user.id if user else None


def _answerer() -> int | None:
    """Who has a talk by answering: a person. Whoever made the key of a program did not answer."""
    return None if current_caller().api_key else _user_id()


def _moment(text: str) -> datetime | None:
    found = queries.read_moment(text) if text else None
    if text and found is None:
        raise ValidationFailed("before: is no time in ISO 8601.", field="before", provided=text,
                               expected="2026-11-29T10:00:00Z")  # fmt: skip
    return found


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
