"""Feature: one feature, its panes, a pair of them, and your own text."""
