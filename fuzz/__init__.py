"""Random and mutated requests against every face; `make fuzz` runs it."""
