"""Turning values into terminal cells: text, colours, small drawings, and when they are painted."""
