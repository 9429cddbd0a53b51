"""The line at the foot: what it asks, completion, carrying a verb out, where its result is seen."""
