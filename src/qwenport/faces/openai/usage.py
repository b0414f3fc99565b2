"""The `usage` object of the OpenAI face."""

from __future__ import annotations

from qwenport.core.usage import Usage

_USAGE = b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{%b}%b}'
_CACHED = b'"cached_tokens":%d'
_OF_IMAGES = b'"cached_tokens":%d,"image_tokens":%d,"text_tokens":%d'
_COMPLETION_DETAILS = b',"completion_tokens_details":{%b}'


def encode_usage(usage: Usage, *, thinks: bool = False, sees: bool = False) -> bytes:
    """Return the object, with the details of reasoning and of images where the call has to do with them."""
    prompt = _CACHED % usage.cached_tokens
    if sees:
        text_tokens = usage.input_tokens - usage.image_tokens
        prompt = _OF_IMAGES % (usage.cached_tokens, usage.image_tokens, text_tokens)
    return _USAGE % (
        usage.input_tokens,
        usage.output_tokens,
        usage.total_tokens,
        prompt,
        _completion_details(usage, thinks=thinks, sees=sees),
    )


def _completion_details(usage: Usage, *, thinks: bool, sees: bool) -> bytes:
    details = []
    if thinks:
        details.append(b'"reasoning_tokens":%d' % usage.reasoning_tokens)
    if sees:
        details.append(b'"text_tokens":%d' % (usage.output_tokens - usage.reasoning_tokens))
    return _COMPLETION_DETAILS % b",".join(details) if details else b""
