"""A streamed chat by nothing but `requests`, on the native protocol.

DASHSCOPE_API_KEY and DASHSCOPE_HTTP_BASE_URL say where to; see README.md.
"""

import json
import os

import requests
from patience import Refusal, patiently

BASE_URL = os.environ.get("DASHSCOPE_HTTP_BASE_URL", "http://127.0.0.1:8600/api/v1")
BODY = {
    "model": "qwen-plus",
    "input": {"messages": [{"role": "user", "content": "Who are you?"}]},
    "parameters": {"result_format": "message", "incremental_output": True, "max_tokens": 100},
}
HEADERS = {"Authorization": f"Bearer {os.environ['DASHSCOPE_API_KEY']}", "X-DashScope-SSE": "enable"}


def begin() -> requests.Response:
    """Begin the stream; 5 seconds to connect, 60 between two pieces."""
    url = f"{BASE_URL}/services/aigc/text-generation/generation"
    try:
        response = requests.post(url, json=BODY, headers=HEADERS, stream=True, timeout=(5, 60))
        if response.status_code != 200:
            told = response.text
            raise Refusal(told, response.status_code, told, {k.lower(): v for k, v in response.headers.items()})
    except requests.RequestException as error:
        raise Refusal(str(error)) from error
    return response


usage = {}
with patiently(begin) as response:
    for line in response.iter_lines():
        if not line.startswith(b"data:"):
            continue
        event = json.loads(line.removeprefix(b"data:"))
        # An error in the middle of a stream is a frame like others.
        if "output" not in event:
            raise SystemExit(f"{event['code']}: {event['message']}")
        print(event["output"]["choices"][0]["message"]["content"], end="", flush=True)
        usage = event["usage"]
print(f"\n{usage['input_tokens']} + {usage['output_tokens']} tokens")
