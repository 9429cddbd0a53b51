"""The sections of a report, one subject a file: each reads the session and gives blocks."""
