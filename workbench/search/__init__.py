"""Searching features by words: in labels and notes, in the tokens they fire on, and in the text of their windows."""
