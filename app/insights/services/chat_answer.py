"""Writing a persona's answer: claimed by one worker, streamed to open pages, kept whatever happens in between."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import select

from app.ai.services.answers import Answer, Restart
from app.ai.services.requests import AIRequest, Delta
from app.core.clock import utc_now
from app.core.db import db, find_row, unit_of_work
from app.core.errors import ProviderFailed
from app.core.jobs import BackgroundJob, JobState, cancel_requested, current_job
from app.insights.models import ChatTurn, Conversation, TurnState
from app.insights.services import chat_live
from app.insights.services.chat import announce_end
from app.insights.services.chat_live import LiveAnswer
from app.insights.services.chat_question import compose
from app.insights.services.chat_text import cited
from app.insights.services.conversations import LIVE

TICK_SECONDS = 0.04  # how long pieces are gathered before they are sent
SAVE_SECONDS = 1.0
CANCEL_SECONDS = 0.08

Piece = Delta | Restart | Answer | None
"""What the source gives: a part of the stream, or None when a tick passed without one."""


@dataclass(frozen=True)
class Question:
    """Everything an answer needs, as plain values."""

    turn_id: int
    conversation_id: int
    user_id: int
    request: AIRequest
    prompt_name: str
    prompt_version: str
    facts: list[Mapping[str, Any]] = field(default_factory=list)


def claim(turn_id: int) -> Question | None:
    """Take the turn for the running job; None when there is nothing (or nothing any more) to answer."""
    turn = _own_turn(turn_id)
    if turn is None:
        return None
    conversation = find_row(Conversation, turn.conversation_id)
    if conversation is None:
        return None
    turn.state, turn.content, turn.error = TurnState.STREAMING, "", None
    request, prompt_name, prompt_version = compose(conversation, turn)
    return Question(
        turn_id=turn.id,
        conversation_id=conversation.id,
        user_id=conversation.user_id,
        request=request,
        prompt_name=prompt_name,
        prompt_version=prompt_version,
        facts=list(request.facts["facts"]),
    )


def give(question: Question, pieces: Iterator[Piece]) -> None:
    """Pass the answer on piece by piece and keep it. Raises LeaseLost when another worker has taken over."""
    job = current_job()
    live = LiveAnswer(
        turn_id=question.turn_id,
        conversation_id=question.conversation_id,
        user_id=question.user_id,
        owner=job.lease if job else "",
    )
    live.begin()
    try:
        answer = _pass_on(question, pieces, live)
    except ProviderFailed as error:
        fail(question.turn_id, error.message)
        return
    if answer is not None:
        _finish(question, answer)


def _pass_on(question: Question, pieces: Iterator[Piece], live: LiveAnswer) -> Answer | None:
    """Send pieces as they come; None when somebody ended it before its end."""
    flushed = checked = saved = time.monotonic()
    for piece in pieces:
        if isinstance(piece, Answer):
            if live.is_waiting:
                live.flush()
            return piece
        if isinstance(piece, Restart):
            live.begin(piece.reason)
        elif isinstance(piece, Delta):
            live.add(piece.text)
        now = time.monotonic()
        if live.is_waiting and (not live.has_shown or now - flushed >= TICK_SECONDS):
            live.flush()
            flushed = now
        if now - checked >= CANCEL_SECONDS:
            checked = now
            if _is_cancelled():
                _save_stopped(question, live.text)
                return None
        if now - saved >= SAVE_SECONDS:
            saved = now
            if not _save_partial(question, live.text):
                return None
    return None


def _is_cancelled() -> bool:
    try:
        return cancel_requested()
    except RedisError:  # the save in the database notices a turn that is over
        return False


def _own_turn(turn_id: int, states: tuple[TurnState, ...] = LIVE) -> ChatTurn | None:
    """The turn, if it is in one of these states and the running job still holds it."""
    job = current_job()
    statement = select(ChatTurn).where(ChatTurn.id == turn_id, ChatTurn.state.in_(states))
    if job is not None:
        held = select(BackgroundJob.id).where(
            BackgroundJob.id == job.id, BackgroundJob.lease == job.lease, BackgroundJob.state == JobState.RUNNING
        )
        statement = statement.where(ChatTurn.job_id == job.id, held.exists())
    return db.session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()


def _save_partial(question: Question, text: str) -> bool:
    """Keep what has come, in case Redis does not; false when the turn is over, gone or another worker's."""
    with unit_of_work():
        turn = _own_turn(question.turn_id)
        if turn is not None:
            turn.content = text
        return turn is not None


def _save_stopped(question: Question, text: str) -> None:
    """Keep what came up to the stop; the page that asked for it may have saved a little less."""
    with unit_of_work():
        turn = _own_turn(question.turn_id, (*LIVE, TurnState.STOPPED))
        if turn is None:
            return
        is_news = turn.state != TurnState.STOPPED or len(text) > len(turn.content)
        turn.content = max(text, turn.content, key=len)
        turn.facts = cited(turn.content, question.facts)
        turn.state, turn.finished_at = TurnState.STOPPED, utc_now()
        if is_news:
            _announce(turn)
    chat_live.forget(question.turn_id)


def _finish(question: Question, answer: Answer) -> None:
    with unit_of_work():
        turn = _own_turn(question.turn_id)
        if turn is None:
            return
        turn.content, turn.state, turn.finished_at = answer.text, TurnState.DONE, utc_now()
        turn.facts = cited(answer.text, question.facts)
        turn.provider, turn.model = answer.provider, answer.model[:100]
        turn.input_tokens, turn.output_tokens = answer.usage.input_tokens, answer.usage.output_tokens
        turn.cost_micros, turn.latency_ms = answer.usage.cost_micros, answer.latency_ms
        turn.fallbacks = list(answer.fallbacks)
        _announce(turn)
    chat_live.forget(question.turn_id)


def fail(turn_id: int, error: str) -> None:
    """Mark an unfinished turn as failed, saying why; nothing else of the conversation is touched."""
    with unit_of_work():
        turn = find_row(ChatTurn, turn_id, for_update=True)
        if turn is None or turn.state not in LIVE:
            return
        turn.state, turn.error, turn.finished_at = TurnState.FAILED, error, utc_now()
        turn.content = ""
        _announce(turn)
    chat_live.forget(turn_id)


def _announce(turn: ChatTurn) -> None:
    conversation = find_row(Conversation, turn.conversation_id)
    if conversation is not None:
        announce_end(turn, conversation)
