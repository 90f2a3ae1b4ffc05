import anthropic
import httpx2
import pytest
from pydantic import BaseModel, Field

ASKED = {"model": "claude-sonnet-5-5", "max_tokens": 500, "messages": [{"role": "user", "content": "Why buy carrots?"}]}


class Insight(BaseModel):
    summary: str
    key_insights: list[str] = Field(min_length=3, max_length=6)


@pytest.fixture
def client(sandbox):
    with anthropic.Anthropic(api_key="key", base_url=f"{sandbox.url}/anthropic", max_retries=0, timeout=5) as client:
        yield client


def refused(client, **changes):
    body = {name: value for name, value in (ASKED | changes).items() if value is not None}
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.post("/v1/messages", body=body, cast_to=object)
    return caught.value


def test_the_official_client_gets_a_message(client):
    message = client.messages.create(**ASKED)
    assert message.stop_reason == "end_turn"
    assert "carrots" in message.content[-1].text
    assert message.usage.input_tokens > 0


def test_the_official_streaming_helper_is_satisfied(client):
    with client.messages.stream(**ASKED) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == final.content[-1].text
    assert final.stop_reason == "end_turn"
    assert final.content[0].type == "thinking"


def test_the_official_parse_helper_gets_its_model(client):
    message = client.messages.parse(**ASKED, output_format=Insight)
    assert isinstance(message.parsed_output, Insight)


def test_the_models_are_listed_and_found(client):
    names = [model.id for model in client.models.list()]
    assert "claude-sonnet-5-5" in names
    assert client.models.retrieve("claude-opus-5-5").id == "claude-opus-5-5"
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("claude-9")


@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
def test_both_versions_are_taken(client, version):
    assert client.messages.create(**ASKED, extra_headers={"anthropic-version": version}).id.startswith("msg_")


@pytest.mark.parametrize(
    ("changes", "status", "kind", "said"),
    [
        ({"max_tokens": None}, 400, "invalid_request_error", "max_tokens: Field required"),
        ({"max_tokens": 0}, 400, "invalid_request_error", "greater than or equal to 1"),
        ({"max_tokens": 900_000}, 400, "invalid_request_error", "maximum allowed"),
        ({"messages": None}, 400, "invalid_request_error", "messages: Field required"),
        ({"messages": []}, 400, "invalid_request_error", "at least one message"),
        ({"messages": [{"role": "system", "content": "x"}]}, 400, "invalid_request_error", "role"),
        ({"messages": [{"role": "user", "content": " "}]}, 400, "invalid_request_error", "non-empty"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, 400, "invalid_request_error", "first message"),
        (
            {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "{"}]},
            400,
            "invalid_request_error",
            "prefill",
        ),
        ({"temperature": 0.2}, 400, "invalid_request_error", "temperature"),
        ({"thinking": {"type": "disabled"}}, 400, "invalid_request_error", "disabled"),
        ({"output_config": {"effort": "huge"}}, 400, "invalid_request_error", "effort"),
        ({"model": "claude-9"}, 404, "not_found_error", "claude-9"),
    ],
)
def test_what_the_platform_would_refuse_is_refused(client, changes, status, kind, said):
    error = refused(client, **changes)
    assert error.status_code == status
    assert error.body["type"] == "error"
    assert error.body["error"]["type"] == kind
    assert said in error.body["error"]["message"]
    assert error.request_id == error.body["request_id"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "additionalProperties": False},
        {
            "type": "object",
            "properties": {"n": {"type": "array", "items": {"type": "string"}, "minItems": 3}},
            "additionalProperties": False,
        },
    ],
)
def test_a_schema_the_platform_cannot_keep_to_is_refused(client, schema):
    error = refused(client, output_config={"format": {"type": "json_schema", "schema": schema}})
    assert error.status_code == 400
    assert "output_config.format.schema" in error.body["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"anthropic-version": "2023-06-01"}, 401),
        ({"anthropic-version": "2023-06-01", "x-api-key": "an-invalid-key"}, 401),
        ({"x-api-key": "key"}, 400),
        ({"x-api-key": "key", "anthropic-version": "2020-01-01"}, 400),
    ],
)
def test_credentials_and_version_are_asked_for(sandbox, headers, status):
    answer = httpx2.post(f"{sandbox.url}/anthropic/v1/messages", json=ASKED, headers=headers)
    assert answer.status_code == status
    assert answer.json()["type"] == "error"


def test_an_answer_longer_than_allowed_is_cut_and_says_so(client):
    message = client.messages.create(**ASKED | {"max_tokens": 5})
    assert message.stop_reason == "max_tokens"
    assert len(message.content[-1].text) <= 20


def test_a_rate_limit_says_when_to_come_back(client, sandbox):
    sandbox.control.fault("anthropic", "status_429", retry_after=7)
    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(**ASKED)
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.response.headers["anthropic-ratelimit-requests-limit"] == "50"


def test_an_error_after_200_reaches_the_official_stream(client, sandbox):
    sandbox.control.fault("anthropic", "error_after_200")
    with pytest.raises(anthropic.APIStatusError) as caught, client.messages.stream(**ASKED) as stream:
        stream.until_done()
    assert caught.value.body["error"]["type"] == "overloaded_error"
