"""The database: tables, migrations, transactions; nothing of SQLAlchemy leaves this package."""
