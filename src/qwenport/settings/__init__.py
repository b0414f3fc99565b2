"""Settings from the environment, `.env` and the configuration file."""
