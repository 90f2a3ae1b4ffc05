"""What people do in conversations: say, stop, ask again, branch, rename, delete."""

from __future__ import annotations

from flask import Response, flash, make_response, request, url_for

from app.accounts.guards import current_user, require_permission
from app.core import ratelimit
from app.core.db import get_required, unit_of_work
from app.core.errors import AppError
from app.core.htmx import go_to, is_htmx
from app.core.http import validate
from app.insights.models import Conversation, Persona, Simulation
from app.insights.pages.chat import bp, page_of, refreshed
from app.insights.schemas import MessageIn
from app.insights.services import chat, conversations


def back_to(conversation_id: int) -> Response:
    return go_to(url_for("chat_pages.show", conversation_id=conversation_id, _anchor="latest"))


def _shown(conversation_id: int) -> Response:
    """The changed parts for our script, the page for a plain form."""
    if not is_htmx():
        return back_to(conversation_id)
    return make_response(refreshed(conversations.get_own(conversation_id, current_user().id)))


@bp.post("/personas/<int:persona_id>/chat")
@require_permission("insights.write")
def begin(persona_id: int) -> Response:
    """Start talking with a persona; with `message` the first question is sent at once."""
    user_id = current_user().id
    get_required(Persona, persona_id)
    simulation_id = request.form.get("simulation_id", type=int)
    if simulation_id:
        get_required(Simulation, simulation_id)
        conversations.get_simulation_persona(simulation_id, persona_id)
    message = request.form.get("message", "").strip()
    body = validate(MessageIn, {"message": message}) if message else None
    if body:
        ratelimit.check("chat.send", str(user_id))
    with unit_of_work():
        conversation = conversations.begin(persona_id, user_id, simulation_id or None)
        if body:
            chat.ask(conversation.id, user_id, body.message)
    return back_to(conversation.id)


@bp.post("/conversations/<int:conversation_id>/messages")
@require_permission("insights.write")
def send(conversation_id: int) -> Response:
    """Say something, or something else in the place of an earlier message. A refusal keeps what was typed."""
    conversation = conversations.get_own(conversation_id, current_user().id)
    try:
        _send(conversation)
    except AppError as error:
        if is_htmx() or error.status >= 500:
            raise
        draft, editing = request.form.get("message", ""), request.form.get("edit_turn_id", type=int)
        page = page_of(conversation, draft=draft, error=error.message, editing=editing)
        return make_response(page, error.status)
    return _shown(conversation_id)


def _send(conversation: Conversation) -> None:
    user_id, conversation_id = current_user().id, conversation.id
    text = request.form.get("opener") or request.form.get("message", "")
    text = text.replace("\r\n", "\n")
    body = validate(MessageIn, {"message": text, "nonce": request.form.get("nonce") or None})
    ratelimit.check("chat.send", str(user_id))
    edited = request.form.get("edit_turn_id", type=int)
    with unit_of_work():
        if edited:
            conversations.get_own_turn(edited, user_id)
            chat.edit(edited, user_id, body.message, nonce=body.nonce)
        else:
            chat.ask(conversation_id, user_id, body.message, nonce=body.nonce)


@bp.post("/conversations/turns/<int:turn_id>/stop")
@require_permission("insights.write")
def stop(turn_id: int) -> Response:
    with unit_of_work():
        turn = chat.stop(turn_id, current_user().id)
    return _shown(turn.conversation_id)


@bp.post("/conversations/turns/<int:turn_id>/regenerate")
@require_permission("insights.write")
def regenerate(turn_id: int) -> Response:
    """Another answer in the place of this one, or a new try after a failure."""
    user_id = current_user().id
    conversations.get_own_turn(turn_id, user_id)
    ratelimit.check("chat.send", str(user_id))
    with unit_of_work():
        turn = chat.regenerate(turn_id, user_id)
    return _shown(turn.conversation_id)


@bp.post("/conversations/turns/<int:turn_id>/branch")
@require_permission("insights.write")
def branch(turn_id: int) -> Response:
    with unit_of_work():
        copy = conversations.branch(turn_id, current_user().id)
    flash("A branch: what was said so far is here too, and the original stays as it is.", "ok")
    return back_to(copy.id)


@bp.post("/conversations/<int:conversation_id>/rename")
@require_permission("insights.write")
def rename(conversation_id: int) -> Response:
    with unit_of_work():
        conversations.rename(conversation_id, current_user().id, request.form.get("title", ""))
    return back_to(conversation_id)


@bp.post("/conversations/<int:conversation_id>/delete")
@require_permission("insights.write")
def delete(conversation_id: int) -> Response:
    with unit_of_work():
        conversations.delete_conversation(conversation_id, current_user().id)
    flash("The conversation was deleted.", "ok")
    return go_to(url_for("chat_pages.index"))
