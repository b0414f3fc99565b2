"""`make bench`: what Qwenport costs, measured in one run beside the bare engine host and beside nginx."""
