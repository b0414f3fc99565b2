"""What the operator of a whole server does in tests: makes accounts, keys and limits, and reads the books."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

import httpx

from qwenport.core.ids import LimitId
from qwenport.testing.raw_client import Answer, request_bytes
from qwenport.testing.worker_connections import WorkerClient

CHAT = "/v1/chat/completions"


class Operated(Protocol):
    """A server whose admin API can be asked."""

    def operator(self, method: str, path: str, **more: object) -> httpx.Response:
        """Call the admin API."""
        ...


def made(server: Operated, path: str, body: Mapping[str, object]) -> dict[str, Any]:
    """Return what the admin API answers to a POST that it takes."""
    found: dict[str, Any] = server.operator("POST", path, json=body).raise_for_status().json()
    return found


def new_key(server: Operated, **settings: object) -> tuple[str, str]:
    """Return the id of a new key, and the key."""
    found = made(server, "/keys", settings)
    return found["id"], found["key"]


def prepaid_account(server: Operated, *, credit: str) -> str:
    """Return the id of a new account without a free quota, which has paid so many yuan."""
    account = made(server, "/accounts", {"email": f"{credit}@example.com", "kind": "prepaid", "free_tokens": 0})
    made(server, f"/accounts/{account['id']}/credit", {"amount": credit, "currency": "CNY"})
    return str(account["id"])


def new_limit(server: Operated, **settings: object) -> LimitId:
    """Return the id of a new limit."""
    return LimitId(made(server, "/limits", settings)["id"])


def knows(client: WorkerClient, key: str) -> bool:
    """Tell whether a worker takes a key."""
    return client.request("GET", "/v1/models", headers={"authorization": f"Bearer {key}"}).status_code == 200


def call_bytes(key: str, body: Mapping[str, object], path: str = CHAT) -> bytes:
    """Return a POST with a key."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    return request_bytes("POST", path, headers, json.dumps(body).encode())


def told(answer: Answer) -> tuple[int, str]:
    """Return the status and the code of an error in OpenAI's or in DashScope's form; an answer has no code."""
    body = json.loads(answer.body)
    return answer.status, str(body.get("error", body).get("code", ""))


def ids_of(answers: list[Answer]) -> list[str]:
    """Return the request ids of the calls that were answered, sorted."""
    found = [json.loads(answer.body)["id"] for answer in answers if answer.status == 200]
    return sorted(name.removeprefix("chatcmpl-") for name in found)


def calls(server: Operated, **filters: object) -> list[dict[str, Any]]:
    """Return the calls in the books, newest first."""
    answer = server.operator("GET", "/calls/export", params={"format": "ndjson", **filters})
    return [json.loads(line) for line in answer.raise_for_status().text.splitlines()]


def books(server: Operated) -> tuple[bool, int, int]:
    """Return whether the books balance, how many holds are open, how many calls are not in the books."""
    found = server.operator("GET", "/ledger/check").raise_for_status().json()
    return found["balanced"], found["open_holds"], found["unposted"]
