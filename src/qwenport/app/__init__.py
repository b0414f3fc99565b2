"""The composition root: settings in, processes and an ASGI application out."""
