"""Journal, ledger, usage: what was held, what was consumed, what it cost."""
