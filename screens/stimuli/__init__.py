"""Stimuli: the sets of sentences and the check of their design."""
