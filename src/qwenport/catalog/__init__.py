"""The models by name: one TOML file a model, and the weights on disk."""
