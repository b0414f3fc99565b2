"""Which engine takes a call, and how many it takes at a time."""
