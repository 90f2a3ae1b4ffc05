"""`/chat` of the insight contract, and a simulation's chats."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, jsonify

from app.accounts.guards import current_user, require_permission
from app.core import ratelimit
from app.core.clock import iso
from app.core.db import get_required, unit_of_work
from app.core.describe import describe
from app.core.dialects import insight_dialect, register_dialect
from app.core.errors import NotFound
from app.core.http import read_json
from app.insights.models import ChatTurn, Conversation, Simulation
from app.insights.schemas import MessageIn
from app.insights.schemas.outgoing import ChatReply, ChatRow, ChatShown
from app.insights.services import chat, chat_lists, conversations
from app.insights.services.chat_text import without_marks
from app.insights.services.chat_wait import wait_for_answer

bp = Blueprint("chat_api", __name__)


def message_out(turn: ChatTurn) -> dict[str, Any]:
    """A message as the contract shows it, without the marks that point at facts."""
    content = without_marks(turn.content) if turn.role == "persona" else turn.content
    return {"role": turn.role, "content": content, "timestamp": iso(turn.created_at)}


@bp.post("/chat/simulation/<int:simulation_id>/persona/<int:persona_id>")
@describe(
    "Say something to a persona", "Conversations", body=MessageIn, answers={200: ChatReply}, errors=(409, 502, 504)
)
@require_permission("insights.write")
def send(simulation_id: int, persona_id: int) -> Response:
    """Ask and wait for the finished reply; the worker writes it meanwhile."""
    user_id = current_user().id
    conversations.get_simulation_persona(simulation_id, persona_id)
    body = read_json(MessageIn)
    ratelimit.check("chat.send", str(user_id))
    with unit_of_work():
        conversation = _conversation(body, persona_id, user_id, simulation_id)
        turn = chat.ask(conversation.id, user_id, body.message, nonce=body.nonce)
        turn_id, conversation_id = turn.id, conversation.id
    answered = wait_for_answer(turn_id, user_id)
    history = [message_out(said) for said in chat_lists.list_messages(conversation_id)]
    return jsonify(response=without_marks(answered.content), chat_history=history, chat_history_id=conversation_id)


def _conversation(body: MessageIn, persona_id: int, user_id: int, simulation_id: int) -> Conversation:
    """The one named, else the caller's newest of this simulation and persona, else (or when asked for) a new one."""
    if body.chat_history_id is not None:
        named = conversations.get_own(body.chat_history_id, user_id)
        if (named.persona_id, named.simulation_id) != (persona_id, simulation_id):
            raise NotFound("Conversation not found.")
        return named
    found = None if body.new else conversations.find_newest(persona_id, user_id, simulation_id)
    return found or conversations.begin(persona_id, user_id, simulation_id)


@bp.get("/chat/<int:chat_history_id>")
@describe("Show a conversation", "Conversations", answers={200: ChatShown})
@require_permission("insights.read")
def show(chat_history_id: int) -> Response:
    conversation = conversations.get_own(chat_history_id, current_user().id)
    return jsonify(
        id=conversation.id,
        persona_id=conversation.persona_id,
        simulation_id=conversation.simulation_id,
        title=conversation.title,
        messages=[message_out(said) for said in chat_lists.list_messages(conversation.id)],
    )


@bp.get("/simulations/<int:simulation_id>/chats")
@describe("List a simulation's conversations", "Conversations", answers={200: list[ChatRow]})
@require_permission("insights.read")
def index(simulation_id: int) -> Response:
    get_required(Simulation, simulation_id)
    return jsonify([_chat_out(row) for row in chat_lists.list_simulation_chats(simulation_id, current_user().id)])


def _chat_out(row: chat_lists.SimulationChat) -> dict[str, Any]:
    conversation = row.conversation
    return {
        "id": conversation.id,
        "persona_id": conversation.persona_id,
        "simulation_id": conversation.simulation_id,
        "title": conversation.title,
        "message_count": row.message_count,
        "created_at": iso(conversation.created_at),
        "updated_at": iso(conversation.last_message_at or conversation.created_at),
    }


def init_app(app: Flask) -> None:
    register_dialect("/chat", insight_dialect)
    app.register_blueprint(bp)
