"""An answer while it is being written: its text so far in Redis, each piece sent to the user's open pages.

Offsets count UTF-16 units, as JavaScript does. `run` rises each time an answer begins anew, so that a page can
tell pieces of a thrown-away beginning from those of the one that replaced it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from app.core.jobs import LeaseLost
from app.core.logs import get_logger
from app.core.redis import get_redis
from app.core.sse import publish
from app.core.tenancy import current_tenant_id

log = get_logger()
KEEP_SECONDS = 3600
# Only the run that holds the turn may go on with it; a key that was lost is made anew.
_STORE = """
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'run', ARGV[2], 'text', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""


@dataclass(frozen=True)
class Partial:
    """What has come of an answer so far."""

    run: int = 0
    text: str = ""

    @property
    def offset(self) -> int:
        return units(self.text)


def units(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def read(turn_id: int) -> Partial:
    """The text so far of a turn that is being answered; empty when there is none or Redis is away."""
    try:
        run, text = get_redis().hmget(_key(turn_id), "run", "text")
    except RedisError as error:
        log.warning("live_answer_unreadable", turn_id=turn_id, reason=str(error))
        return Partial()
    return Partial(int(run or 0), (text or b"").decode())


def forget(turn_id: int) -> None:
    """Drop the text of a turn whose final one is in the database."""
    try:
        get_redis().delete(_key(turn_id))
    except RedisError as error:
        log.warning("live_answer_kept", turn_id=turn_id, reason=str(error))


def announce(user_id: int, event: str, data: dict[str, Any], *, tenant_id: int | None = None) -> None:
    """Send one event to the pages of this user; `tenant_id` where no tenant may be bound, as after a commit."""
    publish(f"user.{user_id}", event, data, tenant_id=tenant_id)


def _key(turn_id: int) -> str:
    return f"chat:{current_tenant_id()}:{turn_id}"


class LiveAnswer:
    """The writer's side of one answer. Raises LeaseLost when another run has taken the turn over."""

    def __init__(self, *, turn_id: int, conversation_id: int, user_id: int, owner: str) -> None:
        self._ids = {"turn_id": turn_id, "conversation_id": conversation_id}
        self._turn_id, self._user_id, self._owner = turn_id, user_id, owner
        self._run = 0
        self._pending = ""
        self._sent = 0
        self.text = ""

    def begin(self, reason: str = "") -> None:
        """Take the turn over and start from nothing; pages that show an earlier beginning throw it away."""
        self._run = max(self._run + 1, time.time_ns() // 1_000_000)
        self.text = self._pending = ""
        self._sent = 0
        try:
            get_redis().hset(_key(self._turn_id), mapping={"owner": self._owner, "run": self._run, "text": ""})
        except RedisError as error:
            log.warning("live_answer_not_kept", turn_id=self._turn_id, reason=str(error))
        announce(self._user_id, "chat_restart", self._ids | {"run": self._run, "reason": reason})

    def add(self, text: str) -> None:
        """Take a piece; it is shown at the next flush."""
        self.text += text
        self._pending += text

    @property
    def is_waiting(self) -> bool:
        """Whether there is anything to flush."""
        return bool(self._pending)

    @property
    def has_shown(self) -> bool:
        """Whether anything has been flushed since the beginning."""
        return self._sent > 0

    def flush(self) -> None:
        """Keep the text so far and send what is new."""
        piece, self._pending = self._pending, ""
        if not self._keep():
            raise LeaseLost
        announce(self._user_id, "chat_token", self._ids | {"run": self._run, "offset": self._sent, "text": piece})
        self._sent += units(piece)

    def _keep(self) -> bool:
        try:
            kept = get_redis().eval(
                _STORE, 1, _key(self._turn_id), self._owner, str(self._run), self.text, str(KEEP_SECONDS)
            )
        except RedisError as error:  # pages catch up from the database
            log.warning("live_answer_not_kept", turn_id=self._turn_id, reason=str(error))
            return True
        return bool(kept)
