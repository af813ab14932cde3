"""Feature steps of the host."""
