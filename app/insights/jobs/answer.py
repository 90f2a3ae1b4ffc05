"""Answering in a conversation."""

from __future__ import annotations

from app.ai.services.completion import stream_text
from app.core.db import unit_of_work
from app.core.jobs import Queue, job
from app.insights.jobs.read_ahead import read_ahead
from app.insights.services import chat_answer


def _answer_failed(*, error: str, turn_id: int) -> None:
    chat_answer.fail(turn_id, error)


@job("insights.answer_turn", queue=Queue.AI, max_attempts=3, timeout=300, on_failure=_answer_failed)
def answer_turn(turn_id: int) -> None:
    """Write the persona's answer to what was said last. Run again after a crash, it starts the answer anew."""
    with unit_of_work():
        question = chat_answer.claim(turn_id)
    if question is None:
        return

    def stream():
        return stream_text(question.request, prompt_name=question.prompt_name, prompt_version=question.prompt_version)

    with read_ahead(stream, tick_seconds=chat_answer.TICK_SECONDS) as pieces:
        chat_answer.give(question, pieces)
