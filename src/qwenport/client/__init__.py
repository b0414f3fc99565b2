"""Clients of a running server; so far the admin API's."""
