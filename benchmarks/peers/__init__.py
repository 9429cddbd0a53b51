"""Other tools on the same inputs, each in a virtual environment of its own."""
