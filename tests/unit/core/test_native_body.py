"""What is read of the bodies of native services."""

from __future__ import annotations

from qwenport.core.native_body import texts_in


def test_texts_are_found_in_their_order_however_deep_they_lie() -> None:
    deep: object = "deepest"
    for _ in range(100_000):
        deep = [deep]

    assert list(texts_in({"a": "one", "b": [1, {"c": "two"}, deep, None], "d": "three"})) == [
        *("one", "two", "deepest", "three")
    ]
