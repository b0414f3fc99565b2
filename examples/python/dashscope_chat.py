"""A streamed chat by the official `dashscope` client, 1.x interface.

DASHSCOPE_API_KEY and DASHSCOPE_HTTP_BASE_URL say where to; see README.md.
"""

from collections.abc import Iterator
from itertools import chain

import dashscope
import requests
from dashscope.api_entities.dashscope_response import GenerationResponse
from patience import Refusal, patiently


def begin() -> Iterator[GenerationResponse]:
    """Begin the stream. This client raises nothing for an error of the server: its answers have a status."""
    try:
        answers = iter(
            dashscope.Generation.call(
                model="qwen-plus",
                messages=[{"role": "user", "content": "Who are you?"}],
                result_format="message",
                max_tokens=100,
                stream=True,
                incremental_output=True,
                request_timeout=60,
            )
        )
        first = next(answers)
    except requests.RequestException as error:
        raise Refusal(str(error)) from error
    return chain([checked(first)], map(checked, answers))


def checked(answer: GenerationResponse) -> GenerationResponse:
    """Return an answer that is one."""
    if answer.status_code != 200:
        raise Refusal(answer.message, answer.status_code, answer.code)
    return answer


for answer in patiently(begin):
    print(answer.output.choices[0].message.content, end="", flush=True)
    usage = answer.usage
print(f"\n{usage.input_tokens} + {usage.output_tokens} tokens")
