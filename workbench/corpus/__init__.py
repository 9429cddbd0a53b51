"""Corpora: streams of documents with a digest; neither numpy nor torch."""
