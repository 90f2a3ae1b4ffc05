import pytest
from twilio.request_validator import RequestValidator

WA = {"To": "whatsapp:+14155550101", "From": "whatsapp:+14155238886"}
STATES = ["sending", "sent", "delivered"]


@pytest.fixture
def fast(sandbox):
    sandbox.control.twilio(delay_ms=5, outcomes={"delivered": 1})
    return sandbox


def states(calls):
    return [call["MessageStatus"] for call in calls]


def is_signed(twilio, hook, number=-1):
    return RequestValidator(twilio.token).validate(hook.url, hook.calls[number], hook.signatures[number])


def test_every_state_after_the_first_is_told_signed_and_in_order(twilio, fast, hook):
    sid = twilio.send(StatusCallback=hook.url).json()["sid"]
    calls = hook.wait_for(3)
    assert states(calls) == STATES
    assert {(call["MessageSid"], call["SmsSid"], call["AccountSid"]) for call in calls} == {(sid, sid, twilio.account)}
    assert "ErrorCode" not in calls[-1]
    assert all(is_signed(twilio, hook, number) for number in range(3))
    assert twilio.message(sid)["status"] == "delivered"


def test_a_messaging_service_tells_of_the_queue_too(twilio, fast, hook):
    twilio.send(StatusCallback=hook.url, From=None, MessagingServiceSid=twilio.service)
    calls = hook.wait_for(4)
    assert states(calls) == ["queued", *STATES]
    assert calls[0]["MessagingServiceSid"] == twilio.service


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ("undelivered:30005", ["sending", "sent", "undelivered"]),
        ("failed:30008", ["failed"]),
        ("sent", ["sending", "sent"]),
    ],
)
def test_what_becomes_of_a_message_can_be_told_by_number(twilio, fast, hook, outcome, told):
    fast.control.twilio(numbers={"+14155550177": outcome})
    sid = twilio.send(StatusCallback=hook.url, To="+14155550177").json()["sid"]
    calls = hook.wait_for(len(told))
    code = outcome.partition(":")[2]
    assert states(calls) == told
    assert calls[-1].get("ErrorCode", "") == code
    assert str(twilio.message(sid)["error_code"] or "") == code


def test_the_same_number_always_fares_the_same(twilio, sandbox):
    numbers = [f"+1415555{number:04d}" for number in range(300)]
    sandbox.control.twilio(callbacks=False, outcomes={"delivered": 0.8, "undelivered:30003": 0.2})
    sids = [twilio.send(To=number).json()["sid"] for number in (*numbers, *numbers[:20])]
    sandbox.control.advance(60)
    found = [twilio.message(sid)["status"] for sid in sids]
    assert 30 < found[:300].count("undelivered") < 90
    assert found[300:] == found[:20]


def test_whatsapp_is_read_by_some_and_bears_its_own_fields(twilio, fast, hook):
    fast.control.twilio(read=1.0)
    fast.control.write("whatsapp:+14155550101", "Hello")
    twilio.send(StatusCallback=hook.url, **WA)
    calls = hook.wait_for(4)
    assert states(calls) == [*STATES, "read"]
    assert (calls[-1]["EventType"], calls[-1]["ChannelPrefix"]) == ("READ", "whatsapp")


def test_free_text_outside_the_window_of_24_hours_comes_back_as_63016(twilio, fast, hook):
    assert twilio.send(StatusCallback=hook.url, **WA).status_code == 201
    assert hook.wait_for(3)[-1]["ErrorCode"] == "63016"
    fast.control.write("whatsapp:+14155550101", "Hello")
    inside = twilio.send(**WA).json()["sid"]
    fast.control.advance(86500)
    outside = twilio.send(**WA).json()["sid"]
    fast.control.advance(60)
    assert twilio.message(inside)["status"] in ("delivered", "read")
    assert twilio.message(outside)["error_code"] == 63016


