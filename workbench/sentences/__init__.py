"""Features on sentences of one's own: what is active, what differs, what is shared."""
