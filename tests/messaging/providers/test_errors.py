import pytest

from app.messaging.providers.base import ErrorClass
from app.messaging.providers.errors import REMEDIES, Reaction, classify, remedy_for

NEVER_RETRIED = (
    ErrorClass.OPTED_OUT,
    ErrorClass.BAD_NUMBER,
    ErrorClass.BLOCKED,
    ErrorClass.INVALID,
    ErrorClass.SUSPENDED,
)


@pytest.mark.parametrize(
    ("code", "error_class", "reaction"),
    [
        (21610, ErrorClass.OPTED_OUT, Reaction.SUPPRESS),
        (30002, ErrorClass.SUSPENDED, Reaction.STOP),
        (30003, ErrorClass.UNREACHABLE, Reaction.GIVE_UP),
        (30004, ErrorClass.BLOCKED, Reaction.SUPPRESS),
        (30005, ErrorClass.BAD_NUMBER, Reaction.MARK_NUMBER),
        (30006, ErrorClass.BAD_NUMBER, Reaction.MARK_NUMBER),
        (30007, ErrorClass.FILTERED, Reaction.FIX),
        (30034, ErrorClass.CONFIGURATION, Reaction.CONFIGURE),
        (30036, ErrorClass.EXPIRED, Reaction.GIVE_UP),
        (63003, ErrorClass.BAD_NUMBER, Reaction.MARK_NUMBER),
        (63016, ErrorClass.NEEDS_TEMPLATE, Reaction.USE_TEMPLATE),
        (63017, ErrorClass.RATE_LIMIT, Reaction.PAUSE),
    ],
)
def test_a_code_of_a_callback_says_what_to_do(code, error_class, reaction):
    assert (remedy_for(code).error_class, remedy_for(code).reaction) == (error_class, reaction)


def test_a_code_nobody_knows_concludes_nothing():
    assert remedy_for(99999).error_class is ErrorClass.UNKNOWN
    assert remedy_for(99999).retry_delays == ()


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (401, ErrorClass.CREDENTIALS),
        (429, ErrorClass.RATE_LIMIT),
        (502, ErrorClass.TRANSIENT),
        (400, ErrorClass.UNKNOWN),
    ],
)
def test_without_a_code_the_status_decides(status, error_class):
    assert classify(None, status) is error_class


def test_an_unreachable_phone_is_tried_again_a_few_times_and_later_each_time():
    delays = remedy_for(30003).retry_delays
    assert 1 <= len(delays) <= 4
    assert list(delays) == sorted(delays)
    assert len(remedy_for(30008).retry_delays) == 1
    assert remedy_for(63038).retry_delays == (86400,)


def test_what_cannot_get_better_is_never_tried_again():
    hopeless = [
        code for code, remedy in REMEDIES.items() if remedy.error_class in NEVER_RETRIED and remedy.retry_delays
    ]
    assert hopeless == []
