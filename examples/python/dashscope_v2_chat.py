"""A streamed chat by the official `dashscope` client, 2.x interface.

DASHSCOPE_API_KEY and DASHSCOPE_HTTP_BASE_URL say where to; see README.md.
"""

from collections.abc import Iterable
from typing import Any

from dashscope.v2 import Client
from dashscope.v2.errors import APIConnectionError, APIStatusError
from patience import Refusal, patiently


def begin(client: Client) -> Iterable[Any]:
    """Begin the stream."""
    try:
        return client.chat.completions.create(
            model="qwen-plus",
            messages=[{"role": "user", "content": "Who are you?"}],
            max_tokens=100,
            stream=True,
        )
    except APIStatusError as error:
        raise Refusal(error.message, error.status_code, error.code, error.headers) from error
    except APIConnectionError as error:
        raise Refusal(str(error)) from error


with Client(timeout=60, max_retries=0) as client:
    usage = None
    for chunk in patiently(lambda: begin(client)):
        for choice in chunk.choices:
            print(choice.delta.content or "", end="", flush=True)
        usage = chunk.usage or usage
    print(f"\n{usage.input_tokens} + {usage.output_tokens} tokens" if usage else "")
