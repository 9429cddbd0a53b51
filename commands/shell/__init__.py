"""How the shell carries a verb out: its help, its connection to an engine, what it shows on a terminal."""
