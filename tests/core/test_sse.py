"""Live updates reach whoever may hear them, whole, and say so when something may have been missed."""

from __future__ import annotations

import time

import pytest

from app.core import sse
from app.core.redis import get_redis
from app.core.sse import publish
from app.core.sse_hub import QUEUE_LENGTH, get_hub


@pytest.fixture
def both(member):
    return f"channel=audience&channel=user.{member.id}"


def test_a_stream_begins_at_once_and_beats_when_nothing_happens(open_stream):
    stream = open_stream()
    assert stream.answer.mimetype == "text/event-stream"
    assert stream.answer.headers["X-Accel-Buffering"] == "no"
    assert "no-cache" in stream.answer.headers["Cache-Control"]
    assert stream.hello.comments == ["hello"]
    assert next(stream.frames()).comments == ["heartbeat"]


def test_what_is_published_right_after_the_hello_is_heard(open_stream, member):
    stream = open_stream()
    publish(
        "audience",
        "audience_processing_started",
        {"audience_id": 1, "audience_name": "Süß"},
        tenant_id=member.tenant_id,
    )
    heard = stream.next()
    assert heard.event == "audience_processing_started"
    assert heard.data == '{"audience_id":1,"audience_name":"S\\u00fc\\u00df"}'
    assert heard.id


def test_two_tabs_hear_the_same(open_stream, member):
    tabs = [open_stream(), open_stream()]
    publish("audience", "ping", {"n": 1}, tenant_id=member.tenant_id)
    assert [tab.next().data for tab in tabs] == ['{"n":1}'] * 2


def test_another_tenant_hears_nothing(open_stream, client_for, member, other_member):
    ours, theirs = open_stream(), open_stream(of=client_for(other_member))
    publish("audience", "secret", {}, tenant_id=member.tenant_id)
    assert ours.next().event == "secret"
    assert theirs.silence()


def test_a_colleague_does_not_hear_what_is_for_one_user(open_stream, client_for, make_member, member):
    colleague = make_member("analyst", member.tenant_id)
    theirs = open_stream(f"channel=audience&channel=user.{colleague.id}", of=client_for(colleague))
    publish(f"user.{member.id}", "private", {}, tenant_id=member.tenant_id)
    assert theirs.silence()


def test_what_was_missed_is_said_again_in_order_and_once(open_stream, member):
    stream = open_stream()
    publish("audience", "one", {}, tenant_id=member.tenant_id)
    last = stream.next().id
    stream.close()
    for name in ("two", "three"):
        publish("audience", name, {}, tenant_id=member.tenant_id)
    again = open_stream(**{"Last-Event-ID": last})
    assert [again.next().event for _ in range(2)] == ["two", "three"]
    publish("audience", "four", {}, tenant_id=member.tenant_id)
    assert again.next().event == "four"
    assert again.silence()


def test_the_last_id_may_also_stand_in_the_address(open_stream, member):
    stream = open_stream()
    publish("audience", "one", {}, tenant_id=member.tenant_id)
    last = stream.next().id
    publish("audience", "two", {}, tenant_id=member.tenant_id)
    assert open_stream(f"channel=audience&last_event_id={last}").next().event == "two"


def test_each_channel_of_a_stream_is_replayed_from_where_it_was(open_stream, member, both):
    mine = f"user.{member.id}"
    publish(mine, "before", {}, tenant_id=member.tenant_id)
    publish("audience", "before", {}, tenant_id=member.tenant_id)
    stream = open_stream(both)
    publish("audience", "heard", {}, tenant_id=member.tenant_id)
    last = stream.next().id
    assert mine in last
    stream.close()
    publish("audience", "missed", {"n": 1}, tenant_id=member.tenant_id)
    publish(mine, "missed", {"n": 2}, tenant_id=member.tenant_id)
    again = open_stream(both, **{"Last-Event-ID": last})
    assert sorted(again.next().data for _ in range(2)) == ['{"n":1}', '{"n":2}']
    assert again.silence()


def test_a_stream_that_heard_nothing_misses_nothing_either(open_stream, member):
    publish("audience", "before", {}, tenant_id=member.tenant_id)
    stream = open_stream()
    stream.close()
    publish("audience", "missed", {}, tenant_id=member.tenant_id)
    assert open_stream(**{"Last-Event-ID": stream.hello.id}).next().event == "missed"


def test_a_stream_opened_without_an_id_is_not_told_the_past(open_stream, member):
    publish("audience", "old", {}, tenant_id=member.tenant_id)
    assert open_stream().silence()


