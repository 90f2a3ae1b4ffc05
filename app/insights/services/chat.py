"""Speaking with a persona: asking, asking again, correcting what was said, stopping an answer."""

from __future__ import annotations

from sqlalchemy import func, select, update

from app.core.clock import utc_now
from app.core.db import after_commit, db
from app.core.errors import Conflict
from app.core.events import emit
from app.core.jobs import enqueue, request_cancel
from app.core.tenancy import current_tenant_id
from app.insights.events import ConversationChanged
from app.insights.models import ChatTurn, Conversation, TurnState
from app.insights.services import chat_live
from app.insights.services.conversations import LIVE, get_own, get_own_turn, title_from


def ask(conversation_id: int, user_id: int, message: str, *, nonce: str | None = None) -> ChatTurn:
    """Say something; returns the persona's turn, which a worker will fill.

    The same `nonce` again returns the turn it made the first time. Refused while an answer is under way.
    """
    conversation = get_own(conversation_id, user_id, for_update=True)
    repeated = _answer_to(conversation.id, nonce)
    if repeated is not None:
        return repeated
    _refuse_while_answering(conversation)
    return _say(conversation, _next_position(conversation.id), message, nonce)


def edit(turn_id: int, user_id: int, message: str, *, nonce: str | None = None) -> ChatTurn:
    """Say something else in the place of an earlier message. It and all that followed is kept, but set aside."""
    turn, conversation = get_own_turn(turn_id, user_id)
    get_own(conversation.id, user_id, for_update=True)
    repeated = _answer_to(conversation.id, nonce)
    if repeated is not None:
        return repeated
    _refuse_unless(turn, "user")
    _refuse_while_answering(conversation)
    _set_aside(conversation.id, turn.position)
    return _say(conversation, turn.position, message, nonce)


def regenerate(turn_id: int, user_id: int) -> ChatTurn:
    """Ask for another answer in the place of this one; it and all that followed is kept, but set aside."""
    turn, conversation = get_own_turn(turn_id, user_id)
    get_own(conversation.id, user_id, for_update=True)
    _refuse_unless(turn, "persona")
    _refuse_while_answering(conversation)
    _set_aside(conversation.id, turn.position)
    return _await_answer(conversation, turn.position)


def stop(turn_id: int, user_id: int) -> ChatTurn:
    """End an answer with what has come so far. One that is over already is left as it is."""
    turn, conversation = get_own_turn(turn_id, user_id)
    get_own(conversation.id, user_id, for_update=True)
    db.session.refresh(turn, with_for_update=True)  # the worker may be keeping the whole answer at this moment
    if turn.state not in LIVE:
        return turn
    turn.content = chat_live.read(turn.id).text or turn.content
    turn.state, turn.finished_at = TurnState.STOPPED, utc_now()
    job_id = turn.job_id
    if job_id:
        after_commit(lambda: request_cancel(job_id))
    announce_end(turn, conversation)
    return turn


def announce_end(turn: ChatTurn, conversation: Conversation) -> None:
    """Tell the user's pages, after the commit, that a turn has its final text."""
    data = {"turn_id": turn.id, "conversation_id": conversation.id, "state": str(turn.state)}
    user_id, tenant_id = conversation.user_id, current_tenant_id()
    after_commit(lambda: chat_live.announce(user_id, "chat_done", data, tenant_id=tenant_id))
    emit(ConversationChanged(tenant_id, conversation.id, user_id))


def _say(conversation: Conversation, position: int, message: str, nonce: str | None) -> ChatTurn:
    if not conversation.title:
        conversation.title = title_from(message)
    said = ChatTurn(
        conversation_id=conversation.id, position=position, role="user", content=message, nonce=nonce or None,
        finished_at=utc_now(),
    )  # fmt: skip
    db.session.add(said)
    return _await_answer(conversation, position + 1)


def _await_answer(conversation: Conversation, position: int) -> ChatTurn:
    turn = ChatTurn(conversation_id=conversation.id, position=position, role="persona", state=TurnState.WAITING)
    db.session.add(turn)
    db.session.flush()
    turn.job_id = enqueue("insights.answer_turn", turn_id=turn.id).id
    conversation.last_message_at = utc_now()
    emit(ConversationChanged(current_tenant_id(), conversation.id, conversation.user_id))
    return turn


def _answer_to(conversation_id: int, nonce: str | None) -> ChatTurn | None:
    """The answer to the message that bore this nonce; a later answer in its place counts too."""
    if not nonce:
        return None
    asked = select(ChatTurn.position).where(ChatTurn.conversation_id == conversation_id, ChatTurn.nonce == nonce)
    position = db.session.scalars(asked).one_or_none()
    if position is None:
        return None
    answers = select(ChatTurn).where(ChatTurn.conversation_id == conversation_id, ChatTurn.position == position + 1)
    return db.session.scalars(answers.order_by(ChatTurn.id.desc()).limit(1)).one_or_none()


def _refuse_while_answering(conversation: Conversation) -> None:
    live = select(ChatTurn.id).where(ChatTurn.conversation_id == conversation.id, ChatTurn.state.in_(LIVE))
    if db.session.scalars(live.limit(1)).one_or_none() is not None:
        raise Conflict("An answer is on its way. Wait for it or stop it, then send.", code="answer_in_progress")


def _refuse_unless(turn: ChatTurn, role: str) -> None:
    db.session.refresh(turn)
    if turn.role != role:
        raise Conflict(
            "Only your own messages can be edited." if role == "user" else "Only an answer can be given again."
        )
    if not turn.is_current:
        raise Conflict("This message has been replaced since. Reload the page to see what came in its place.")


def _set_aside(conversation_id: int, position: int) -> None:
    statement = (
        update(ChatTurn)
        .where(ChatTurn.conversation_id == conversation_id, ChatTurn.position >= position, ChatTurn.is_current)
        .values(is_current=False)
    )
    db.session.execute(statement)


def _next_position(conversation_id: int) -> int:
    last = select(func.max(ChatTurn.position)).where(ChatTurn.conversation_id == conversation_id, ChatTurn.is_current)
    return (db.session.scalar(last) or 0) + 1
