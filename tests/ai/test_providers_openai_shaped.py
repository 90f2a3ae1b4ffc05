from dataclasses import replace

import pytest
from pydantic import BaseModel, Field

from app.ai.providers.base import AIRequest, ChatMessage, Failure, ProviderError, Task
from app.ai.providers.registry import build

TALK = AIRequest(
    Task.CHAT, (ChatMessage("system", "Be short."), ChatMessage("user", "Why carrots?")), temperature=0.3, seed=7
)


class Insight(BaseModel):
    summary: str = Field(max_length=400, default="")
    key_insights: list[str] = Field(min_length=3, max_length=6)


MAKE = replace(TALK, schema=Insight, task=Task.INSIGHT)


def made(name, sandbox, model=""):
    return build(name, api_key="key", base_url=sandbox.base_url("openai"), model=model)


def sent(sandbox):
    return sandbox.control.received("openai")[-1]["body"]


def test_openai_is_sent_its_own_words_for_length_and_no_sampling(sandbox):
    made("openai", sandbox).complete(TALK)
    assert sent(sandbox)["max_completion_tokens"] == TALK.max_tokens
    assert not {"max_tokens", "temperature", "seed"} & set(sent(sandbox))


def test_openai_keeps_to_the_schema_strictly(sandbox):
    made("openai", sandbox).complete(MAKE)
    wanted = sent(sandbox)["response_format"]["json_schema"]
    assert (wanted["name"], wanted["strict"]) == ("Insight", True)
    assert wanted["schema"]["required"] == ["summary", "key_insights"]
    assert wanted["schema"]["properties"]["key_insights"]["minItems"] == 3


def test_openai_models_that_always_reason_get_room_for_it_and_answer_talk_quickly(sandbox):
    made("openai", sandbox, "gpt-6.2-sol").complete(TALK)
    assert sent(sandbox)["max_completion_tokens"] > TALK.max_tokens
    assert sent(sandbox)["reasoning_effort"] == "low"


def test_deepseek_is_told_the_schema_in_the_prompt_and_not_to_think(sandbox):
    answer = made("deepseek", sandbox).complete(MAKE)
    assert sent(sandbox)["response_format"] == {"type": "json_object"}
    assert sent(sandbox)["thinking"] == {"type": "disabled"}
    assert '"key_insights"' in sent(sandbox)["messages"][0]["content"]
    assert Insight.model_validate_json(answer.text)


def test_deepseeks_old_model_name_passes_the_check_while_it_is_served(sandbox):
    assert made("deepseek", sandbox).model == "deepseek-v4-flash"
    made("deepseek", sandbox).check()


def test_groq_gives_schemas_to_the_models_that_keep_them_and_words_to_the_others(sandbox):
    made("groq", sandbox).complete(MAKE)
    assert sent(sandbox)["response_format"]["type"] == "json_schema"
    made("groq", sandbox, "llama-3.3-70b-versatile").complete(MAKE)
    assert sent(sandbox)["response_format"] == {"type": "json_object"}
    assert '"key_insights"' in sent(sandbox)["messages"][0]["content"]


def test_groq_answers_a_schema_whole_even_when_asked_for_a_stream(sandbox):
    parts = list(made("groq", sandbox).stream(MAKE))
    assert "stream" not in sent(sandbox)
    assert parts[0].text == parts[1].text


def test_a_local_server_needs_no_key(sandbox):
    local = build("local", base_url=sandbox.base_url("local"), model="local-model")
    local.check()
    assert local.complete(TALK).usage.cost_micros == 0
    assert sandbox.control.received("local")[-1]["body"]["seed"] == 7


def test_a_local_model_is_known_with_or_without_its_tag(sandbox):
    build("local", base_url=sandbox.base_url("local"), model="llama3.2").check()


def test_a_local_server_that_knows_no_schemas_is_asked_in_words_alone_from_then_on(sandbox):
    sandbox.control.fault("local", "status_400", match='"response_format"')
    local = build("local", base_url=sandbox.base_url("local"), model="local-model")
    assert Insight.model_validate_json(local.complete(MAKE).text)
    assert Insight.model_validate_json(local.complete(MAKE).text)
    assert ["response_format" in row["body"] for row in sandbox.control.received("local")] == [True, False, False]


def test_a_local_server_that_refuses_for_another_reason_is_believed(sandbox):
    sandbox.control.fault("local", "status_400")
    local = build("local", base_url=sandbox.base_url("local"), model="local-model")
    for request in (TALK, MAKE):
        with pytest.raises(ProviderError) as caught:
            local.complete(request)
        assert caught.value.failure is Failure.INVALID


@pytest.mark.parametrize(
    ("params", "seconds"),
    [
        ({"retry_after_ms": 1500}, 1.5),
        ({"retry_after": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0.0),
        ({"retry_after": "soon"}, None),
    ],
)
def test_the_time_to_wait_is_read_in_each_of_its_forms(sandbox, params, seconds):
    sandbox.control.fault("openai", "status_429", **params)
    with pytest.raises(ProviderError) as caught:
        made("openai", sandbox).complete(TALK)
    assert caught.value.retry_after == seconds


def test_a_thought_before_the_answer_is_left_out_of_it(sandbox):
    sandbox.control.script("openai", *["<think>\nLet me see.\n</think>\n\nThey are sweet."] * 2)
    provider = made("local", sandbox, "local-model")
    assert provider.complete(TALK).text == "They are sweet."
    parts = list(provider.stream(TALK))
    assert "".join(part.text for part in parts[:-1]) == parts[-1].text == "They are sweet."


def test_a_thought_that_used_up_the_answer_is_a_matter_of_length(sandbox):
    sandbox.control.script("openai", "<think>" + "Let me see. " * 100)
    answer = made("local", sandbox, "local-model").complete(replace(TALK, max_tokens=20))
    assert (answer.text, answer.finish_reason) == ("", "length")


def test_keys_are_not_repeated_in_messages(sandbox):
    secret = "sk-invalid-0123456789"
    with pytest.raises(ProviderError) as caught:
        build("openai", api_key=secret, base_url=sandbox.base_url("openai")).complete(TALK)
    assert secret not in caught.value.message
