"""Qwenport: a self-hosted Qwen platform."""
