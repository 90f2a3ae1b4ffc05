"""What the AI door's edges take."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StrictBool, StringConstraints

PromptText = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=20_000)]


class PromptUpdate(BaseModel):
    """The body of PUT /admin/prompts: any of the eight, and nothing else."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    perplexity_prompt: PromptText = ""
    expert_reflection_prompt: PromptText = ""
    run_simulation_prompt: PromptText = ""
    run_optimization_simulation_prompt: PromptText = ""
    create_persona_prompt: PromptText = ""
    chat_with_persona_prompt: PromptText = ""
    image_processing_prompt: PromptText = ""
    deep_research: StrictBool = False

    def given(self) -> dict[str, str | bool]:
        """Only what was sent."""
        return self.model_dump(include=self.model_fields_set)


class PromptsShown(BaseModel):
    """The seven texts in use, and whether research goes deep."""

    perplexity_prompt: str
    expert_reflection_prompt: str
    run_simulation_prompt: str
    run_optimization_simulation_prompt: str
    create_persona_prompt: str
    chat_with_persona_prompt: str
    image_processing_prompt: str
    deep_research: bool
