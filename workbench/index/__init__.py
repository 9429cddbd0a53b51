"""The feature index: one pass over a corpus, after which any feature opens without the model."""
