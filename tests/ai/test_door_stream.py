"""A streamed answer arrives whole, begins anew when it broke, and stops when nobody reads it."""

from __future__ import annotations

import pytest

from app.ai.providers.base import Delta
from app.ai.queries import list_calls
from app.ai.services.answers import Answer, Restart
from app.ai.services.completion import stream_text


def text_shown(parts: list[object]) -> str:
    """What a reader sees who throws away what a Restart voids."""
    shown = ""
    for part in parts:
        if isinstance(part, Restart):
            shown = ""
        elif isinstance(part, Delta):
            shown += part.text
    return shown


def test_the_pieces_make_up_the_answer(providers, ask, ledger):
    providers("anthropic")
    parts = list(stream_text(ask()))
    assert isinstance(parts[-1], Answer)
    assert text_shown(parts) == parts[-1].text
    assert len(parts) > 3
    row = list_calls()[0]
    assert ledger() == [("anthropic", "ok", "")]
    assert row.first_token_ms is not None
    assert row.first_token_ms <= row.latency_ms


def test_the_built_in_analyst_streams_too(tenant, ask):
    parts = list(stream_text(ask()))
    assert text_shown(parts) == parts[-1].text
    assert parts[-1].provider == "builtin"


@pytest.mark.parametrize("action", ["stream_cut", "error_after_200"])
def test_a_stream_that_breaks_begins_anew(providers, sandbox, ask, ledger, action):
    providers("anthropic")
    sandbox.control.fault("anthropic", action, times=1, after=2)
    parts = list(stream_text(ask()))
    assert sum(isinstance(part, Restart) for part in parts) == 1
    assert text_shown(parts) == parts[-1].text
    assert [outcome for _, outcome, _ in ledger()] == ["failed", "ok"]


def test_a_stream_that_keeps_breaking_goes_to_the_next_provider(providers, sandbox, ask):
    providers("anthropic", "openai", retries=1)
    sandbox.control.fault("anthropic", "stream_cut", after=2)
    parts = list(stream_text(ask()))
    assert sum(isinstance(part, Restart) for part in parts) == 2
    assert parts[-1].provider == "openai"
    assert parts[-1].fallbacks == ("Anthropic broke off in the middle.",)
    assert text_shown(parts) == parts[-1].text


def test_a_stream_that_stalls_begins_anew_elsewhere(providers, sandbox, ask, ledger):
    providers("anthropic", "openai")
    sandbox.control.fault("anthropic", "stall", seconds=6, after=2)
    parts = list(stream_text(ask(timeout_seconds=1)))
    assert parts[-1].provider == "openai"
    assert text_shown(parts) == parts[-1].text
    assert ledger()[0][1] == "fell_back"


def test_nothing_to_void_means_no_restart(providers, sandbox, ask):
    providers("anthropic", "openai")
    sandbox.control.fault("anthropic", "status_401")
    parts = list(stream_text(ask()))
    assert not any(isinstance(part, Restart) for part in parts)
    assert parts[-1].provider == "openai"


def test_a_reader_who_leaves_stops_the_stream_and_is_written_down(providers, sandbox, ask, ledger):
    providers("anthropic")
    sandbox.control.settings(token_delay_ms=20)
    stream = stream_text(ask())
    assert isinstance(next(stream), Delta)
    stream.close()
    assert ledger() == [("anthropic", "stopped", "")]
    assert list_calls()[0].cost_micros is None
    sandbox.control.settings(token_delay_ms=0)


def test_a_stream_holds_no_database_connection(providers, ask):
    from app.core.db import db

    providers("anthropic")
    stream = stream_text(ask())
    next(stream)
    assert db.engine.pool.checkedout() == 0
    stream.close()
