"""What the AI door's edges take."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StrictBool, StringConstraints

PromptText = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=20_000)]


class PromptUpdate(BaseModel):
    """The body of PUT /admin/prompts: any of the eight, and nothing else."""

    model_config = ConfigDict(extra="forbid")

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
