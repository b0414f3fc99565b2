"""Models of pydantic that the official `openai` client asks for, filled from a page by the engine's own rules."""

from __future__ import annotations

import base64
import io
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import openai
import pytest
from PIL import Image
from pydantic import BaseModel, Field

from qwenport.catalog.catalog import Catalog
from qwenport.documents.page import Line, Page
from qwenport.engines.engine import Condition, EngineState
from qwenport.engines.host_address import host_peer
from qwenport.engines.ocr.engine import OcrEngine
from qwenport.engines.ocr.sight import Sight
from qwenport.engines.ocr.tasks import TaskWork
from qwenport.engines.ocr.wire import PageOrder, PageReply
from qwenport.settings.configuration_file import RouteTable
from qwenport.testing.gateway import KEY, Plan, running_gateway
from qwenport.testing.reading_host import FakeReadingHost, Step

pytestmark = pytest.mark.anyio

MODEL = "qwen-vl-ocr"
TARGET = "ocr/fake"


class Currency(Enum):
    """What is paid in."""

    DOLLAR = "USD"
    YUAN = "CNY"


class Party(BaseModel):
    """Who buys or sells."""

    name: str
    vat_id: str | None


class Item(BaseModel):
    """One row."""

    description: str
    quantity: int | None
    price: float | None


class Invoice(BaseModel):
    """A model as people write them."""

    kind: Literal["invoice"]
    invoice_no: str = Field(description="number of the invoice")
    currency: Currency | None
    total: float | None
    tax: float | None
    paid: bool | None
    buyer: Party
    agent: Party | None
    items: list[Item]


class Node(BaseModel):
    """A model that holds itself."""

    name: str
    next: Node | None


ROWS = (
    ((40, "Invoice No: INV-2024-001"),),
    ((40, "Buyer Name: Acme Trading Ltd"),),
    ((40, "Currency: USD"),),
    ((40, "Description"), (340, "Quantity"), (560, "Price")),
    ((40, "Green tea"), (340, "2"), (560, "12.50")),
    ((40, "Black tea"), (340, "10"), (560, "1,140.25")),
    ((40, "Total: $1,165.25"),),
)
TEMPLATE = {
    "invoice_no": "number of the invoice",
    "currency": "What is paid in.",
    "total": "",
    "tax": "",
    "paid": "",
    "buyer": {"name": "", "vat_id": ""},
    "agent": {"name": "", "vat_id": ""},
    "items": [{"description": "", "quantity": "", "price": ""}],
}


def line(text: str, left: float, top: float) -> Line:
    right, bottom = left + 12 * len(text), top + 24
    return Line(text=text, quad=(left, top, right, top, right, bottom, left, bottom), score=0.99)


PAGE = Page(
    width=800,
    height=400,
    lines=tuple(line(text, left, 20 + 50 * number) for number, row in enumerate(ROWS) for left, text in row),
)


def picture() -> str:
    content = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(content, "PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def read(**order: Any) -> PageReply:
    """Return what the engine says of the page."""
    pixels = np.full((PAGE.height, PAGE.width, 3), 255, dtype=np.uint8)
    return TaskWork().perform(PageOrder(image=b"", **order), Sight(image=pixels, page=PAGE))


@asynccontextmanager
async def asking(folder: Path) -> AsyncIterator[tuple[openai.AsyncOpenAI, FakeReadingHost]]:
    """Give a client of a gateway whose reader finds on every page what stands on this one."""
    reply = read(result_schema=msgspec.json.encode(TEMPLATE))
    replies: defaultdict[bytes, Step] = defaultdict(lambda: reply)
    engine = OcrEngine(
        target=TARGET,
        slots=2,
        peer=host_peer("http://ocr", socket=folder / "reader", secret="s", keeps_connections=False),
        read_condition=lambda: Condition(state=EngineState.READY),
    )
    catalog = Catalog.load().with_routes([RouteTable(model=MODEL, to=(TARGET,))], {"ocr": ()})
    async with (
        FakeReadingHost(replies).listening(folder / "reader") as host,
        running_gateway(folder, Plan(engines=[engine], catalog=catalog)) as gateway,
        openai.AsyncOpenAI(
            api_key=KEY, base_url=f"http://127.0.0.1:{gateway.port}/compatible-mode/v1", max_retries=0
        ) as client,
    ):
        yield client, host


MESSAGES: Any = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": picture()}}]}]


async def test_a_model_of_pydantic_is_filled_from_the_page(tmp_path: Path) -> None:
    async with asking(tmp_path) as (client, host):
        completion = await client.chat.completions.parse(model=MODEL, messages=MESSAGES, response_format=Invoice)

    assert [msgspec.json.decode(order.result_schema) for order in host.orders] == [TEMPLATE]
    assert completion.choices[0].message.parsed == Invoice(
        kind="invoice",
        invoice_no="INV-2024-001",
        currency=Currency.DOLLAR,
        total=1165.25,
        tax=None,
        paid=None,
        buyer=Party(name="Acme Trading Ltd", vat_id=None),
        agent=None,
        items=[
            Item(description="Green tea", quantity=2, price=12.5),
            Item(description="Black tea", quantity=10, price=1140.25),
        ],
    )


async def test_a_model_that_holds_itself_is_refused_in_words(tmp_path: Path) -> None:
    async with asking(tmp_path) as (client, host):
        with pytest.raises(openai.BadRequestError) as refused:
            await client.chat.completions.parse(model=MODEL, messages=MESSAGES, response_format=Node)

    assert "The schema of response_format cannot be used: `#/$defs/Node` holds itself" in refused.value.message
    assert host.orders == []
