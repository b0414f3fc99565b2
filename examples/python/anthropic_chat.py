"""A streamed message by the official `anthropic` client. ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL say where to."""

import anthropic
from patience import Refusal, patiently

client = anthropic.Anthropic(timeout=anthropic.Timeout(60, connect=5), max_retries=0)


def begin() -> anthropic.Stream[anthropic.types.RawMessageStreamEvent]:
    """Begin the stream."""
    try:
        return client.messages.create(
            model="qwen-plus",
            max_tokens=100,
            messages=[{"role": "user", "content": "Who are you?"}],
            stream=True,
        )
    except anthropic.APIStatusError as error:
        raise Refusal(error.message, error.status_code, str(error.body), error.response.headers) from error
    except anthropic.APIConnectionError as error:
        raise Refusal(str(error)) from error


with patiently(begin) as events:
    for event in events:
        if event.type == "content_block_delta" and event.delta.type == "text_delta":
            print(event.delta.text, end="", flush=True)
        if event.type == "message_delta":
            print(f"\n{event.usage.output_tokens} tokens of output")