def test_with_callbacks_off_nobody_is_called(twilio, fast, hook):
    fast.control.twilio(callbacks=False)
    sid = twilio.send(StatusCallback=hook.url).json()["sid"]
    fast.control.advance(60)
    assert twilio.message(sid)["status"] == "delivered"
    assert fast.control.messages()["callbacks_waiting"] == 0
    assert hook.calls == []


def test_callbacks_wait_for_virtual_time(twilio, sandbox, hook):
    sandbox.control.twilio(delay_ms=3_600_000, outcomes={"delivered": 1})
    twilio.send(StatusCallback=hook.url)
    assert sandbox.control.messages()["callbacks_waiting"] == 3
    sandbox.control.advance(3 * 3600 + 10)
    assert states(hook.wait_for(3)) == STATES


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("callbacks_doubled", ["sending", "sending", "sent", "sent", "delivered", "delivered"]),
        ("callbacks_out_of_order", ["delivered", "sent", "sending"]),
    ],
)
def test_callbacks_can_come_doubled_and_out_of_order(twilio, fast, hook, action, told):
    fast.control.fault("twilio", action)
    twilio.send(StatusCallback=hook.url)
    assert states(hook.wait_for(len(told))) == told


def test_callbacks_can_bear_fields_nobody_knows_and_be_signed_over_them(twilio, fast, hook):
    fast.control.fault("twilio", "callbacks_extra_fields")
    twilio.send(StatusCallback=hook.url)
    assert "MessageQualityScore" in hook.wait_for(3)[-1]
    assert is_signed(twilio, hook)


def test_callbacks_can_be_signed_wrongly(twilio, fast, hook):
    fast.control.fault("twilio", "callbacks_wrong_signature")
    twilio.send(StatusCallback=hook.url)
    hook.wait_for(3)
    assert hook.signatures[-1]
    assert not is_signed(twilio, hook)


def test_callbacks_can_come_late(twilio, fast, hook):
    fast.control.fault("twilio", "callbacks_late", seconds=600)
    sid = twilio.send(StatusCallback=hook.url).json()["sid"]
    fast.control.advance(300)
    assert twilio.message(sid)["status"] == "delivered"
    assert fast.control.messages()["callbacks_waiting"] == 3
    fast.control.advance(301)
    assert states(hook.wait_for(3)) == STATES


def test_callbacks_can_be_lost(twilio, fast, hook):
    fast.control.fault("twilio", "callbacks_lost", times=1)
    twilio.send(StatusCallback=hook.url)
    assert fast.control.messages()["callbacks_waiting"] == 0
    twilio.send(StatusCallback=hook.url)
    assert len(hook.wait_for(3)) == 3


def test_a_canceled_message_tells_that_and_nothing_else(twilio, sandbox, hook):
    sandbox.control.twilio(delay_ms=60_000)
    sid = twilio.send(StatusCallback=hook.url).json()["sid"]
    twilio.post(f"{twilio.messages}/{sid}.json", {"Status": "canceled"})
    assert states(hook.wait_for(1)) == ["canceled"]
    assert sandbox.control.messages()["callbacks_waiting"] == 0


def test_calls_nobody_takes_are_counted(twilio, fast, hook):
    hook.answer = (500, "text/plain", "no")
    twilio.send(StatusCallback=hook.url)
    hook.wait_for(3)
    for _ in range(200):
        if fast.control.messages()["callbacks_refused"] == 3:
            break
    assert fast.control.messages()["callbacks_refused"] == 3


def test_a_reset_takes_back_what_was_planned(twilio, sandbox, hook):
    sandbox.control.twilio(delay_ms=50)
    twilio.send(StatusCallback=hook.url)
    sandbox.control.reset()
    sandbox.control.twilio(delay_ms=5)
    twilio.send(StatusCallback=hook.url, Body="after", To="+14155550199")
    hook.wait_for(1)
    assert {call["To"] for call in hook.calls} == {"+14155550199"}


@pytest.mark.parametrize("body", [{"speed": 1}, {"delay_ms": "fast"}, {"callbacks": 1}, {"outcomes": []}])
def test_settings_that_make_no_sense_are_refused(sandbox, body):
    with pytest.raises(OSError):
        sandbox.control.twilio(**body)
