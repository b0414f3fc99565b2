"""Durable jobs; empty until batches and bulk extraction come."""
