"""Stored files and uploads; empty until the file operations come."""
