"""The library of the feature workbench: models, SAEs, stimuli, statistics, sessions and the engine."""

__version__ = "0.1.0"
