import openai
import pytest
from pydantic import BaseModel

TURNS = [{"role": "user", "content": "Why buy carrots?"}]
ASKED = {"model": "gpt-5.4-mini", "messages": TURNS}
CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


class Insight(BaseModel):
    summary: str
    key_insights: list[str]


@pytest.fixture
def client(sandbox):
    with openai.OpenAI(api_key="key", base_url=sandbox.base_url("openai"), max_retries=0, timeout=5) as client:
        yield client


def as_schema(schema, **more):
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True} | more}


def refused(client, **changes):
    body = {name: value for name, value in (ASKED | changes).items() if value is not None}
    with pytest.raises(openai.APIStatusError) as caught:
        client.post("/chat/completions", body=body, cast_to=object)
    return caught.value


def test_the_official_client_gets_a_completion(client):
    answer = client.chat.completions.create(**ASKED)
    assert "carrots" in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_the_official_streaming_helper_is_satisfied(client):
    with client.chat.completions.stream(**ASKED, stream_options={"include_usage": True}) as stream:
        text = "".join(event.delta for event in stream if event.type == "content.delta")
        final = stream.get_final_completion()
    assert text == final.choices[0].message.content
    assert final.usage.completion_tokens > 0


def test_the_official_parse_helper_gets_its_model(client):
    answer = client.chat.completions.parse(**ASKED, response_format=Insight)
    assert isinstance(answer.choices[0].message.parsed, Insight)


def test_usage_comes_in_a_last_chunk_without_choices_and_only_when_asked_for(client):
    plain = list(client.chat.completions.create(**ASKED, stream=True))
    asked = list(client.chat.completions.create(**ASKED, stream=True, stream_options={"include_usage": True}))
    assert all(chunk.usage is None for chunk in plain)
    assert asked[-1].choices == []
    assert asked[-1].usage.completion_tokens > 0


def test_the_models_of_all_four_platforms_are_listed(client):
    owners = {model.owned_by for model in client.models.list()}
    assert owners == {"openai", "deepseek", "groq", "local"}
    assert client.models.retrieve("gpt-5.4-mini").id == "gpt-5.4-mini"


@pytest.mark.parametrize(
    ("changes", "status", "code", "said"),
    [
        ({"model": None}, 400, None, "model"),
        ({"model": "gpt-99"}, 404, "model_not_found", "gpt-99"),
        ({"messages": None}, 400, "missing_required_parameter", "messages"),
        ({"messages": []}, 400, "empty_array", "messages"),
        ({"messages": [{"role": "boss", "content": "x"}]}, 400, "invalid_value", "role"),
        ({"messages": [{"role": "user"}]}, 400, "invalid_type", "content"),
        ({"max_tokens": 10}, 400, "unsupported_parameter", "max_completion_tokens"),
        ({"temperature": 0.3}, 400, "unsupported_value", "temperature"),
        ({"temperature": 7}, 400, "invalid_value", "temperature"),
        ({"stream_options": {"include_usage": True}}, 400, None, "stream_options"),
        ({"response_format": {"type": "yaml"}}, 400, "invalid_value", "response_format"),
        ({"response_format": {"type": "json_object"}}, 400, None, "'json'"),
        ({"response_format": as_schema(CLOSED, name="not a name")}, 400, "invalid_value", "name"),
        ({"response_format": as_schema(CLOSED | {"additionalProperties": True})}, 400, "invalid_json_schema", "false"),
        ({"response_format": as_schema(CLOSED | {"required": []})}, 400, "invalid_json_schema", "Missing 'a'"),
    ],
)
def test_what_the_platform_would_refuse_is_refused(client, changes, status, code, said):
    error = refused(client, **changes)
    assert error.status_code == status
    assert error.code == code
    assert said in error.message
    assert error.response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("model", "changes", "said"),
    [
        ("deepseek-v4-flash", {"response_format": as_schema(CLOSED)}, "unavailable"),
        ("llama-3.3-70b-versatile", {"response_format": as_schema(CLOSED)}, "does not support"),
        ("openai/gpt-oss-120b", {"response_format": as_schema(CLOSED), "stream": True}, "streaming"),
    ],
)
def test_each_platform_keeps_its_own_limits(client, model, changes, said):
    assert said in refused(client, model=model, **changes).message


@pytest.mark.parametrize(("key", "status"), [("", 401), ("an-invalid-key", 401), ("key", 200)])
def test_a_key_is_asked_for_except_by_a_local_server(sandbox, key, status):
    import httpx2

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    assert httpx2.get(f"{sandbox.url}/openai/v1/models", headers=headers).status_code == status
    if not key:
        assert httpx2.get(f"{sandbox.url}/local/v1/models").status_code == 200


def test_deepseek_thinks_in_a_field_of_its_own_unless_told_not_to(client):
    asked = {"model": "deepseek-v4-flash", "messages": TURNS}
    thinking = client.chat.completions.create(**asked)
    quick = client.chat.completions.create(**asked, extra_body={"thinking": {"type": "disabled"}})
    assert thinking.choices[0].message.reasoning_content
    assert "reasoning_content" not in quick.choices[0].message.model_extra


def test_out_of_credit_and_too_fast_are_told_apart(client, sandbox):
    sandbox.control.fault("openai", "insufficient_quota", times=1)
    sandbox.control.fault("openai", "status_429", retry_after=3)
    first, second = refused(client), refused(client)
    assert (first.status_code, first.code) == (429, "insufficient_quota")
    assert (second.status_code, second.code) == (429, "rate_limit_exceeded")
    assert second.response.headers["retry-after"] == "3"
