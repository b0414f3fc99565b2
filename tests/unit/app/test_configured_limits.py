"""Limits of the configuration file are limits like any others, or the start is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwenport.app.configured_limits import configured_limits
from qwenport.app.refusal import StartRefused
from qwenport.core.ids import KeyId, LimitId
from qwenport.core.limits import Dimension, Limit, Mode, Unit, Window
from qwenport.settings.settings import Settings, load_settings


def configured(folder: Path, text: str) -> Settings:
    (folder / "qwenport.toml").write_text(text)
    return load_settings({"QWENPORT_CONFIG": str(folder / "qwenport.toml")}, folder)


def test_a_table_becomes_a_limit(tmp_path: Path) -> None:
    settings = configured(
        tmp_path,
        """
[[limits]]
name = "spend"
unit = "money"
window = "month"
cap = "5.00"
currency = "CNY"
key = "key-1"

[[limits]]
name = "pace"
unit = "requests"
window = "minute"
cap = 60
burst_ms = 1000
mode = "shadow"
level = "small"
model = "qwen-plus"
per = ["account", "model"]
""",
    )

    assert configured_limits(settings) == (
        Limit(
            id=LimitId("config-spend"),
            unit=Unit.MONEY,
            window=Window.MONTH,
            cap=5_000_000_000,
            name="spend",
            currency="CNY",
            key_id=KeyId("key-1"),
        ),
        Limit(
            id=LimitId("config-pace"),
            unit=Unit.REQUESTS,
            window=Window.MINUTE,
            cap=60,
            mode=Mode.SHADOW,
            name="pace",
            burst_ms=1000,
            level="small",
            model="qwen-plus",
            per=(Dimension.ACCOUNT, Dimension.MODEL),
        ),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name = "a"\nunit = "money"\nwindow = "day"\ncap = "1"', "a limit of money needs a currency, such as `CNY`"),
        ('name = "a"\nunit = "requests"\nwindow = "day"\ncap = -1', "cap of a limit"),
        ('name = "a"\nunit = "images"\nwindow = "at_once"\ncap = 1', "it goes with `requests`, not `images`"),
        ('name = ""\nunit = "requests"\nwindow = "day"\ncap = 1', "each needs a name of its own, not ``"),
    ],
)
def test_what_no_limit_can_be_is_refused_with_its_name(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(StartRefused, match="configuration file") as refused:
        configured_limits(configured(tmp_path, f"[[limits]]\n{text}"))

    assert words in str(refused.value)


def test_two_limits_of_one_name_are_refused(tmp_path: Path) -> None:
    table = '[[limits]]\nname = "a"\nunit = "requests"\nwindow = "day"\ncap = 1\n'

    with pytest.raises(StartRefused, match="each needs a name of its own, not `a`"):
        configured_limits(configured(tmp_path, table * 2))
