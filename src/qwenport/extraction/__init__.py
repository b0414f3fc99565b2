"""Documents to checked rows; empty until the extraction products come."""
