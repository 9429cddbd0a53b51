"""What the files and folders of a session are called, and the version of their form."""

SCHEMA = 2
"""The form that is written: 1 had no first line in its log; see migrations.py for how older ones are read."""

META_NAME = "session.json"
LOG_NAME = "log.jsonl"
VIEW_NAME = "view.json"
NOTES_NAME = "notes.md"
ARTIFACTS = "artifacts"
RESULT_NAME = "result.json"
LOST = "lost"
"""Results without a log line: a crash came before it, or the log lost its end. Nothing reads them."""
INPUTS = "inputs"
STORES = "stores"
"""What came along with an exported session of `WORKBENCH_HOME`: the index that its pages show, and its corpus."""
MANIFEST_NAME = "manifest.json"
OPENED_NAME = ".opened"
"""Marks a folder whose one session is a colleague's, open for reading."""
