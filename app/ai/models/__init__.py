"""Tables of the AI door."""

from app.ai.models.credential import AICredential, CheckState
from app.ai.models.preference import AIPreference
from app.ai.models.prompt import PromptVersion
from app.ai.models.usage import AICall, Outcome

__all__ = ["AICall", "AICredential", "AIPreference", "CheckState", "Outcome", "PromptVersion"]
