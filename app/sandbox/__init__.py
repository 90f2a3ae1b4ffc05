"""Stand-ins for the outside services, over real HTTP: for demos, tests and fault drills.

`python -m app.sandbox --port 8090` starts it. It imports nothing from the rest of the product, and the product
knows nothing of it: a connector is pointed here by its base-URL setting, and cannot tell the difference.

Each service lives under its own prefix: `/anthropic`, `/openai` (which also answers for DeepSeek, Groq and a local
server; `/deepseek`, `/groq` and `/local` are the same service with its own record and faults), `/perplexity`,
`/twilio` (messages, contents, messaging services; `/twilio/inbound` is a page to write as a person), `/slack`.

What a test or a drill can do
-----------------------------
* `GET /_control/received?service=openai` what it was sent, oldest first: `at, service, method, path, headers, body`.
* `POST /_control/faults {service, path?, action, rate?, times?, match?, ...}` things to get wrong. `path` is a glob,
  with or without the service's prefix; `match` is text the request body must contain; `rate` is 0 to 1 by a seeded
  generator; `times` counts down. Anything else in the body is a parameter of the action: `retry_after`, `seconds`,
  `after` ... `GET` lists the actions and the faults that are set, `DELETE` clears them.
* `POST /_control/script {service, answers: [...], match?}` the exact answers to give next: text, or anything else as
  JSON.
* `POST /_control/clock {advance_seconds}` moves virtual time on; `POST /_control/settings {token_delay_ms, seed}`
  sets the pace of streams and the generator; `POST /_control/reset` forgets everything.

* `POST /_control/twilio {callbacks, delay_ms, outcomes, numbers, senders, ...}` what becomes of messages and how fast;
  `POST /_control/twilio/inbound {from, to, body, channel}` somebody writes to us; `GET /_control/twilio/summary` how
  many messages, to how many numbers, and how many callbacks.

Adding a service
----------------
1. Write `services/NAME.py` with a function `service() -> Service`. `Service(name, blueprint, refuse)` holds the
   name (also the prefix), a blueprint without a prefix of its own, and `refuse(status, fault)`, which words an error
   the platform's way: the faults every service shares (`status_*`, `insufficient_quota`) are answered by it.
2. Name it in `services/__init__.py`.
3. In a view, `frame.sandbox()` is the state: `.clock.now()`, `.store(name)` a dict the service keeps its rows in (a
   reset empties it), `.lock` around changes. `frame.fault_is("name")` tells whether this request was picked to go
   wrong in a way of the service's own; give such actions to `Service(actions={...})`.
4. Routes to steer the service go in a blueprint `Service(control=...)`, mounted at `/_control/NAME`.

Recording, faults, virtual time and the front page then work for it without further code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_sandbox(*, token_delay_ms: int = 15, seed: int = 1, callback_url: str = "") -> Flask:
    """Make the sandbox app with empty state of its own; two of them share nothing.

    `callback_url` is where the product is reached, for calls no request named an address for.
    """
    from app.sandbox.factory import build

    return build(token_delay_ms=token_delay_ms, seed=seed, callback_url=callback_url)
