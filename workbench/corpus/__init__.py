"""Corpora: streams of documents with a digest, and token stores made of them; no torch."""
