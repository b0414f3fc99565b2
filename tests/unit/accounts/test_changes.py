"""What a running gateway learns, and the ring that it keeps keys in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import Engine, event

from qwenport.accounts import (
    AddMember,
    Changes,
    CreateKey,
    CreateLimit,
    MaintenanceState,
    hash_key,
    read_changes,
)
from qwenport.accounts.hours import open_hours
from qwenport.accounts.key_ring import KeyRing, RingKey
from qwenport.core.caller import AccountState, BodyKeeping, Caller
from qwenport.core.ids import WorkspaceId
from qwenport.storage import balance_rows
from qwenport.storage.balance_rows import Moved
from qwenport.storage.records import KeyHours, RateRecord
from qwenport.storage.revision_rows import Counter, next_revision
from qwenport.testing.account_services import AccountServices as Services

HOURS = KeyHours(begin="08:00", end="20:00", timezone="UTC")


def test_each_kind_of_change_is_read_once(services: Services) -> None:
    seen = read_changes(services.database, {}).seen
    customer = services.customer()
    key = services.keys.create("operator", CreateKey(account_id=customer.id))
    services.members.add("operator", AddMember(account_id=customer.id, email="m@x", role="owner"))
    limit = services.limits.create("operator", CreateLimit(unit="requests", window="day", cap=1)).limit
    rate = services.rates.put("operator", RateRecord(base="USD", quote="CNY", since="2026-01-01", rate="7", source=""))
    state = services.house.set_maintenance("operator", on=True)
    moved = Moved(ledger_account=f"customer:{customer.id}", currency="CNY", moved_nanos=5)
    with services.database.write() as transaction:
        balance_rows.move(transaction, [moved], next_revision(transaction, Counter.BALANCES))
        balance = balance_rows.find(transaction, moved.ledger_account, "CNY")

    changes = read_changes(services.database, seen)

    assert changes == Changes(
        seen={**seen, **dict.fromkeys(map(str, Counter), 1)},
        keys=(services.keys.find(key.id),),
        accounts=(customer,),
        members=tuple(services.members.every()),
        balances=(balance,),
        limits=(limit,),
        rates=(rate,),
        maintenance=state,
    )
    assert read_changes(services.database, changes.seen) == Changes(seen=changes.seen)


def test_the_first_reading_holds_everything_even_where_there_is_nothing(services: Services) -> None:
    changes = read_changes(services.database, {})

    assert (changes.limits, changes.rates, changes.maintenance) == ((), (), MaintenanceState())


def test_only_what_is_newer_is_read(services: Services) -> None:
    first, second = services.customer(), services.customer(email="b@example.com")
    seen = read_changes(services.database, {}).seen
    suspended = services.accounts.suspend("operator", first.id)
    changes = read_changes(services.database, seen)

    assert (changes.accounts, changes.limits, second.revision) == ((suspended,), None, 2)


def test_where_nothing_changed_one_statement_is_asked(services: Services) -> None:
    services.customer()
    seen = read_changes(services.database, {}).seen
    statements: list[str] = []

    def remember(*parts: Any) -> None:
        statements.append(parts[2])

    event.listen(Engine, "before_cursor_execute", remember)
    try:
        read_changes(services.database, seen)
    finally:
        event.remove(Engine, "before_cursor_execute", remember)

    assert [statement.split()[0] for statement in statements if not statement.startswith("BEGIN")] == ["SELECT"]


def test_a_key_in_the_ring_has_all_that_a_call_needs(services: Services) -> None:
    customer = services.customer(currency="USD")
    bodies = BodyKeeping(most_bytes=9, days=1)
    wish = CreateKey(account_id=customer.id, models=("m",), ip_ranges=("10.0.0.0/8",), hours=HOURS, bodies=bodies)
    made = services.keys.create("operator", wish)

    found = ring_of(services).find(hash_key(made.key.reveal()))

    assert found is not None
    assert found == RingKey(
        caller=Caller(
            key_id=made.id,
            account_id=customer.id,
            workspace_id=WorkspaceId("ws-1"),
            currency="USD",
            models=("m",),
            terms=customer.terms,
            bodies=bodies,
        ),
        disabled=False,
        expires_at=None,
        networks=found.networks,
        hours=open_hours(HOURS),
    )
    assert [str(network) for network in found.networks] == ["10.0.0.0/8"]


def ring_of(services: Services) -> KeyRing:
    ring = KeyRing()
    changes = read_changes(services.database, {})
    ring.update(keys=changes.keys, accounts=changes.accounts)
    return ring


def test_an_account_that_changes_changes_all_of_its_keys(services: Services) -> None:
    first, second = services.customer(), services.customer(email="b@example.com")
    made = [
        services.keys.create("operator", CreateKey(account_id=account)) for account in (first.id, first.id, second.id)
    ]
    ring = ring_of(services)
    ring.update(accounts=[services.accounts.suspend("operator", first.id)])

    found = [ring.find(hash_key(each.key.reveal())) for each in made]

    assert [each and each.caller.terms.state for each in found] == [
        AccountState.SUSPENDED,
        AccountState.SUSPENDED,
        AccountState.ACTIVE,
    ]


def test_deleted_keys_leave_the_ring_for_good(services: Services) -> None:
    customer = services.customer()
    made = services.keys.create("operator", CreateKey(account_id=customer.id))
    ring = ring_of(services)
    seen = read_changes(services.database, {}).seen
    services.keys.delete("operator", made.id)
    services.accounts.suspend("operator", customer.id)

    changes = read_changes(services.database, seen)
    ring.update(keys=changes.keys, accounts=changes.accounts)

    assert ring.find(hash_key(made.key.reveal())) is None


def test_a_rotated_key_ends_and_its_successor_is_found(services: Services) -> None:
    customer = services.customer()
    old = services.keys.create("operator", CreateKey(account_id=customer.id))
    new = services.keys.rotate("operator", old.id, timedelta(hours=1))
    ring = ring_of(services)

    expiries = [(found := ring.find(hash_key(each.key.reveal()))) and found.expires_at for each in (old, new)]

    assert expiries == [services.clock.now() + timedelta(hours=1), None]


def test_a_key_whose_time_zone_is_not_known_here_is_not_valid(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    customer = services.customer()
    made = services.keys.create("operator", CreateKey(account_id=customer.id, hours=HOURS))
    strange = structs.replace(services.keys.find(made.id), hours=structs.replace(HOURS, timezone="Mars/Base"))
    ring = KeyRing()
    ring.update(keys=[strange], accounts=[customer])

    found = ring.find(strange.digest)

    assert (found and found.disabled, len(caplog.messages)) == (True, 1)
    assert "'Mars/Base' is no time zone" in caplog.messages[0]


def test_uses_are_handed_out_once(services: Services) -> None:
    ring, now = KeyRing(), services.clock.now()
    made = services.keys.create("operator", CreateKey(account_id=services.customer().id))
    ring.note_use(made.id, now)

    assert [ring.take_uses(), ring.take_uses()] == [{made.id: now}, {}]
