import logging
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from app.messaging.providers.base import ErrorClass

REFUSED = [
    ({"to": "+15005550001"}, 21211, ErrorClass.BAD_NUMBER),
    ({"to": "+15005550009"}, 21614, ErrorClass.BAD_NUMBER),
    ({"to": "+15005550002"}, 21612, ErrorClass.CONFIGURATION),
    ({"to": "+15005550003"}, 21408, ErrorClass.CONFIGURATION),
    ({"to": "+15005550004"}, 21610, ErrorClass.OPTED_OUT),
    ({"sender": "+15005550001"}, 21212, ErrorClass.CONFIGURATION),
    ({"sender": "+15005550007"}, 21606, ErrorClass.CONFIGURATION),
    ({"sender": "+15005550008"}, 21611, ErrorClass.QUEUE_FULL),
    ({"sender": "MG" + "0" * 32}, 21701, ErrorClass.CONFIGURATION),
    ({"body": ""}, 21602, ErrorClass.INVALID),
    ({"body": "a" * 1601}, 21617, ErrorClass.INVALID),
    ({"content_sid": "HX" + "0" * 32}, 21655, ErrorClass.INVALID),
]


@pytest.mark.parametrize(("fields", "code", "error_class"), REFUSED)
def test_each_refusal_has_its_class_and_is_certain(provider, sms, failure, fields, code, error_class):
    failed = failure(lambda: provider.send(sms(**fields)))
    assert (failed.code, failed.error_class, failed.is_ambiguous) == (code, error_class, False)
    assert failed.message


@pytest.mark.parametrize(
    ("action", "error_class", "is_ambiguous"),
    [
        ("status_401", ErrorClass.CREDENTIALS, False),
        ("status_429", ErrorClass.RATE_LIMIT, False),
        ("queue_full", ErrorClass.QUEUE_FULL, False),
        ("daily_limit", ErrorClass.DAILY_LIMIT, False),
        ("channel_limit", ErrorClass.RATE_LIMIT, False),
        ("suspended", ErrorClass.SUSPENDED, False),
        ("status_500", ErrorClass.TRANSIENT, True),
        ("status_503", ErrorClass.TRANSIENT, True),
        ("html_502", ErrorClass.TRANSIENT, True),
        ("reset", ErrorClass.TRANSIENT, True),
        ("lost_answer", ErrorClass.TRANSIENT, True),
        ("broken_body", ErrorClass.TRANSIENT, True),
    ],
)
def test_each_fault_has_its_class_and_says_whether_the_message_may_have_gone(
    provider, sms, sandbox, failure, action, error_class, is_ambiguous
):
    sandbox.control.fault("twilio", action)
    failed = failure(lambda: provider.send(sms()))
    assert (failed.error_class, failed.is_ambiguous) == (error_class, is_ambiguous)
    assert "<html" not in failed.message
    assert len(sandbox.control.received("twilio")) == 1, "a message is never handed over twice"


def test_a_code_nobody_knows_is_unknown(provider, sms, sandbox, failure):
    sandbox.control.fault("twilio", "status_400", code=99999)
    assert failure(lambda: provider.send(sms())).error_class is ErrorClass.UNKNOWN


def test_a_rate_limit_says_how_long_to_wait(provider, sms, sandbox, failure):
    sandbox.control.fault("twilio", "status_429", retry_after=7)
    assert failure(lambda: provider.send(sms())).retry_after == 7


def test_a_message_whose_answer_was_lost_is_found_again(provider, sms, sandbox, failure):
    begun = datetime.now(UTC) - timedelta(seconds=2)
    sandbox.control.fault("twilio", "lost_answer", times=1)
    assert failure(lambda: provider.send(sms(body="Was I sent?"))).is_ambiguous
    (found,) = provider.find("+14155550101", "+15005550006", "sms", begun)
    assert found.body == "Was I sent?"


def test_a_message_that_never_arrived_is_not_found(provider, sms, sandbox, failure):
    sandbox.control.fault("twilio", "reset", times=1)
    assert failure(lambda: provider.send(sms())).is_ambiguous
    assert provider.find("+14155550101", "+15005550006", "sms", datetime.now(UTC) - timedelta(hours=1)) == []


def test_an_answer_that_takes_too_long_leaves_it_open_and_the_message_may_go_yet(at, sandbox, sms, failure):
    hurried = at(sandbox.url, seconds=0.4)
    sandbox.control.fault("twilio", "slow", seconds=1.2, times=1)
    failed = failure(lambda: hurried.send(sms()))
    assert (failed.error_class, failed.is_ambiguous) == (ErrorClass.TRANSIENT, True)
    deadline = time.monotonic() + 15
    while not sandbox.control.messages()["messages"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert len(at(sandbox.url).find("+14155550101", "+15005550006", "sms", hour_ago)) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://nobody.invalid"])
def test_a_service_that_is_not_there_took_nothing(at, sms, failure, url):
    failed = failure(lambda: at(url).send(sms()))
    assert (failed.error_class, failed.is_ambiguous) == (ErrorClass.TRANSIENT, False)


def test_a_connection_that_was_closed_while_idle_is_replaced(at, sms):
    answers = _serve_then_close(times=2)
    provider = at(f"http://127.0.0.1:{answers}")
    assert provider.verify() == "Closing"
    assert provider.verify() == "Closing"


def _serve_then_close(times: int) -> int:
    """A server that promises to keep a connection and closes it after one answer."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(times):
            line, _ = listener.accept()
            line.recv(65536)
            body = b'{"friendly_name": "Closing", "status": "active"}'
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            line.close()
        listener.close()

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


def test_nothing_secret_or_personal_is_logged(provider, sms, sandbox, failure, caplog):
    caplog.set_level(logging.DEBUG)
    sandbox.control.fault("twilio", "status_500", times=1)
    failure(lambda: provider.send(sms(body="A private matter")))
    provider.send(sms(body="A private matter"))
    assert provider.find("+14155550101", "+15005550006", "sms", datetime.now(UTC) - timedelta(hours=1))
    for secret in ("7e575a4db0c5", "A private matter", "4155550101"):
        assert secret not in caplog.text
