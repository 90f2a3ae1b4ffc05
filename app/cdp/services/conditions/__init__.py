"""Conditions over people: one grammar; each leaf is a set of ids from the index, and the same as SQL."""

from app.cdp.services.conditions.nodes import Group, Leaf, Node
from app.cdp.services.conditions.parse import parse

__all__ = ["Group", "Leaf", "Node", "parse"]
