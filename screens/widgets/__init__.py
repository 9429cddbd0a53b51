"""The few line-drawn widgets every screen is made of."""
