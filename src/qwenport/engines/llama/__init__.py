"""The embedded llama.cpp engine: a child process that hosts it, and the gateway's side of it."""
