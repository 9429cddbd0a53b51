"""Concept stimulus sets: sentences in categories, and what a model's features do on them."""
