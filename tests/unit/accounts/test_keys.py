"""The form of keys and of what may be asked of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qwenport.accounts import CreateKey, SettingInvalid, hash_key
from qwenport.accounts.keys import chosen_key, prefix_of, random_key, validated
from qwenport.core.secret import Secret

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_digest_is_the_sha256_of_the_key() -> None:
    # printf 'sk-test' | sha256sum
    assert hash_key("sk-test") == "f3abf2a6cc4f00987743db5f544ba345b4899ae31f326d8ee9c4816de153c9e0"


@given(st.text(st.characters(exclude_categories=())))
@example("\ud800")
def test_any_text_has_a_digest(text: str) -> None:
    assert len(hash_key(text)) == 64


def test_random_keys_hold_256_bits_and_differ() -> None:
    first, second = random_key().reveal(), random_key().reveal()

    assert first != second
    assert (first[:3], len(bytes.fromhex(first[3:]))) == ("sk-", 32)


@pytest.mark.parametrize("key", ["sk-" + "a" * 16, "sk-" + "aZ09_-" * 4, "sk-" + "x" * 253])
def test_an_operator_may_choose_a_key(key: str) -> None:
    assert chosen_key(key) == Secret(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "sk-",
        "sk-" + "a" * 15,
        "pk-" + "a" * 16,
        "sk-" + "a" * 15 + "!",
        "sk-" + "a" * 16 + "\n",
        "sk-" + "é" * 16,
        "sk-" + "x" * 254,
        " sk-" + "a" * 16,
    ],
)
def test_a_chosen_key_of_the_wrong_form_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(SettingInvalid) as refusal:
        chosen_key(key)

    assert str(refusal.value) == (
        f"the bootstrap API key ({len(key)} characters) has the wrong form: "
        "it must be `sk-` and 16 to 253 of A-Z, a-z, 0-9, `_` and `-`"
    )


def test_prefix_shows_seven_and_four_characters_of_a_long_key_and_less_of_a_short_one() -> None:
    assert [prefix_of(Secret("sk-0123" + "x" * 56 + "cdef")), prefix_of(Secret("sk-0123456789abcdef"))] == [
        "sk-0123...cdef",
        "sk-01...ef",
    ]


def test_a_valid_wish_keeps_its_values_and_gets_plain_lists() -> None:
    wish = CreateKey(
        name="CI",
        description="for the\nnightly run",
        expires_at=datetime(2026, 1, 1, 9, tzinfo=timezone(timedelta(hours=8))),
        models=("qwen-max", "qwen-plus", "qwen-max"),
        ip_ranges=("10.0.0.0/8", "192.168.1.7", "2001:DB8::/32", "10.0.0.0/255.0.0.0"),
    )

    assert validated(wish, NOW) == CreateKey(
        name="CI",
        description="for the\nnightly run",
        expires_at=datetime(2026, 1, 1, 1, tzinfo=UTC),
        models=("qwen-max", "qwen-plus"),
        ip_ranges=("10.0.0.0/8", "192.168.1.7/32", "2001:db8::/32"),
    )


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (CreateKey(expires_at=datetime(2027, 1, 1)), "names no time zone"),
        (CreateKey(expires_at=NOW), "is not in the future"),
        (CreateKey(expires_at=NOW - timedelta(days=1)), "is not in the future"),
        (CreateKey(models=("",)), "is no name of a model"),
        (CreateKey(models=(" qwen-max",)), "is no name of a model"),
        (CreateKey(models=("qwen\x00max",)), "cannot be shown"),
        (CreateKey(models=("m",) * 501), "a key may list 500 models, not 501"),
        (CreateKey(ip_ranges=("10.0.0.300",)), "'10.0.0.300' is no IP address or range"),
        (CreateKey(ip_ranges=("10.0.0.5/24",)), "did you mean `10.0.0.0/24`"),
        (CreateKey(ip_ranges=("",)), "is no IP address or range"),
        (CreateKey(ip_ranges=("10.0.0.1",) * 501), "a key may list 500 IP ranges, not 501"),
        (CreateKey(name="n" * 201), "the name of a key may hold 200 characters, not 201"),
        (CreateKey(name="\ud800"), "cannot be shown"),
        (CreateKey(description="d" * 2001), "the description of a key may hold 2000 characters, not 2001"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_in_words(wish: CreateKey, words: str) -> None:
    with pytest.raises(SettingInvalid) as refusal:
        validated(wish, NOW)

    assert words in str(refusal.value)
