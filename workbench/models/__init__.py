"""Language models: finding, loading, reading activations at a site, intervening at a site."""
