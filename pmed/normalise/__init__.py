"""Drug names, units: what a record says, in one way of saying it."""
