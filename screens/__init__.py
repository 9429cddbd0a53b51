"""The Textual app: keys become commands, results become rows and heatmaps."""
