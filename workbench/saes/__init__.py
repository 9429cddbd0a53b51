"""Feature spaces: the latents of a sparse autoencoder at a site, or the site's own units."""
