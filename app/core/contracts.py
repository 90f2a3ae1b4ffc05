"""The five API contracts: where each lives, what it is for and how it says an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field


class InsightError(BaseModel):
    """An error as the insight contract says it: `error` is for people, `code` for programs."""

    error: str = Field(examples=["There is nothing here with this id."])
    code: str = Field(examples=["not_found"])
    details: dict[str, Any] = Field({}, description="What is known beyond that; `field` and `errors` name bad fields.")


class StratumError(BaseModel):
    """An error as the stratum contract says it."""

    success: Literal[False]
    error: str = Field(examples=["There is nothing here with this id."])
    code: str = Field(examples=["NOT_FOUND"])
    details: dict[str, Any] = Field(description="What is known beyond that; `field` and `errors` name bad fields.")


class SyncFault(BaseModel):
    """What went wrong."""

    code: str = Field(examples=["NOT_FOUND"])
    message: str
    details: dict[str, Any]


class SyncError(BaseModel):
    """An error as the audience sync contract says it."""

    error: SyncFault


class TobermoryError(BaseModel):
    """An error as the data persistence contract says it."""

    error: str
    details: str
    code: str = Field(examples=["NOT_FOUND"])


class MessagingError(BaseModel):
    """An error as the messaging contract says it."""

    error: str = Field(examples=["not_found"])
    message: str
    details: dict[str, Any]
    field: str = ""
    retry_after_seconds: int = 0
    timestamp: str
    request_id: str


@dataclass(frozen=True)
class Contract:
    """`prefix` is where its addresses begin, `also` where else; `invalid` is the status of a bad field.

    `tags` come first and in this order in its document; others follow as they were registered.
    """

    name: str
    title: str
    prefix: str
    about: str
    error: type[BaseModel]
    invalid: int = 422
    tags: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


CONTRACTS = (
    Contract(
        "insight",
        "Insight",
        "",
        "Audiences, their segments and personas, conversations and simulations.",
        InsightError,
        tags=(
            "Account",
            "Audiences",
            "Segments",
            "Personas",
            "Simulations",
            "Conversations",
            "Prompts",
            "People",
        ),
    ),
    Contract(
        "stratum",
        "Stratum",
        "/api/v1",
        "Sign-in with tokens, two-factor, people, workspaces, API keys, webhooks and the audit log.",
        StratumError,
        tags=(
            "Authentication",
            "Two-factor",
            "Users",
            "Invitations",
            "Tenants",
            "API keys",
            "Webhooks",
            "Audit log",
            "Jobs",
        ),
    ),
    Contract(
        "sync",
        "Audience sync",
        "/api/v1/cdp/audience-sync",
        "Sends segments to ad platforms and keeps them fresh.",
        SyncError,
    ),
    Contract("tobermory", "Data persistence", "/api", "Profiles, segments and events.", TobermoryError, 400),
    Contract(
        "messaging",
        "Messaging",
        "/messaging/api/v1",
        "Messages to people, and what they answer.",
        MessagingError,
        400,
        tags=("Users", "Campaigns", "Templates", "Segments", "Reporting", "Monitoring", "Threads", "Callbacks"),
        also=("/webhooks",),
    ),
)


def contract_at(path: str) -> Contract:
    """The contract an address belongs to: the longest prefix in whole path segments."""
    begins = [(begin, contract) for contract in CONTRACTS for begin in (contract.prefix, *contract.also)]
    matches = [(len(begin), contract) for begin, contract in begins if f"{path}/".startswith(f"{begin}/")]
    return max(matches, key=lambda match: match[0])[1]


def find_contract(name: str) -> Contract | None:
    return next((contract for contract in CONTRACTS if contract.name == name), None)
