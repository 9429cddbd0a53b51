"""Labels: what things are called, the queue that asks for it, blind mode."""
