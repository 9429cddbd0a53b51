"""Features as results have them: stored rankings, marks, and what a session knows about one feature."""
