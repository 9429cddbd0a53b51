"""The verbs of the workbench: one typed class for each command and query."""
