"""What lies over a screen: help, the command list, the tour, why a number, a reply as text."""
