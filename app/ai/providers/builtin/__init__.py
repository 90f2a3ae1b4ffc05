"""The built-in analyst: answers from the brief and from published figures shipped with the product, without a network."""
