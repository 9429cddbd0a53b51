"""Where the investigator is and was: back and forward, marks, the saved view."""
