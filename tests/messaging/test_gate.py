"""The last gate: one pace for all who send, nobody who said STOP, nothing without the store."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
import redis
from redis.exceptions import RedisError

from app.core.clock import utc_now
from app.core.redis import get_redis
from app.core.tenancy import current_tenant_id, tenant_scope
from app.messaging.services import gate, gate_scripts
from app.messaging.services.gate import Pace, Place

NUMBER = "+4915112345678"


@pytest.fixture
def tenant(app_context, member):
    with tenant_scope(member.tenant_id):
        yield member.tenant_id


@pytest.fixture
def own_connections(monkeypatch, store):
    """Each thread speaks to the store over a connection of its own, as processes do."""
    own = threading.local()

    def connect():
        if not hasattr(own, "client"):
            own.client = redis.Redis.from_url(store.url)
        return own.client

    monkeypatch.setattr(gate_scripts, "client", connect)
    monkeypatch.setattr(gate_scripts, "_script", lambda name: connect().register_script(gate_scripts._TEXTS[name]))


def take(paces: list[Pace], channel: str, numbers: list[str], since: str | None = None) -> gate.Decision:
    """Ask the gate for messages whose consent was read just now, unless it was `since`."""
    return gate.take(paces, channel, numbers, since or gate.epoch())


def stop(number: str = NUMBER, *, waits: float = gate.WAIT_SECONDS) -> gate.Closing:
    return gate.close([Place(current_tenant_id(), number)], "sms", utc_now(), time.monotonic() + waits)


def start(number: str = NUMBER) -> None:
    gate.reopen([Place(current_tenant_id(), number)], "sms", utc_now())


def take_for(tenant_id: int, paces: list[Pace], seconds: float, taken: list[float], key: str) -> None:
    """Take as fast as the gate lets, and keep when."""
    until, number = time.monotonic() + seconds, 0
    with tenant_scope(tenant_id):
        since = gate.epoch()
        while (now := time.monotonic()) < until:
            number += 1
            decision = gate.take(paces, "sms", [f"{key}{number}-{n}" for n in range(4)], since)
            taken += [now] * sum(decision.goes)
            time.sleep(min(0.02, decision.wait_seconds))


def test_clients_at_the_same_time_keep_one_pace_together(tenant, own_connections):
    paces = [Pace("campaign:1", 400), Pace("sender:sms:1", 100)]
    taken: list[float] = []
    threads = [threading.Thread(target=take_for, args=(tenant, paces, 2.0, taken, f"c{n}-")) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    allowed = 100 * (2.0 + gate.LATE_US / 1_000_000)
    assert allowed * 0.75 < len(taken) <= allowed + 5
    taken.sort()
    for start in taken:  # evenly: no second holds more than a second's worth and what a late waker may catch up
        assert sum(start <= one < start + 1 for one in taken) <= 100 * 1.1 + 5


def test_who_woke_late_catches_up_a_tenth_of_a_second_at_most(tenant):
    pace = [Pace("campaign:2", 50)]
    assert take(pace, "sms", ["a"]).goes == [True]
    time.sleep(0.6)
    decision = take(pace, "sms", [f"b{n}" for n in range(50)])
    assert decision.goes == [True] * len(decision.goes)
    assert 5 <= len(decision.goes) <= 6  # a tenth of a second's worth, and the one whose turn it is
    assert 0 < decision.wait_seconds <= 1 / 50


def test_what_has_no_pace_goes_at_once(tenant):
    assert take([Pace("campaign:3", 0), Pace("sender:sms:3", 0)], "sms", list("abcdef")).goes == [True] * 6


def test_a_provider_that_asked_for_a_rest_gets_it_whatever_the_pace(tenant):
    for number, per_second in enumerate((0, 1000)):
        pace = Pace(f"sender:sms:rest{number}", per_second)
        gate.hold_back(pace, 0.4)
        decision = take([pace], "sms", ["a"])
        assert decision.goes == []
        assert 0.2 < decision.wait_seconds <= 0.4
        time.sleep(decision.wait_seconds + 0.02)
        assert take([pace], "sms", ["a"]).goes == [True]


def test_a_long_rest_is_not_cut_short_by_a_shorter_one_asked_for_later(tenant):
    pace = Pace("sender:sms:long", 0)
    gate.hold_back(pace, 60)
    gate.hold_back(pace, 0.1)
    assert take([pace], "sms", ["a"]).wait_seconds > 50


def test_who_said_stop_does_not_go_takes_nobodys_turn_and_goes_again_after_start(tenant):
    pace = [Pace("campaign:4", 10)]
    assert stop().is_quiet
    decision = take(pace, "sms", [NUMBER, "other", "third"])
    assert decision.goes == [False, True, True][: len(decision.goes)]
    assert decision.goes[:2] == [False, True]
    assert take([], "whatsapp", [NUMBER]).goes == [True]  # the other channel is another matter
    start()
    assert take([], "sms", [NUMBER]).goes == [True]


def test_another_workspace_is_not_stopped_with_it(tenant, other_member):
    stop()
    with tenant_scope(other_member.tenant_id):
        assert take([], "sms", [NUMBER]).goes == [True]


def test_a_stop_is_answered_when_nothing_is_in_the_air_any_more(tenant):
    assert take([], "sms", [NUMBER, NUMBER]).goes == [True, True]

    def land_later():
        with tenant_scope(tenant):
            for _ in range(2):
                time.sleep(0.2)
                gate.land("sms", [NUMBER])

    thread = threading.Thread(target=land_later)
    began = time.monotonic()
    thread.start()
    assert stop().is_quiet
    assert time.monotonic() - began >= 0.39
    thread.join()
    assert take([], "sms", [NUMBER]).goes == [False]


def test_a_stop_does_not_wait_for_ever_for_a_sender_that_died(tenant):
    take([], "sms", [NUMBER])
    assert not stop(waits=0.3).is_quiet
    assert take([], "sms", [NUMBER]).goes == [False]
    flight = f"msg:flight:{tenant}:sms:{NUMBER}"
    assert 0 < get_redis().pttl(flight) <= gate.FLIGHT_MS


def test_nothing_goes_without_the_store(tenant, store):
    store.stop()
    try:
        with pytest.raises((RedisError, OSError)):
            take([], "sms", [NUMBER])
        with pytest.raises((RedisError, OSError)):
            stop()
        start()
        gate.land("sms", [NUMBER])  # both told to nobody, and no reason to fail
    finally:
        store.start()
    assert take([], "sms", [NUMBER]).goes == [True]


@pytest.mark.parametrize("loss", ["emptied", "started again"])
def test_what_was_claimed_before_the_store_lost_what_it_knew_does_not_go(tenant, store, loss):
    since = gate.epoch()
    assert take([], "sms", [NUMBER], since).goes == [True]
    if loss == "emptied":
        get_redis().flushall()
    else:
        store.stop()
        store.start()
    decision = take([Pace("campaign:5", 10)], "sms", ["other"], since)
    assert (decision.goes, decision.is_lost) == ([], True)
    assert gate.epoch() != since
    assert take([Pace("campaign:5", 10)], "sms", ["other"]).goes == [True]  # the one refused took nobody's turn


def test_a_store_that_says_nothing_is_given_up_and_no_stop_waits_for_it(tenant, store, monkeypatch):
    monkeypatch.setattr(gate_scripts, "SILENT_SECONDS", 0.3)
    gate_scripts.client.cache_clear()
    gate_scripts._script.cache_clear()
    since = gate.epoch()
    os.kill(store.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for ask in (lambda: take([], "sms", [NUMBER], since), stop, gate.epoch):
            with pytest.raises((RedisError, OSError)):
                ask()
        assert time.monotonic() - began < 3
    finally:
        os.kill(store.process.pid, signal.SIGCONT)
        gate_scripts.client.cache_clear()
        gate_scripts._script.cache_clear()


def test_a_store_that_goes_back_to_what_it_had_saved_is_another_one(tenant, store):
    """A copy that took over, or a server that reads an old file, knows the epoch by name and not the last STOPs."""
    since = gate.epoch()
    kept = get_redis().get(gate_scripts.EPOCH)
    store.stop()
    store.start()
    get_redis().set(gate_scripts.EPOCH, kept)
    assert take([], "sms", [NUMBER], since).is_lost


def test_a_store_remembers_everything_once_no_call_is_older_than_it(tenant, monkeypatch):
    gate.epoch()
    assert not stop().remembers
    monkeypatch.setattr(gate, "FLIGHT_MS", 20)
    time.sleep(0.05)
    assert stop().remembers


def test_a_start_that_is_told_late_leaves_a_later_stop_alone(tenant):
    began = utc_now()
    stop()
    gate.reopen([Place(tenant, NUMBER)], "sms", began)
    assert take([], "sms", [NUMBER]).goes == [False]


def test_gates_of_several_workspaces_close_at_once(tenant, other_member):
    places = [Place(one, NUMBER) for one in (tenant, other_member.tenant_id)]
    for one in places:
        with tenant_scope(one.tenant_id):
            assert take([], "sms", [NUMBER]).goes == [True]
    began = time.monotonic()
    assert not gate.close(places, "sms", utc_now(), began + 0.5).is_quiet
    assert time.monotonic() - began < 0.9
    for one in places:
        with tenant_scope(one.tenant_id):
            assert take([], "sms", [NUMBER]).goes == [False]


def test_one_that_lands_never_hides_another_that_just_left(tenant, own_connections):
    """Two workers may write to one number at once: whoever answers a STOP waits for both."""
    since, flight, is_over = gate.epoch(), f"msg:flight:{tenant}:sms:{NUMBER}", threading.Event()

    def come_and_go():
        with tenant_scope(tenant):
            while not is_over.is_set():
                gate.take([], "sms", [NUMBER], since)
                gate.land("sms", [NUMBER])

    other = threading.Thread(target=come_and_go)
    other.start()
    try:
        for _ in range(1500):
            gate.take([], "sms", [NUMBER], since)
            assert int(get_redis().get(flight) or 0) >= 1
            gate.land("sms", [NUMBER])
    finally:
        is_over.set()
        other.join()
