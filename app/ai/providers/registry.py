"""Makes a provider by its name."""

from __future__ import annotations

from app.ai.providers.base import AIProvider

BUILTIN = "builtin"
PROVIDER_NAMES = ("anthropic", "openai", "deepseek", "groq", "perplexity", "local", BUILTIN)
DEFAULT_MODELS = {
    "anthropic": "claude-sonnet-5-5",
    "openai": "gpt-5.4-mini",
    "deepseek": "deepseek-v4-flash",
    "groq": "openai/gpt-oss-120b",
    "perplexity": "sonar-pro",
}
DEFAULT_BASE_URLS = {
    "anthropic": "https://api.anthropic.com/v1",
    "openai": "https://api.openai.com/v1",
    "deepseek": "https://api.deepseek.com",
    "groq": "https://api.groq.com/openai/v1",
    "perplexity": "https://api.perplexity.ai",
}


def build(
    name: str, *, api_key: str = "", base_url: str = "", model: str = "", token_delay_seconds: float = 0.0
) -> AIProvider:
    """A provider; empty address and model mean its defaults. Raises ValueError for what cannot be made of these.

    A local server has no default address or model. The built-in analyst needs neither; `token_delay_seconds` paces
    its streams.
    """
    if name not in PROVIDER_NAMES:
        raise ValueError(f"There is no AI provider named “{name}”.")
    if name == BUILTIN:
        from app.ai.providers.builtin.analyst import BuiltinProvider

        return BuiltinProvider(token_delay_seconds=token_delay_seconds)
    address, chosen = base_url or DEFAULT_BASE_URLS.get(name, ""), model or DEFAULT_MODELS.get(name, "")
    if not address or not chosen:
        raise ValueError(f"The AI provider “{name}” needs an address and a model.")
    if not api_key and name != "local":
        raise ValueError(f"The AI provider “{name}” needs a key.")
    return _remote(name, api_key, address, chosen)


def _remote(name: str, api_key: str, base_url: str, model: str) -> AIProvider:
    """A vendor's file is loaded when first asked for, its SDK, which is heavy, with the first call."""
    if name == "anthropic":
        from app.ai.providers.anthropic import AnthropicProvider

        return AnthropicProvider(api_key=api_key, base_url=base_url, model=model)
    if name == "perplexity":
        from app.ai.providers.perplexity import PerplexityProvider

        return PerplexityProvider(api_key=api_key, base_url=base_url, model=model)
    from app.ai.providers import openai_shaped

    shaped = {
        "openai": openai_shaped.OpenAIProvider,
        "deepseek": openai_shaped.DeepSeekProvider,
        "groq": openai_shaped.GroqProvider,
        "local": openai_shaped.LocalProvider,
    }
    return shaped[name](api_key=api_key, base_url=base_url, model=model)
