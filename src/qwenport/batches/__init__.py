"""Batches of calls; empty until the batch operations come."""
