"""schemathesis over each document: calls made up from the schemas get no 5xx and only what the document names.

Run with `-s` to read how many calls were made.
"""

from __future__ import annotations

from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.docs.seeds import Nursery

CHECKS = [
    negative_data_rejection,
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 16
NEVER_ENDS = {"sse_stream"}  # an endless answer; tests/core/test_sse.py reads it
WAIT_FOR_A_WORKER = {"audience_generate", "chat_send"}  # none runs here: they are asked for ids of nobody's only
END_THEIR_SIGN_IN = {"auth_sign_out", "tokens_sign_out", "tokens_switch"}  # each call needs a new one


@pytest.fixture
def nursery(app, make_member, client_for, in_tenant, settings_override):
    settings_override(rate_limit_factor=100_000)
    return Nursery(app, make_member, client_for, in_tenant)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["insight", "stratum", "messaging"])
def test_calls_made_up_from_the_document_get_answers_it_names(nursery, anonymous, name):
    schema = schemathesis.openapi.from_dict(anonymous.get(f"/api/docs/{name}.json").json)
    schema.app = nursery.app
    failures, statuses = {}, Counter()
    for result in schema.get_all_operations():
        operation = result.ok()
        label = operation.definition.raw["operationId"]
        if label not in NEVER_ENDS:
            failures |= run(operation, label, nursery.make(), statuses)
    calls = sum(statuses.values())
    print(f"\n{name}: {calls} calls, {len(failures)} operations with failures, {dict(sorted(statuses.items()))}")
    assert not failures, "\n\n".join(f"{label}: {words}" for label, words in failures.items())
    assert calls > 300


def run(operation, label, caller, statuses) -> dict[str, str]:
    """What went wrong with the operation, if anything."""
    headers = caller.headers()

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases(operation, {} if label in WAIT_FOR_A_WORKER else caller.ids))
    def call(case):
        response = case.call(headers=caller.headers() if label in END_THEIR_SIGN_IN else headers)
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    try:
        call()
    except FailureGroup as group:
        return {label: "; ".join(f"{error.title}: {error.message}" for error in group.exceptions) + str(group)}
    return {}


def cases(operation, ids):
    """Acceptable and unacceptable calls, about rows that are there and rows that are not."""
    names = [parameter.name for parameter in operation.path_parameters]
    known = {name: ids[name] for name in names if name in ids}
    kinds = [operation.as_strategy(GenerationMode.POSITIVE)]
    if known:
        kinds.append(operation.as_strategy(GenerationMode.POSITIVE, path_parameters=known))
    if operation.body or operation.query:
        wrong = operation.as_strategy(GenerationMode.NEGATIVE, path_parameters=known)
        kinds.append(wrong.filter(lambda case: "" not in (case.query or {}).values()))  # empty is not given, not wrong
    return st.one_of(kinds).map(lambda case: about(case, ids))


def about(case, ids):
    """The case with the ids in its body and query, where they are well-formed, made those of rows that are there."""
    for part in (case.body, case.query):
        if isinstance(part, dict) and case.meta and case.meta.generation.mode == GenerationMode.POSITIVE:
            part.update({key: ids[key] for key in part if key in ids})
    return case
