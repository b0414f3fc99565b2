"""The only package that knows ASGI: endpoints of the faces, health and the admin API."""
