"""The Textual app: keys become commands, results become rows and heatmaps."""

import os

os.environ.setdefault("TEXTUAL_FPS", "120")
"""What changed waits at most this part of a second until it is painted. Textual's 60 is read when it is imported; a
letter of a filter is painted twice, and its rows then came after the 50 ms that a hand notices."""
