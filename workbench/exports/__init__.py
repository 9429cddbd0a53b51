"""Features as files: tables for spreadsheets and notebooks, and JSON as Neuronpedia shows a feature."""
