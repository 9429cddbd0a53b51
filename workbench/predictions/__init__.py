"""The predictions of a corpus on this machine: losses by the canonical numbering, samples in context, similarities."""
