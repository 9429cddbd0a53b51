"""Select: rankings of features, the volcano, contrasts place by place, RDMs."""
