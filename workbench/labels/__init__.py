"""Labels of features: suggested from the tokens they fire on, or given by the investigator."""
