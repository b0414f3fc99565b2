"""The one meeting place of a call: permission, admission, preparation, route, engine."""
