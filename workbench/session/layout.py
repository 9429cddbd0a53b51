"""What the files and folders of a session are called, and the version of their form."""

SCHEMA = 1

META_NAME = "session.json"
LOG_NAME = "log.jsonl"
VIEW_NAME = "view.json"
NOTES_NAME = "notes.md"
ARTIFACTS = "artifacts"
INPUTS = "inputs"
