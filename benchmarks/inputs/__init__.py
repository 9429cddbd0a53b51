"""Inputs that more than one benchmark makes."""
