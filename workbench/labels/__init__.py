"""Labels of features: suggested from the tokens they fire on, or given by the investigator."""

from workbench.labels.rating import parse_rating

__all__ = ["parse_rating"]
