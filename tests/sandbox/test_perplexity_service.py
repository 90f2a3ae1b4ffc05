import httpx2
import pytest

KEY = {"Authorization": "Bearer key"}
TURNS = [{"role": "user", "content": "Who buys organic carrots?"}]
DEEP = {"request": {"model": "sonar-deep-research", "messages": TURNS}}


@pytest.fixture
def call(sandbox):
    def post(path, body):
        return httpx2.post(f"{sandbox.url}/perplexity{path}", json=body, headers=KEY)

    return post


@pytest.fixture
def find(sandbox):
    return lambda path: httpx2.get(f"{sandbox.url}/perplexity/async/chat/completions{path}", headers=KEY).json()


def test_answers_bear_sources_that_their_marks_point_at(call):
    answer = call("/chat/completions", {"model": "sonar-pro", "messages": TURNS}).json()
    assert "[1]" in answer["choices"][0]["message"]["content"]
    assert answer["citations"] == [result["url"] for result in answer["search_results"]]
    assert answer["usage"]["cost"]["total_cost"] > 0


def test_reasoning_models_think_aloud_first(call):
    answer = call("/chat/completions", {"model": "sonar-reasoning-pro", "messages": TURNS}).json()
    assert answer["choices"][0]["message"]["content"].startswith("<think>")


@pytest.mark.parametrize(
    "body",
    [
        {"model": "gpt-5.4-mini", "messages": TURNS},
        {"model": "sonar", "messages": [*TURNS, *TURNS]},
        {"model": "sonar", "messages": [*TURNS, {"role": "assistant", "content": "x"}]},
        {"model": "sonar", "messages": [{"role": "assistant", "content": "x"}, *TURNS]},
        {"model": "sonar", "messages": TURNS, "search_recency_filter": "decade"},
        {"model": "sonar", "messages": TURNS, "response_format": {"type": "json_object"}},
    ],
)
def test_what_the_platform_would_refuse_is_refused(call, body):
    answer = call("/chat/completions", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_deep_research_takes_its_virtual_time(call, find, sandbox):
    started = call("/async/chat/completions", DEEP).json()
    assert (started["status"], started["response"]) == ("CREATED", None)
    sandbox.control.advance(1)
    assert find(f"/{started['id']}")["status"] == "IN_PROGRESS"
    sandbox.control.advance(60)
    done = find(f"/{started['id']}")
    assert done["status"] == "COMPLETED"
    assert done["response"]["choices"][0]["message"]["content"]


def test_the_same_idempotency_key_starts_one_research(call, find):
    keyed = DEEP | {"idempotency_key": "one"}
    first, second = (call("/async/chat/completions", keyed).json()["id"] for _ in range(2))
    assert first == second
    assert [row["id"] for row in find("")["requests"]] == [first]


def test_only_the_deep_model_is_asked_asynchronously(call):
    body = {"request": {"model": "sonar", "messages": TURNS}}
    assert call("/async/chat/completions", body).status_code == 400
