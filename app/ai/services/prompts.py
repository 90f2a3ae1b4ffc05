"""The wording of prompts: shipped with the product, overridden by a tenant, kept in every version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy.exc import IntegrityError

from app.accounts.services import audit
from app.ai.models import PromptVersion
from app.ai.queries import latest_prompt_versions, list_prompt_versions
from app.core.config import ROOT
from app.core.crypto import fingerprint
from app.core.db import db
from app.core.errors import Conflict, NotFound, ValidationFailed

EDITABLE = (
    "perplexity_prompt",
    "expert_reflection_prompt",
    "run_simulation_prompt",
    "run_optimization_simulation_prompt",
    "create_persona_prompt",
    "chat_with_persona_prompt",
    "image_processing_prompt",
)
SHIPPED_ONLY = ("insight_prompt", "segments_prompt", "panel_prompt")
DEEP_RESEARCH = "deep_research"
LONGEST_PROMPT = 20_000


@dataclass(frozen=True)
class Prompt:
    """One wording. Version 0 is the product's own; the others are the tenant's."""

    name: str
    text: str
    version: int
    created_at: datetime | None = None
    created_by: int | None = None
    restored_from: int | None = None

    @property
    def ref(self) -> str:
        """What the ledger keeps: the version, for shipped texts with a mark that changes when the text does."""
        return str(self.version) if self.version else f"0.{fingerprint(self.text)[:6]}"

    @property
    def is_shipped(self) -> bool:
        return self.version == 0


def get_prompt(name: str) -> Prompt:
    """The wording in use for the acting tenant; raises NotFound for a name there is not."""
    if name in SHIPPED_ONLY:
        return shipped(name)
    return current_prompts()[_known(name)]


def current_prompts() -> dict[str, Prompt]:
    """All wordings in use that a tenant may change, in the contract's order."""
    rows = latest_prompt_versions()
    return {name: _as_prompt(rows[name]) if name in rows else shipped(name) for name in EDITABLE}


def all_prompts() -> dict[str, str | bool]:
    """What the contract shows: the seven texts, and whether research goes deep."""
    texts: dict[str, str | bool] = {name: prompt.text for name, prompt in current_prompts().items()}
    return {**texts, DEEP_RESEARCH: deep_research()}


def deep_research() -> bool:
    """Whether the acting tenant wants research to take longer and go deeper."""
    row = latest_prompt_versions().get(DEEP_RESEARCH)
    return row is not None and row.text == "true"


def update_prompts(values: Mapping[str, object], *, user_id: int | None = None) -> list[str]:
    """Make a new version of each value that differs from the one in use; gives the changed names.

    Refuses unknown names, wrong types, and texts that are empty or longer than 20,000 characters; then nothing changes.
    """
    cleaned = {name: _clean(name, value) for name, value in values.items()}
    in_use = {name: _stored(value) for name, value in all_prompts().items()}
    changed = [name for name, text in cleaned.items() if text != in_use[name]]
    for name in changed:
        row = _add_version(name, cleaned[name], user_id=user_id)
        _note(row, in_use[name])
    return changed


def history(name: str) -> list[Prompt]:
    """Every wording of a prompt, newest first, the shipped one last."""
    return [_as_prompt(row) for row in list_prompt_versions(_known(name))] + [shipped(name)]


def get_version(name: str, version: int) -> Prompt:
    """One wording; raises NotFound."""
    for prompt in history(name):
        if prompt.version == version:
            return prompt
    raise NotFound("There is no such version of this prompt.")


def restore(name: str, version: int, *, user_id: int | None = None) -> Prompt:
    """Put an earlier wording in use again, as a new version; nothing is lost and nothing changes if it is in use."""
    wanted, in_use = get_version(name, version), get_prompt(name)
    if wanted.text == in_use.text:
        return in_use
    row = _add_version(name, wanted.text, user_id=user_id, restored_from=version)
    _note(row, in_use.text)
    return _as_prompt(row)


@lru_cache(maxsize=32)
def shipped(name: str) -> Prompt:
    """The product's own wording."""
    if name not in (*EDITABLE, *SHIPPED_ONLY):
        raise NotFound("There is no such prompt.")
    path = ROOT / "templates" / "prompts" / f"{name}.txt"
    return Prompt(name, path.read_text(encoding="utf-8").strip(), 0)


def _known(name: str) -> str:
    if name not in EDITABLE:
        raise NotFound("There is no such prompt.")
    return name


def _clean(name: str, value: object) -> str:
    if name == DEEP_RESEARCH:
        if not isinstance(value, bool):
            raise ValidationFailed(f"{name}: must be true or false.", field=name)
        return _stored(value)
    if name not in EDITABLE:
        raise ValidationFailed(f"{name[:60]}: there is no such prompt.", field=name[:60])
    if not isinstance(value, str):
        raise ValidationFailed(f"{name}: must be a text.", field=name)
    text = value.replace("\r\n", "\n").replace("\x00", "").strip()
    if not 1 <= len(text) <= LONGEST_PROMPT:
        raise ValidationFailed(f"{name}: must have from 1 to 20,000 characters.", field=name)
    return text


def _stored(value: str | bool) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _add_version(name: str, text: str, *, user_id: int | None, restored_from: int | None = None) -> PromptVersion:
    newest = list_prompt_versions(name, limit=1)
    version = newest[0].version + 1 if newest else 1
    row = PromptVersion(name=name, version=version, text=text, created_by=user_id, restored_from=restored_from)
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError:
        raise Conflict("Somebody changed this prompt at the same moment. Look at it again.") from None
    return row


def _note(row: PromptVersion, text_before: str) -> None:
    if row.name == DEEP_RESEARCH:
        was, now = {"is_on": text_before == "true"}, {"is_on": row.text == "true"}
        audit.record("ai_deep_research.changed", row, before=was, after=now, label="deep research")
        return
    action = "prompt.changed" if row.restored_from is None else "prompt.restored"
    after = {"text": row.text, "version": row.version}
    audit.record(
        action, row, before={"text": text_before}, after=after, label=row.name.removesuffix("_prompt").replace("_", " ")
    )


def _as_prompt(row: PromptVersion) -> Prompt:
    return Prompt(row.name, row.text, row.version, row.created_at, row.created_by, row.restored_from)
