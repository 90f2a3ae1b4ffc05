"""An entry of the audit log as a sentence a person would say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.accounts.models import AuditEntry

# {actor} stands for who did it; other names are the entry's subject and what its values held before (old) and after
# (new). A sentence without {actor} begins with the actor. What is not here is made of the action's own words.
SENTENCES: dict[str, str] = {
    "session.started": "signed in",
    "session.ended": "signed out{ending}",
    "session.refused": "Someone tried to sign in as {actor} and was refused",
    "session.moved": "went on in another workspace",
    "session.token_reused": "A sign-in token of {actor} was used a second time, so that sign-in was ended",
    "sessions.ended": "ended the other sign-ins of {subject}",
    "password.changed": "changed their password",
    "password.reset": "set a new password by a link",
    "password.reset_link_made": "made a link for {subject} to set a new password",
    "mfa.enabled": "turned two-factor on",
    "mfa.disabled": "turned two-factor off",
    "mfa.reset": "reset two-factor of {subject}",
    "mfa.codes_made": "made new backup codes",
    "mfa.backup_code_used": "used a backup code, {new_left} are left",
    "mfa.refused": "Someone gave a wrong code for {actor}",
    "passkey.added": "added the passkey {subject}",
    "passkey.renamed": "renamed the passkey {subject}",
    "passkey.removed": "removed the passkey {subject}",
    "passkey.refused": "A passkey of {actor} did not prove itself and was refused",
    "passkey.count_went_back": "A passkey of {actor} was refused, since it may be a copy",
    "user.created": "added {subject}",
    "user.updated": "changed the account of {subject}",
    "user.role_changed": "changed the role of {subject} to {new_role}",
    "user.deactivated": "deactivated {subject}",
    "user.activated": "activated {subject}",
    "user.renamed": "changed their name to {new_name}",
    "user.removed": "removed {subject} from the workspace",
    "invitation.created": "invited {subject} as {new_role}",
    "invitation.sent_again": "sent the invitation of {subject} again",
    "invitation.accepted": "joined as {new_role}",
    "invitation.revoked": "revoked the invitation of {subject}",
    "tenant.created": "made the workspace {subject}",
    "tenant.updated": "changed the workspace {subject}",
    "tenant.mfa_required": "made two-factor a must for everyone",
    "tenant.mfa_optional": "left two-factor to everyone's choice",
    "api_key.created": "made the API key {subject}",
    "api_key.rotated": "rotated the API key {subject}",
    "webhook.rotated": "made a new secret for the webhook {subject}",
    "webhook.disabled": "turned off the webhook {subject}: {new_reason}",
    "audit_log.exported": "exported the audit log as {new_format}",
    "ai_key.saved": "saved a key for {subject}",
    "ai_key.removed": "removed the key for {subject}",
    "ai_access.changed": "changed the settings of {subject}",
    "ai_order.changed": "changed who answers {subject} first",
    "ai_order.reset": "put the order for {subject} back to the usual one",
    "ai_budget.changed": "changed the monthly AI budget from {old_dollars} to {new_dollars}",
    "ai_deep_research.changed": "changed deep research from {old_is_on} to {new_is_on}",
    "prompt.changed": "reworded the prompt for {subject}",
    "prompt.restored": "put an earlier wording of the prompt for {subject} back in use",
    "simulation.exported": "downloaded the simulation {subject} as {new_format}",
    "audience.exported": "downloaded the audience {subject} as {new_format}",
    "report.exported": "downloaded the report {subject}",
    "conversation.exported": "downloaded the conversation {subject}",
}
KINDS: tuple[tuple[str, str], ...] = (
    ("session", "Signing in and out"),
    ("mfa,passkey,password", "Passwords and two-factor"),
    ("user,invitation", "People and roles"),
    ("api_key", "API keys"),
    ("webhook", "Webhooks"),
    ("tenant", "Workspace"),
    ("ai_,prompt", "AI and prompts"),
    ("audience,segment,persona,simulation,conversation", "Audiences and simulations"),
    ("audit_log,audience.exported,report.exported,simulation.exported,conversation.exported", "Downloads"),
)
CREDENTIALS: tuple[tuple[str, str], ...] = (
    ("browser", "A browser"), ("tokens", "A program's sign-in"), ("api_key", "An API key"), ("job", "Background work"),
    ("command", "A command"), ("none", "Not signed in"),
)  # fmt: skip
_OF_ONE_VALUE: dict[tuple[str, str, bool | None], str] = {  # action, what changed, and to what if that is yes or no
    ("user.updated", "role", None): "user.role_changed",
    ("user.updated", "is_active", True): "user.activated",
    ("user.updated", "is_active", False): "user.deactivated",
    ("tenant.updated", "requires_mfa", True): "tenant.mfa_required",
    ("tenant.updated", "requires_mfa", False): "tenant.mfa_optional",
}
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):[\d.]+\+00:00$")
_FORMATS = {"csv": "CSV", "json": "JSON", "md": "Markdown"}
_UNNAMED = "something"
_ABBREVIATION = re.compile(r"\b(ai|api|mfa|totp)\b")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_KINDS_OF_ROW = {"User": "person", "UserSession": "sign-in", "Tenant": "workspace"}
_FIELD = re.compile(r"\{(\w+)\}")
_LONGEST_VALUE = 60


@dataclass(frozen=True)
class Sentence:
    """Split around the actor, so that a page can set the name apart."""

    before: str
    actor: str
    after: str

    def __str__(self) -> str:
        return f"{self.before}{self.actor}{self.after}"


def say(entry: AuditEntry, names: Mapping[int, str]) -> Sentence:
    """The entry in words; `names` says what people are called now."""
    actor = names.get(entry.actor_id or 0) or entry.actor_label or "Someone who has left"
    if entry.actor_id is None and actor == "system":
        actor = "Parley"
    pattern = SENTENCES.get(_particular(entry)) or _from_action(entry.action)
    before, _, after = pattern.rpartition("{actor}")
    facts = _facts(entry)
    return Sentence(_filled(before, facts), actor, _filled(after if "{actor}" in pattern else f" {after}", facts))


def _particular(entry: AuditEntry) -> str:
    """A change of one value that has a sentence of its own; else the action."""
    after = entry.after or {}
    name, value = next(iter(after.items()), ("", None))
    if len(after) != 1:
        return entry.action
    return _OF_ONE_VALUE.get((entry.action, name, value if isinstance(value, bool) else None), entry.action)


def credential_words(credential: str) -> str:
    """`api_key:7` as `An API key (no. 7)`."""
    kind, _, number = credential.partition(":")
    word = dict(CREDENTIALS).get(kind, kind.replace("_", " "))
    return f"{word} (no. {number})" if number else word


def subject_words(entry: AuditEntry) -> str:
    """`ApiKey` and 7 as `API key no. 7`."""
    words = _ABBREVIATION.sub(lambda found: found[0].upper(), _CAPITAL.sub(" ", entry.subject_type).lower())
    return f"{_KINDS_OF_ROW.get(entry.subject_type, words)} no. {entry.subject_id}"


def value_words(value: Any) -> str:
    """A value of `before` or `after` as a page shows it."""
    if value is None or value == "" or value == []:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value_words(one) for one in value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {value_words(one)}" for name, one in value.items())
    moment = _MOMENT.match(str(value))
    return f"{moment[1]} {moment[2]} UTC" if moment else str(value)


def _from_action(action: str) -> str:
    """`invitation.revoked` as `revoked the invitation {subject}`."""
    noun, _, verb = _ABBREVIATION.sub(lambda found: found[0].upper(), action.replace("_", " ")).partition(".")
    return f"{verb} the {noun} {{subject}}" if verb else f"changed {noun} {{subject}}"


def _facts(entry: AuditEntry) -> dict[str, str]:
    facts = {"subject": entry.subject_label or _UNNAMED}
    for prefix, values in (("old", entry.before), ("new", entry.after)):
        facts |= {f"{prefix}_{name}": _short(value_words(value)) for name, value in (values or {}).items()}
    facts["new_format"] = _FORMATS.get(facts.get("new_format", ""), "a file")
    reason = facts.get("new_reason", "signed out")
    return {**facts, "ending": "" if reason == "signed out" else f": {reason}"}


def _filled(pattern: str, facts: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda found: facts.get(found[1], _UNNAMED), pattern).removesuffix(f" {_UNNAMED}")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
