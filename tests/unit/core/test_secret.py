"""A secret does not slip out."""

from __future__ import annotations

import copy
import pickle

import msgspec
import pytest

from qwenport.accounts import NewKey
from qwenport.core.ids import KeyId
from qwenport.core.secret import Secret

VALUE = "sk-0123456789abcdef"


def test_shows_itself_only_when_asked_by_name() -> None:
    assert Secret(VALUE).reveal() == VALUE


def test_is_masked_wherever_text_is_made_of_it() -> None:
    secret = Secret(VALUE)

    assert [repr(secret), str(secret), f"{secret}", f"{secret!r}"] == [
        "Secret('**********')",
        "**********",
        "**********",
        "Secret('**********')",
    ]


def test_is_masked_inside_a_new_key() -> None:
    assert VALUE not in repr(NewKey(id=KeyId("key-1"), key=Secret(VALUE)))


def test_does_not_become_json() -> None:
    with pytest.raises(TypeError):
        msgspec.json.encode(NewKey(id=KeyId("key-1"), key=Secret(VALUE)))


def test_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="reveal"):
        pickle.dumps(Secret(VALUE))


def test_is_not_deep_copied() -> None:
    with pytest.raises(TypeError, match="reveal"):
        copy.deepcopy(Secret(VALUE))


def test_has_no_attributes_to_print() -> None:
    assert not hasattr(Secret(VALUE), "__dict__")


def test_equals_only_a_secret_of_the_same_value() -> None:
    assert [Secret(VALUE) == other for other in (Secret(VALUE), Secret("sk-other"), VALUE, Secret("sk-é"))] == [
        True,
        False,
        False,
        False,
    ]


def test_counts_once_in_a_set() -> None:
    assert len({Secret(VALUE), Secret(VALUE)}) == 1
