"""A user's talks with personas: beginning, finding, naming, branching and deleting them."""

from __future__ import annotations

from functools import partial

from sqlalchemy import exists, select

from app.accounts.services import audit
from app.core.clock import utc_now
from app.core.db import after_commit, db, get_required
from app.core.errors import NotFound, ValidationFailed
from app.core.events import emit
from app.core.jobs import request_cancel
from app.core.tenancy import current_tenant_id
from app.insights.events import ConversationChanged
from app.insights.models import AudienceSegment, ChatTurn, Conversation, Persona, Simulation, TurnState

LIVE = (TurnState.WAITING, TurnState.STREAMING)
TITLE_LENGTH = 70
_COPIED = (
    "position", "role", "content", "state", "facts", "provider", "model", "input_tokens", "output_tokens",
    "cost_micros", "latency_ms", "fallbacks", "created_at", "finished_at",
)  # fmt: skip


def get_own(conversation_id: int, user_id: int, *, for_update: bool = False) -> Conversation:
    """The user's conversation; anyone else's is NotFound, whatever their role."""
    conversation = get_required(Conversation, conversation_id, for_update=for_update)
    if conversation.user_id != user_id:
        raise NotFound("Conversation not found.")
    return conversation


def get_own_turn(turn_id: int, user_id: int) -> tuple[ChatTurn, Conversation]:
    """A message of the user's own conversation, with the conversation."""
    turn = get_required(ChatTurn, turn_id, label="Message")
    return turn, get_own(turn.conversation_id, user_id)


def begin(persona_id: int, user_id: int, simulation_id: int | None = None) -> Conversation:
    """A new conversation with a persona; one in which nothing has been said yet is used again."""
    get_required(Persona, persona_id)
    unused = _theirs(persona_id, user_id, simulation_id).where(
        ~exists().where(ChatTurn.conversation_id == Conversation.id), Conversation.title == ""
    )
    conversation = db.session.scalars(unused.limit(1)).one_or_none()
    if conversation is None:
        conversation = Conversation(persona_id=persona_id, user_id=user_id, simulation_id=simulation_id)
        db.session.add(conversation)
    conversation.last_message_at = utc_now()
    db.session.flush()
    return conversation


def find_newest(persona_id: int, user_id: int, simulation_id: int | None) -> Conversation | None:
    """The one the user last spoke in with this persona, within the simulation or outside any."""
    newest = _theirs(persona_id, user_id, simulation_id).order_by(
        Conversation.last_message_at.desc(), Conversation.id.desc()
    )
    return db.session.scalars(newest.limit(1)).one_or_none()


def _theirs(persona_id: int, user_id: int, simulation_id: int | None):  # type: ignore[no-untyped-def]
    return select(Conversation).where(
        Conversation.persona_id == persona_id,
        Conversation.user_id == user_id,
        Conversation.simulation_id == simulation_id,
    )


def get_simulation_persona(simulation_id: int, persona_id: int) -> tuple[Simulation, Persona]:
    """Both, when the persona belongs to the audience the simulation is about; else NotFound."""
    simulation = get_required(Simulation, simulation_id)
    persona = get_required(Persona, persona_id)
    segment = get_required(AudienceSegment, persona.segment_id)
    if segment.audience_id != simulation.audience_id:
        raise NotFound("Persona not found in this simulation.")
    return simulation, persona


def rename(conversation_id: int, user_id: int, title: str) -> Conversation:
    """Give it a name that stays; refused when empty."""
    title = " ".join(title.split())
    if not 1 <= len(title) <= 200:
        raise ValidationFailed("A name has from 1 to 200 characters.", field="title")
    conversation = get_own(conversation_id, user_id, for_update=True)
    conversation.title, conversation.is_renamed = title, True
    emit(ConversationChanged(current_tenant_id(), conversation.id, user_id))
    return conversation


def title_from(message: str) -> str:
    """The first words of a message, cut between words."""
    line = " ".join(message.split())
    if len(line) <= TITLE_LENGTH:
        return line
    return line[: TITLE_LENGTH - 1].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"


def delete_conversation(conversation_id: int, user_id: int) -> None:
    """Remove it with all its messages; an answer under way is told to stop."""
    conversation = get_own(conversation_id, user_id, for_update=True)
    live = select(ChatTurn.job_id).where(ChatTurn.conversation_id == conversation.id, ChatTurn.state.in_(LIVE))
    for job_id in [job_id for job_id in db.session.scalars(live) if job_id]:
        after_commit(partial(request_cancel, job_id))
    audit.record("conversation.deleted", conversation, label=f"no. {conversation.id}")  # its title is its owner's
    db.session.delete(conversation)


def delete_all(user_id: int) -> None:
    """Remove every conversation the user has in the acting tenant."""
    own = select(Conversation.id).where(Conversation.user_id == user_id)
    for conversation_id in db.session.scalars(own).all():
        delete_conversation(conversation_id, user_id)


def branch(turn_id: int, user_id: int) -> Conversation:
    """A new conversation that shares everything up to this message and goes its own way from there."""
    turn, source = get_own_turn(turn_id, user_id)
    copy = Conversation(
        persona_id=source.persona_id, user_id=user_id, simulation_id=source.simulation_id, parent_id=source.id,
        title=source.title, is_renamed=source.is_renamed, last_message_at=utc_now(),
    )  # fmt: skip
    db.session.add(copy)
    db.session.flush()
    for row in db.session.scalars(_up_to(turn)):
        values = {name: getattr(row, name) for name in _COPIED}
        db.session.add(ChatTurn(conversation_id=copy.id, **values))
    return copy


def _up_to(turn: ChatTurn):  # type: ignore[no-untyped-def]
    """What led to this message: earlier current turns, and the message itself even if it was replaced since."""
    before = (ChatTurn.position < turn.position) & ChatTurn.is_current
    return (
        select(ChatTurn)
        .where(ChatTurn.conversation_id == turn.conversation_id, before | (ChatTurn.id == turn.id))
        .where(ChatTurn.state.not_in(LIVE))
        .order_by(ChatTurn.position)
    )
