"""The scripts that made the worked example sessions."""
