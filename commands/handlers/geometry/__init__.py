"""Carries out `geometry.*`; each verb is in a file of its own."""

from commands.handlers.geometry.energies import energy
from commands.handlers.geometry.matching import match
from commands.handlers.geometry.optima import optimum

__all__ = ["energy", "match", "optimum"]
