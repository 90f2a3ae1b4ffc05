"""Conversations as people see them: the list, the stream, the evidence, the export."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, abort, jsonify, make_response, render_template, request

from app.accounts.guards import current_tenant, current_user, require_permission
from app.accounts.services import audit
from app.core.db import unit_of_work
from app.core.http import int_argument
from app.insights.models import Conversation
from app.insights.pages import chat_views
from app.insights.queries import count_personas, get_place, search_personas
from app.insights.services import chat_export, chat_lists, conversations
from app.insights.services.conversations import LIVE

bp = Blueprint("chat_pages", __name__, url_prefix="/app")
PERSONAS_SHOWN = 24


def list_context(current: int | None = None) -> dict[str, Any]:
    """The list of conversations beside the stream, as the request's search and page ask for it."""
    search = request.values.get("q", "")[:100]
    page = int_argument("page", 1, high=10_000) or 1
    user_id, shown = current_user().id, chat_lists.CONVERSATIONS_SHOWN
    rows = chat_lists.list_conversations(user_id, search, limit=shown + 1, offset=(page - 1) * shown)
    return {
        "groups": chat_lists.group_by_day(rows[:shown], current_tenant().timezone),
        "search": search,
        "list_page": page,
        "has_more": len(rows) > shown,
        "current": current,
    }


@bp.get("/conversations")
@require_permission("insights.read")
def index() -> str:
    return render_template("chat/index.html", **list_context(), persona_count=count_personas())


@bp.get("/conversations/list")
@require_permission("insights.read")
def list_part() -> str:
    """The list alone; `current` is the conversation that is open."""
    return render_template("chat/_list.html", **list_context(int_argument("current")))


@bp.get("/conversations/new")
@require_permission("insights.read")
def choose() -> str:
    """Whom to talk with."""
    search, page = request.args.get("q", "")[:100], int_argument("page", 1, high=10_000) or 1
    total = count_personas(search)
    places = search_personas(search, limit=PERSONAS_SHOWN, offset=(page - 1) * PERSONAS_SHOWN)
    pages = max(1, -(-total // PERSONAS_SHOWN))
    return render_template(
        "chat/new.html", about=chat_views.about, places=places, search=search, page=page, pages=pages, total=total
    )


@bp.get("/conversations/<int:conversation_id>")
@require_permission("insights.read")
def show(conversation_id: int) -> str:
    return page_of(conversations.get_own(conversation_id, current_user().id))


def page_of(conversation: Conversation, *, draft: str = "", error: str = "", editing: int | None = None) -> str:
    """The whole page of a conversation; what someone typed and why it was refused are kept."""
    context = chat_views.view_conversation(conversation, before=int_argument("before"), answer=int_argument("answer"))
    editing = editing or int_argument("edit")
    edited = next((v.turn for v in context["turns"] if v.turn.id == editing and v.turn.role == "user"), None)
    return render_template(
        "chat/show.html",
        **context,
        **list_context(conversation.id),
        editing=edited,
        draft=draft or (edited.content if edited else request.args.get("say", "")[:8000]),
        error=error,
        is_renaming="rename" in request.args,
    )


@bp.get("/conversations/<int:conversation_id>/turns")
@require_permission("insights.read")
def turns_part(conversation_id: int) -> str:
    """The parts of the page that change while people talk."""
    conversation = conversations.get_own(conversation_id, current_user().id)
    return refreshed(conversation)


def refreshed(conversation: Conversation) -> str:
    return render_template("chat/_refresh.html", **chat_views.view_conversation(conversation))


@bp.get("/conversations/<int:conversation_id>/earlier")
@require_permission("insights.read")
def earlier_part(conversation_id: int) -> str:
    """Messages before a position, to stand above those already shown."""
    conversation = conversations.get_own(conversation_id, current_user().id)
    context = chat_views.view_conversation(conversation, before=int_argument("before"))
    return render_template("chat/_earlier.html", **context)


@bp.get("/conversations/turns/<int:turn_id>")
@require_permission("insights.read")
def snapshot(turn_id: int) -> Response:
    """The text of an answer as it is now, for a page that missed a piece of it."""
    turn, conversation = conversations.get_own_turn(turn_id, current_user().id)
    view = chat_views.view_turn(turn)
    return jsonify(
        turn_id=turn.id,
        conversation_id=conversation.id,
        state=turn.state,
        is_live=turn.state in LIVE,
        run=view.partial.run,
        text=view.partial.text if view.is_live else turn.content,
    )


@bp.get("/conversations/turns/<int:turn_id>/evidence")
@require_permission("insights.read")
def evidence_part(turn_id: int) -> str:
    """The facts one answer rests on."""
    turn, conversation = conversations.get_own_turn(turn_id, current_user().id)
    place = get_place(conversation.persona_id)
    return render_template(
        "chat/_evidence.html",
        evidence=turn,
        place=place,
        persona=place.persona,
        first_name=chat_views.first_name(place),
    )


@bp.get("/conversations/turns/<int:turn_id>/versions")
@require_permission("insights.read")
def versions_part(turn_id: int) -> str:
    """The answers that stood here before."""
    turn, _ = conversations.get_own_turn(turn_id, current_user().id)
    if turn.role != "persona":
        abort(404)
    views = [chat_views.view_turn(version) for version in chat_lists.list_versions(turn)]
    return render_template("chat/_versions.html", views=views, turn=turn)


@bp.get("/conversations/<int:conversation_id>/export")
@require_permission("insights.read")
def export(conversation_id: int) -> Response:
    """The conversation as a Markdown file."""
    conversation = conversations.get_own(conversation_id, current_user().id)
    place = get_place(conversation.persona_id)
    text = chat_export.to_markdown(conversation, place, chat_lists.list_messages(conversation.id))
    with unit_of_work():
        audit.record("conversation.exported", conversation, after={"format": "md"}, label=f"no. {conversation.id}")
    response = make_response(text)
    response.mimetype = "text/markdown"
    response.headers["Content-Disposition"] = f'attachment; filename="{chat_export.file_name(conversation, place)}"'
    return response


def init_app(app: Flask) -> None:
    from app.insights.pages import chat_actions  # noqa: F401 - adds its routes to the blueprint

    app.register_blueprint(bp)
