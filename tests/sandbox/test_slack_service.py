import httpx2
import pytest


@pytest.fixture
def post(sandbox):
    def call(body, path="T000/B000/XXXX"):
        return httpx2.post(f"{sandbox.url}/slack/services/{path}", json=body)

    return call


def test_a_message_is_answered_ok_in_plain_text(post):
    answer = post(
        {"text": "Failure rate 12 %", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}]}
    )
    assert (answer.status_code, answer.text) == (200, "ok")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "no_text"),
        ([], "invalid_payload"),
        ({"text": 5}, "invalid_payload"),
        ({"text": "x", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"text": "x", "blocks": [{"type": "section", "text": {"text": "a" * 3001}}]}, "invalid_blocks"),
        ({"text": "x", "blocks": [{"type": "dance"}]}, "invalid_blocks"),
        ({"text": "x", "blocks": [{"type": "header", "text": "a string"}]}, "invalid_blocks"),
    ],
)
def test_what_slack_would_not_take_is_refused_in_a_word(post, body, word):
    answer = post(body)
    assert (answer.status_code, answer.text) == (400, word)


@pytest.mark.parametrize(
    ("secret", "status", "word"),
    [
        ("INVALID", 403, "invalid_token"),
        ("GONE", 404, "channel_not_found"),
        ("ARCHIVED", 410, "channel_is_archived"),
        ("NOUSER", 400, "user_not_found"),
        ("ROLLUP", 500, "rollup_error"),
    ],
)
def test_an_address_can_choose_how_it_goes_wrong(post, secret, status, word):
    answer = post({"text": "x"}, f"T000/B000/{secret}")
    assert (answer.status_code, answer.text) == (status, word)


def test_a_rate_limit_names_the_seconds(post, sandbox):
    sandbox.control.fault("slack", "status_429", retry_after=3)
    answer = post({"text": "x"})
    assert (answer.status_code, answer.text, answer.headers["retry-after"]) == (429, "rate_limited", "3")
