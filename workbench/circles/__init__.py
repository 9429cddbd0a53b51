"""Tasks whose answers go round a circle, put to a model: asking, probing, patching and sweeping, in batches."""