def test_when_the_history_is_gone_the_page_is_told_to_ask_for_its_state(open_stream, member, monkeypatch):
    stream = open_stream()
    publish("audience", "one", {}, tenant_id=member.tenant_id)
    last = stream.next().id
    get_redis().flushdb()
    assert open_stream(**{"Last-Event-ID": last}).next().event == "resync"
    publish("audience", "two", {}, tenant_id=member.tenant_id)
    get_redis().xtrim(sse.channel_key(member.tenant_id, "audience"), maxlen=0)
    publish("audience", "three", {}, tenant_id=member.tenant_id)
    assert open_stream(**{"Last-Event-ID": last}).next().event == "resync"


@pytest.mark.parametrize("odd", ["", "x", "1-", "-1", "audience=", "٣-0", "1" * 60, "user.1=1-0", "audience=1-0,=,x=y"])
def test_an_odd_last_id_opens_a_stream_all_the_same(open_stream, member, odd):
    stream = open_stream(f"channel=audience&last_event_id={odd}")
    publish("audience", "fresh", {}, tenant_id=member.tenant_id)
    assert stream.next().event == ("resync" if "1-0" in odd and "user" not in odd else "fresh")


def test_an_id_from_the_future_does_not_make_a_stream_deaf(open_stream, member):
    """As after a move to a store whose clock is behind."""
    publish("audience", "old", {}, tenant_id=member.tenant_id)
    stream = open_stream(**{"Last-Event-ID": "9999999999999-0"})
    assert stream.next().event == "resync"
    publish("audience", "fresh", {}, tenant_id=member.tenant_id)
    assert stream.next().event == "fresh"


def test_a_dropped_subscription_is_made_again_and_says_so(open_stream, member):
    stream = open_stream()
    get_redis().execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    assert stream.next().event == "resync"
    publish("audience", "after", {}, tenant_id=member.tenant_id)
    assert stream.next().event == "after"


def test_a_store_that_comes_back_empty_is_survived(open_stream, member, store):
    stream = open_stream()
    store.stop()
    publish("audience", "lost", {}, tenant_id=member.tenant_id)
    assert stream.silence()
    store.start()
    assert stream.next(10).event == "resync"
    publish("audience", "after", {}, tenant_id=member.tenant_id)
    assert stream.next().event == "after"


def test_a_connection_lost_while_a_stream_subscribes_is_noticed(open_stream, client_for, member, other_member):
    """The reader of the hub is held up, so that the one who subscribes meets the broken connection first."""
    stream, newcomer, hub = open_stream(), client_for(other_member), get_hub()
    with hub._lock:
        publish("audience", "before", {}, tenant_id=member.tenant_id)
        time.sleep(0.1)
        get_redis().execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        key = sse.channel_key(other_member.tenant_id, "audience")
        pieces = [hub.subscribe([key])]
        time.sleep(0.1)
        pieces.append(hub.subscribe([f"{key}.more"]))
    assert stream.next().event == "before"
    assert stream.next().event == "resync"
    for piece in pieces:
        hub.unsubscribe(piece)
    late = open_stream(of=newcomer)
    publish("audience", "ours", {}, tenant_id=member.tenant_id)
    publish("audience", "theirs", {}, tenant_id=other_member.tenant_id)
    assert (stream.next().event, late.next().event) == ("ours", "theirs")


def test_a_tab_that_does_not_keep_up_is_told_to_ask_for_its_state(open_stream, member):
    slow, quick = open_stream(), open_stream()
    hub = get_hub()
    key = sse.channel_key(member.tenant_id, "audience")
    for n in range(QUEUE_LENGTH + 5):
        hub._hand_out(key, f"{10**15 + n}-0\nflood\n{n}")
    assert slow.next().event == "resync"
    assert quick.next().event == "resync"
    publish("audience", "after", {}, tenant_id=member.tenant_id)


def test_a_closed_stream_is_forgotten(open_stream):
    before = get_hub().stream_count
    stream = open_stream()
    assert get_hub().stream_count == before + 1
    stream.close()
    stream.close()
    assert get_hub().stream_count == before


def test_an_open_stream_holds_no_connection_to_the_database(open_stream, app):
    from app.core.db import db

    streams = [open_stream() for _ in range(5)]
    for stream in streams:
        stream.silence()
    with app.app_context():
        assert db.engine.pool.checkedout() == 0


def test_too_many_streams_are_refused_and_a_place_comes_free_again(open_stream, client, settings_override):
    first = open_stream()
    settings_override(sse_max_streams=get_hub().stream_count)
    assert client.get("/stream?channel=audience").status_code == 503
    first.close()
    assert open_stream().hello.comments == ["hello"]


def test_asking_for_the_head_of_a_stream_opens_none(client):
    before = get_hub().stream_count
    answer = client.head("/stream?channel=audience")
    assert answer.status_code == 200
    answer.close()
    assert get_hub().stream_count == before


def test_publishing_with_the_store_away_is_only_noted(app, member, store):
    store.stop()
    try:
        began = time.monotonic()
        publish("audience", "lost", {}, tenant_id=member.tenant_id)
        assert time.monotonic() - began < 2
    finally:
        store.start()
