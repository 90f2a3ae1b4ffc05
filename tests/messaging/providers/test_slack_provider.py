import pytest

from app.messaging.providers import slack
from app.messaging.providers.slack import SlackFailed

HOOK = "https://hooks.slack.com/services/T000/B000/"


@pytest.fixture
def sandboxed(sandbox, settings_override):
    settings_override(slack_base_url=f"{sandbox.url}/slack", allow_private_urls=True)
    return sandbox


def failed(secret="XXXX"):
    with pytest.raises(SlackFailed) as caught:
        slack.post(HOOK + secret, "Failure rate 12 %")
    return caught.value


def test_an_alarm_is_posted_as_text_and_blocks(sandboxed):
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": slack.escape("A & <B>")}}]
    slack.post(HOOK + "XXXX", "Failure rate 12 %", blocks)
    (call,) = sandboxed.control.received("slack")
    assert call["path"] == "/slack/services/T000/B000/XXXX"
    assert call["body"] == {"text": "Failure rate 12 %", "blocks": blocks}
    assert blocks[0]["text"]["text"] == "A &amp; &lt;B&gt;"


@pytest.mark.parametrize("secret", ["INVALID", "PROHIBITED", "GONE", "NOSERVICE", "ARCHIVED"])
def test_a_webhook_that_is_gone_is_dead(sandboxed, secret):
    assert failed(secret).is_dead


@pytest.mark.parametrize("secret", ["NOUSER", "ROLLUP"])
def test_other_refusals_leave_the_webhook_alive(sandboxed, secret):
    assert not failed(secret).is_dead


def test_a_rate_limit_says_how_long_to_wait(sandboxed):
    sandboxed.control.fault("slack", "status_429", retry_after=3)
    assert failed().retry_after == 3


@pytest.mark.parametrize("action", ["reset", "html_502"])
def test_a_stumbling_slack_is_a_failure_in_plain_words(sandboxed, action):
    sandboxed.control.fault("slack", action)
    error = failed()
    assert not error.is_dead
    assert "<html" not in error.message
    assert "XXXX" not in error.message, "the address is the secret"


def test_an_address_in_a_private_network_is_refused(sandbox, settings_override):
    settings_override(slack_base_url="", allow_private_urls=False)
    with pytest.raises(SlackFailed):
        slack.post(f"{sandbox.url}/slack/services/T000/B000/XXXX", "Hello")
    assert sandbox.control.received("slack") == []
