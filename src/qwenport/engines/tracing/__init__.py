"""Spans of the tries at targets."""
