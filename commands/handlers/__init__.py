"""What each verb does; loaded by name, never by the front ends."""
