"""Engines that somebody else runs: Alibaba Cloud's Model Studio and any OpenAI-compatible server."""
