"""Quanta: clusters of predictions, and choosing the samples they are made of."""
