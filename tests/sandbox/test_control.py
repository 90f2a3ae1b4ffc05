import json
import urllib.error
import urllib.request

import pytest


def call(url, body=None, headers=None, method=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def ask_openai(sandbox, question="Hello there"):
    body = {"model": "gpt-5.4-mini", "messages": [{"role": "user", "content": question}]}
    return call(f"{sandbox.url}/openai/v1/chat/completions", body, {"Authorization": "Bearer key"})


def test_received_tells_what_each_service_was_sent(sandbox):
    ask_openai(sandbox)
    call(f"{sandbox.url}/anthropic/v1/models", headers={"x-api-key": "key"})
    (sent,) = sandbox.control.received("openai")
    assert sent["method"] == "POST"
    assert sent["path"] == "/openai/v1/chat/completions"
    assert sent["headers"]["Authorization"] == "Bearer key"
    assert sent["body"]["model"] == "gpt-5.4-mini"
    assert sent["at"].endswith("Z")
    assert [row["service"] for row in sandbox.control.received()] == ["openai", "anthropic"]


def test_a_fault_is_met_as_often_as_told_and_then_no_more(sandbox):
    sandbox.control.fault("openai", "status_500", times=2)
    assert [ask_openai(sandbox)[0] for _ in range(3)] == [500, 500, 200]


@pytest.mark.parametrize("path", ["/v1/chat/*", "/openai/v1/chat/completions"])
def test_a_fault_with_a_path_leaves_other_paths_alone(sandbox, path):
    sandbox.control.fault("openai", "status_500", path=path)
    models = call(f"{sandbox.url}/openai/v1/models", headers={"Authorization": "Bearer key"})
    assert models[0] == 200
    assert ask_openai(sandbox)[0] == 500


def test_a_fault_can_be_meant_for_certain_bodies_only(sandbox):
    sandbox.control.fault("openai", "status_503", match="carrots")
    assert ask_openai(sandbox, "Of apples")[0] == 200
    assert ask_openai(sandbox, "Of carrots")[0] == 503


def test_a_rate_below_one_is_repeatable_after_a_reset(sandbox):
    def met():
        sandbox.control.reset()
        sandbox.control.fault("openai", "status_500", rate=0.5)
        return [ask_openai(sandbox)[0] for _ in range(12)]

    first = met()
    assert {200, 500} == set(first)
    assert met() == first


@pytest.mark.parametrize(
    "body",
    [
        {"service": "nobody", "action": "reset"},
        {"service": "openai", "action": "dance"},
        {"service": "openai", "action": "reset", "rate": "often"},
        ["not", "an", "object"],
    ],
)
def test_faults_that_make_no_sense_are_refused(sandbox, body):
    status, text = call(f"{sandbox.url}/_control/faults", body)
    assert status == 400
    assert "error" in json.loads(text)


def test_scripted_answers_are_given_once_each_and_in_order(sandbox):
    sandbox.control.script("openai", "First", {"second": 2})
    texts = [json.loads(ask_openai(sandbox)[1])["choices"][0]["message"]["content"] for _ in range(3)]
    assert texts[:2] == ["First", '{"second": 2}']
    assert "second" not in texts[2]


def test_a_scripted_answer_can_wait_for_the_question_it_is_meant_for(sandbox):
    sandbox.control.script("openai", "Orange.", match="carrot")
    assert "Orange." not in ask_openai(sandbox, "What of apples?")[1]
    assert "Orange." in ask_openai(sandbox, "What colour is a carrot?")[1]


def test_reset_forgets_what_came_in_and_what_was_set(sandbox):
    sandbox.control.fault("openai", "status_500")
    ask_openai(sandbox)
    sandbox.control.reset()
    assert sandbox.control.received() == []
    assert ask_openai(sandbox)[0] == 200


def test_the_front_page_shows_services_faults_and_calls_harmlessly(sandbox):
    sandbox.control.fault("groq", "hang", seconds=1)
    ask_openai(sandbox, "<script>alert(1)</script>")
    status, page = call(sandbox.url)
    assert status == 200
    assert "/perplexity" in page
    assert "hang" in page
    assert "POST /openai/v1/chat/completions" in page
    assert "<script>" not in page


def test_the_sandbox_says_it_is_alive(sandbox):
    assert call(f"{sandbox.url}/healthz") == (200, '{"status": "ok"}')


def test_an_unknown_address_is_404_in_json(sandbox):
    status, text = call(f"{sandbox.url}/nowhere")
    assert status == 404
    assert "error" in json.loads(text)
