"""The embedded embedding engine: a child process that hosts multilingual-e5-small, and the gateway's side of it."""
