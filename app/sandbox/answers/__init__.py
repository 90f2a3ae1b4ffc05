"""Made-up answers of the language-model services: deterministic, on the question's subject, of the asked shape."""
