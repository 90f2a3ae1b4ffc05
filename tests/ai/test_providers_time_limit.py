"""A job's own time limit is not mistaken for a provider's fault."""

import pytest
from rq.timeouts import JobTimeoutException

from app.ai.providers.failures import translated


def test_the_workers_time_limit_passes_through_a_provider_call():
    with pytest.raises(JobTimeoutException), translated("anthropic", timeout_seconds=5):
        raise JobTimeoutException("Task exceeded maximum timeout value (5 seconds)")
