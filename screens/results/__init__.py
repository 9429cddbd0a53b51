"""What stored results look like: each command's tables and figures as rows, and what `w` says of their numbers."""
