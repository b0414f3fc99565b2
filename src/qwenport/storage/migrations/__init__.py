"""Alembic environment: `env.py` runs a revision, `versions` holds them."""
