"""The admin API: what operators do with keys, usage and the books, as JSON."""
