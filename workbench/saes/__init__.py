"""Feature spaces: the latents of a sparse autoencoder at a site, or the site's own units; and training SAEs."""

from workbench.saes.schedule import k_schedule

__all__ = ["k_schedule"]
