"""What tokens cost, for the models whose list price is known; for any other the cost is unknown, never guessed.

List prices in US dollars for a million tokens, as published in November 2026, without volume or batch discounts:
Anthropic platform.claude.com/docs (models overview), OpenAI developers.openai.com/api/docs/pricing,
DeepSeek api-docs.deepseek.com/quick_start/pricing (peak hours; half of it at other times),
Groq console.groq.com/docs/models. Perplexity tells the cost of each answer itself, so it has no row here.
"""

from __future__ import annotations

from dataclasses import dataclass

PRICED_ON = "2026-11-23"


@dataclass(frozen=True)
class Price:
    """Dollars for a million tokens; without a price of their own, cached tokens cost as much as others."""

    input: float
    output: float
    cached: float | None = None
    long_from: int | None = None
    long_input: float = 0.0
    long_output: float = 0.0


PRICES: dict[tuple[str, str], Price] = {
    ("anthropic", "claude-opus-5-5"): Price(4.00, 20.00, 0.20),
    ("anthropic", "claude-sonnet-5-5"): Price(2.00, 10.00, 0.10),
    ("anthropic", "claude-haiku-5-5"): Price(0.10, 0.50, 0.01, long_from=100_000, long_input=0.50, long_output=2.50),
    ("anthropic", "claude-opus-5"): Price(5.00, 25.00, 0.50),
    ("anthropic", "claude-sonnet-5"): Price(2.00, 10.00, 0.20),
    ("anthropic", "claude-haiku-4-5"): Price(1.00, 5.00, 0.10),
    ("openai", "gpt-6.2-astra"): Price(8.00, 40.00),
    ("openai", "gpt-6.2-sol"): Price(2.00, 10.00),
    ("openai", "gpt-6-luna"): Price(0.10, 0.50, 0.01),
    ("openai", "gpt-5.5"): Price(5.00, 30.00, 0.50),
    ("openai", "gpt-5.4-mini"): Price(0.75, 4.50, 0.075),
    ("deepseek", "deepseek-flash"): Price(0.30, 1.20, 0.006),
    ("deepseek", "deepseek-v4-flash"): Price(0.30, 1.20, 0.006),
    ("deepseek", "deepseek-v4-pro"): Price(1.32, 3.96, 0.044),
    ("groq", "openai/gpt-oss-120b"): Price(0.15, 0.60),
    ("groq", "openai/gpt-oss-20b"): Price(0.075, 0.30),
    ("groq", "llama-3.3-70b-versatile"): Price(0.59, 0.79),
    ("groq", "llama-3.1-8b-instant"): Price(0.05, 0.08),
}


def cost_micros(
    provider: str, model: str, *, input_tokens: int, output_tokens: int, cached_tokens: int = 0
) -> int | None:
    """Millionths of a dollar for one answer, None when the price is not known; `cached_tokens` are part of the input.

    Dollars for a million tokens are millionths of a dollar for one. A model on one's own machine costs nothing.
    """
    if provider == "local":
        return 0
    price = PRICES.get((provider, model))
    if price is None:
        return None
    is_long = price.long_from is not None and input_tokens > price.long_from
    input_price = price.long_input if is_long else price.input
    output_price = price.long_output if is_long else price.output
    cached_price = input_price if price.cached is None or is_long else price.cached
    fresh = max(0, input_tokens - cached_tokens)
    return round(fresh * input_price + cached_tokens * cached_price + output_tokens * output_price)
