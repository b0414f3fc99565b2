"""The wire protocols as pure codecs: bytes to calls, events to bytes; no input, output or waiting."""
