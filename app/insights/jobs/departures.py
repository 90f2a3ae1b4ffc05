"""What goes with someone who leaves a workspace."""

from __future__ import annotations

from app.accounts.events import MemberRemoved
from app.core.db import unit_of_work
from app.core.events import subscribe
from app.insights.services import conversations


@subscribe(MemberRemoved)
def forget_conversations(event: MemberRemoved) -> None:
    """Their conversations were theirs alone."""
    with unit_of_work():
        conversations.delete_all(event.user_id)
