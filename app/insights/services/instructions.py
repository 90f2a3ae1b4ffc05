"""What each step asks of a language model, besides the prompt it is asked with."""

from __future__ import annotations

from app.ai.services.requests import Task

RESEARCH = (
    "Research the market of the business described in the data: who buys, how many they are, what they need, how "
    "they decide, where they look, what holds them back. Name figures with their source and year, and mark each "
    "with [n]. Say plainly what you could not find."
)
INSIGHT = (
    "Work out what this business should know about its market: summary, total_addressable_market with its "
    "arithmetic, key_insights and recommendations. Use only figures that stand in the research."
)
SEGMENTS = (
    "Cut this audience into three to five segments that behave differently, not merely differ in age. "
    "size_percentage are whole numbers that add up to 100. Stay within the brief's place, ages and incomes."
)
PERSONAS = (
    "Write {count} believable people of the segment named in the data. Each must be consistent in itself: age, "
    "household, occupation, income, education and place must fit one another and the segment. Do not use any of the "
    "taken names. In evidence, say for each field whether it is inferred (from what) or invented."
)
REPORTS = {
    Task.RESEARCH: RESEARCH,
    Task.REFLECTION: (
        "As a critical expert, reflect on this audience: what is well founded, what is assumed, what is missing, "
        "what to test first and how. Refer to segments and personas by name."
    ),
    Task.MARKET_SIMULATION: (
        "Simulate how each segment would meet this offer: noticing it, weighing it, first purchase, coming back or "
        "leaving. Let each persona react in character. End with what the business should expect."
    ),
    Task.OPTIMIZATION: (
        "Propose how to improve the marketing for each segment: message, channel, offer, timing. Rank the changes by "
        "expected effect, say in which direction you expect each figure to move and how to measure it."
    ),
}
DEEP = " Go into depth: check claims against each other, weigh the sources and say how sure you are of each point."
