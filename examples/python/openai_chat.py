"""A streamed chat by the official `openai` client. OPENAI_API_KEY and OPENAI_BASE_URL say where to; see README.md."""

import openai
from patience import Refusal, patiently

# The client's own tries do not know an exhausted quota of every server; `patiently` does.
client = openai.OpenAI(timeout=openai.Timeout(60, connect=5), max_retries=0)


def begin() -> openai.Stream[openai.types.chat.ChatCompletionChunk]:
    """Begin the stream."""
    try:
        return client.chat.completions.create(
            model="qwen-plus",
            messages=[{"role": "user", "content": "Who are you?"}],
            max_tokens=100,
            stream=True,
            stream_options={"include_usage": True},
        )
    except openai.APIStatusError as error:
        raise Refusal(error.message, error.status_code, error.code, error.response.headers) from error
    except openai.APIConnectionError as error:
        raise Refusal(str(error)) from error


with patiently(begin) as chunks:
    for chunk in chunks:
        for choice in chunk.choices:
            print(choice.delta.content or "", end="", flush=True)
        if chunk.usage:
            print(f"\n{chunk.usage.prompt_tokens} + {chunk.usage.completion_tokens} tokens")
