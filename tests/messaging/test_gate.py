"""The last gate: one pace for all who send, nobody who said STOP, nothing without the store."""

from __future__ import annotations

import threading
import time

import pytest
import redis
from redis.exceptions import RedisError

from app.core.redis import get_redis
from app.core.tenancy import tenant_scope
from app.messaging.services import gate
from app.messaging.services.gate import Pace

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

    monkeypatch.setattr(gate, "get_redis", connect)
    monkeypatch.setattr(gate, "_script", lambda: connect().register_script(gate._TAKE))


def take_for(tenant_id: int, paces: list[Pace], seconds: float, taken: list[float], key: str) -> None:
    """Take as fast as the gate lets, and keep when."""
    until, number = time.monotonic() + seconds, 0
    with tenant_scope(tenant_id):
        while (now := time.monotonic()) < until:
            number += 1
            decision = gate.take(paces, "sms", [f"{key}{number}-{n}" for n in range(4)])
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
    assert gate.take(pace, "sms", ["a"]).goes == [True]
    time.sleep(0.6)
    decision = gate.take(pace, "sms", [f"b{n}" for n in range(50)])
    assert decision.goes == [True] * len(decision.goes)
    assert 5 <= len(decision.goes) <= 6  # a tenth of a second's worth, and the one whose turn it is
    assert 0 < decision.wait_seconds <= 1 / 50


def test_what_has_no_pace_goes_at_once(tenant):
    assert gate.take([Pace("campaign:3", 0), Pace("sender:sms:3", 0)], "sms", list("abcdef")).goes == [True] * 6


def test_a_provider_that_asked_for_a_rest_gets_it_whatever_the_pace(tenant):
    for number, per_second in enumerate((0, 1000)):
        pace = Pace(f"sender:sms:rest{number}", per_second)
        gate.hold_back(pace, 0.4)
        decision = gate.take([pace], "sms", ["a"])
        assert decision.goes == []
        assert 0.2 < decision.wait_seconds <= 0.4
        time.sleep(decision.wait_seconds + 0.02)
        assert gate.take([pace], "sms", ["a"]).goes == [True]


def test_who_said_stop_does_not_go_takes_nobodys_turn_and_goes_again_after_start(tenant):
    pace = [Pace("campaign:4", 10)]
    assert gate.stop("sms", NUMBER)
    decision = gate.take(pace, "sms", [NUMBER, "other", "third"])
    assert decision.goes == [False, True, True][: len(decision.goes)]
    assert decision.goes[:2] == [False, True]
    assert gate.take([], "whatsapp", [NUMBER]).goes == [True]  # the other channel is another matter
    gate.reopen("sms", NUMBER)
    assert gate.take([], "sms", [NUMBER]).goes == [True]


def test_another_workspace_is_not_stopped_with_it(tenant, other_member):
    gate.stop("sms", NUMBER)
    with tenant_scope(other_member.tenant_id):
        assert gate.take([], "sms", [NUMBER]).goes == [True]


def test_a_stop_is_answered_when_nothing_is_in_the_air_any_more(tenant):
    assert gate.take([], "sms", [NUMBER, NUMBER]).goes == [True, True]

    def land_later():
        with tenant_scope(tenant):
            for _ in range(2):
                time.sleep(0.2)
                gate.land("sms", [NUMBER])

    thread = threading.Thread(target=land_later)
    began = time.monotonic()
    thread.start()
    assert gate.stop("sms", NUMBER)
    assert time.monotonic() - began >= 0.39
    thread.join()
    assert gate.take([], "sms", [NUMBER]).goes == [False]


def test_a_stop_does_not_wait_for_ever_for_a_sender_that_died(tenant, monkeypatch):
    monkeypatch.setattr(gate, "WAIT_SECONDS", 0.3)
    gate.take([], "sms", [NUMBER])
    assert gate.stop("sms", NUMBER) is False
    assert gate.take([], "sms", [NUMBER]).goes == [False]
    flight = f"msg:flight:{tenant}:sms:{NUMBER}"
    assert 0 < get_redis().pttl(flight) <= gate.FLIGHT_MS


def test_nothing_goes_without_the_store(tenant, store):
    store.stop()
    try:
        with pytest.raises((RedisError, OSError)):
            gate.take([], "sms", [NUMBER])
        assert gate.stop("sms", NUMBER) is False
        gate.land("sms", [NUMBER])  # told to nobody, and no reason to fail
    finally:
        store.start()
    assert gate.take([], "sms", [NUMBER]).goes == [True]
