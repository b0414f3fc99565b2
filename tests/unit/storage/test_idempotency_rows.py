"""The table of requests that are answered once, on both databases."""

from __future__ import annotations

from msgspec.structs import replace

from qwenport.core.ids import KeyId, RequestId
from qwenport.storage import idempotency_rows as rows
from qwenport.storage.database import Database
from qwenport.storage.idempotency_rows import Claim, Kept
from qwenport.storage.transaction import Transaction

KEY, OTHER_KEY = KeyId("key-1"), KeyId("key-2")
NOW = 1_000
EXPIRY = 2_000


def claim(number: int, key_id: KeyId = KEY) -> Claim:
    return Claim(
        key_id=key_id, name=f"name-{number}", digest="asked", request_id=RequestId(f"r-{number}"), begun_at=number
    )


def claimed(transaction: Transaction, number: int, key_id: KeyId = KEY) -> Claim:
    one = claim(number, key_id)
    rows.claim(transaction, one, NOW, EXPIRY)
    return one


def answered(transaction: Transaction, number: int, size_bytes: int, key_id: KeyId = KEY) -> None:
    rows.keep(transaction, claimed(transaction, number, key_id), 200, b"", b"x" * size_bytes)


def known(transaction: Transaction, numbers: range, key_id: KeyId = KEY) -> list[tuple[int, int] | None]:
    """Return status and size of the answers to these requests; None for one that is not known."""
    found = [rows.find(transaction, claim(number, key_id), NOW) for number in numbers]
    return [None if each is None else (each.status, len(each.body)) for each in found]


def test_answers_that_are_too_much_give_way_the_oldest_first_and_stay_known(any_database: Database) -> None:
    with any_database.write() as transaction:
        answered(transaction, 0, 10, OTHER_KEY)
        claimed(transaction, 1)
        for number in range(2, 6):
            answered(transaction, number, 10)
        rows.keep_newest(transaction, KEY, 100, 30)

        assert known(transaction, range(1, 6)) == [(0, 0), (-1, 0), (-1, 0), (200, 10), (200, 10)]
        assert known(transaction, range(1), OTHER_KEY) == [(200, 10)]


def test_requests_that_are_too_many_are_forgotten_but_for_those_that_are_being_answered(any_database: Database) -> None:
    with any_database.write() as transaction:
        claimed(transaction, 0)
        for number in range(1, 12):
            answered(transaction, number, 0)
        rows.keep_newest(transaction, KEY, 10, 100)

        assert known(transaction, range(12)) == [(0, 0), None, None, *[(200, 0)] * 9]


def test_of_all_keys_together_the_oldest_answers_give_way(any_database: Database) -> None:
    with any_database.write() as transaction:
        answered(transaction, 1, 20)
        answered(transaction, 2, 20, OTHER_KEY)
        rows.keep_newest(transaction, None, 100, 30)

        assert known(transaction, range(1, 2)) == [(-1, 0)]
        assert known(transaction, range(2, 3), OTHER_KEY) == [(200, 20)]


def test_only_claims_without_an_answer_are_released(any_database: Database) -> None:
    with any_database.write() as transaction:
        answered(transaction, 1, 1)
        open_claims = [claimed(transaction, number) for number in (2, 3)]
        taken_over = replace(claim(3), request_id=RequestId("r-9"))
        rows.claim(transaction, taken_over, NOW, EXPIRY)
        rows.release(transaction, [claim(1), *open_claims])

        assert known(transaction, range(1, 4)) == [(200, 1), None, (0, 0)]
        assert rows.find(transaction, taken_over, NOW) == Kept(
            digest="asked", request_id=RequestId("r-9"), leased_until=NOW, status=0, headers=b"", body=b""
        )
