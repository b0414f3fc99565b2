# ruff: noqa: RUF001 - full-width digits are what some of it is about
"""What counts as personal data: found in every form that people write it in, and nothing else for it."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenport.engines.masking.memory import Memory, placeholders_in
from qwenport.engines.masking.personal_data import Kind, personal_data

CHECKS = "10X98765432"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def identity(dice: random.Random) -> str:
    born = date(1940, 1, 1) + timedelta(days=dice.randrange(29_000))
    front = f"{dice.choice((11, 31, 44, 51, 65))}{dice.randrange(1, 9999):04d}{born:%Y%m%d}{dice.randrange(1000):03d}"
    return front + CHECKS[sum(int(digit) * weight for digit, weight in zip(front, WEIGHTS, strict=True)) % 11]


def card(dice: random.Random) -> str:
    prefix, length = dice.choice((("622202", 19), ("6217", 19), ("4", 16), ("51", 16), ("37", 15), ("6225", 16)))
    front = prefix + "".join(dice.choices("0123456789", k=length - len(prefix) - 1))
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in front[::-2])
    return front + str(-(doubled + sum(int(digit) for digit in front[-2::-2])) % 10)


def mobile(dice: random.Random) -> str:
    number = dice.choice(("138", "159", "186", "177", "199")) + f"{dice.randrange(10**8):08d}"
    shape = dice.choice(("{}", "+86 {}", "+86{}", "{0[0]}{0[1]}{0[2]}-{1}-{2}", "{0[0]}{0[1]}{0[2]} {1} {2}"))
    return shape.format(number, number[3:7], number[7:])


def abroad(dice: random.Random) -> str:
    code, rest = dice.choice((("44", 10), ("1", 10), ("49", 11), ("852", 8), ("65", 8)))
    return f"+{code} " + f"{dice.randrange(2 * 10 ** (rest - 1), 10**rest)}"


def email(dice: random.Random) -> str:
    name = "".join(dice.choices("abcdefghij", k=6))
    return dice.choice((f"{name}@example.com", f"{name}.li+x@mail.example.cn", f"{name}_1@a-b.co.uk"))


PERSONAL = {identity: Kind.IDENTITY, card: Kind.CARD, mobile: Kind.PHONE, abroad: Kind.PHONE, email: Kind.EMAIL}
SENTENCES = (
    "{}",
    "我的号码是{}。",
    "Please write to {}, thanks",
    '{{"value":"{}"}}',
    "a: {}\nb",
    "({})",
    "客户{}已确认",
)


def other_number(dice: random.Random) -> str:
    moment = 1_600_000_000 + dice.randrange(300_000_000)
    return dice.choice(
        (
            str(moment),
            f"{moment}{dice.randrange(1000):03d}",
            f"订单号 {dice.choice('13456')}{dice.randrange(10**15):015d}",
            f"order no. 138{dice.randrange(10**8):08d}",
            f"{dice.randrange(10**9)}.{dice.randrange(100):02d}",
            f"¥{dice.randrange(1, 999)},{dice.randrange(1000):03d},{dice.randrange(1000):03d}.00",
            f"{dice.getrandbits(160):040x}",
            f"{dice.getrandbits(256):064x}",
            f"{dice.getrandbits(32):08x}-{dice.getrandbits(16):04x}-4{dice.getrandbits(12):03x}-8abc-{dice.getrandbits(48):012x}",
            f"2026-11-22T10:{dice.randrange(60):02d}:00.{dice.randrange(10**6):06d}",
            f"20{dice.randrange(10**14):014d}",
            f"192.168.{dice.randrange(256)}.{dice.randrange(256)}",
            f"+{dice.randrange(100)}%",
            f"v1.{dice.randrange(99)}.{dice.randrange(99)}",
            f"logo@{dice.randrange(1, 4)}x.png",
            f"git@github.com:org/repo{dice.randrange(99)}.git",
            f"npm i left-pad@1.{dice.randrange(9)}.0",
            f"3.1415926535{dice.randrange(10**8):08d}",
            f"SKU {dice.randrange(10**12):012d}",
            f"0x{dice.getrandbits(64):016x}",
        )
    )


def test_every_piece_of_a_generated_set_is_found_whole_and_by_its_kind() -> None:
    dice = random.Random(20261122)
    for _ in range(400):
        for make, kind in PERSONAL.items():
            value = make(dice)
            text = dice.choice(SENTENCES).format(value)
            assert [(text[each.begin : each.end], each.kind) for each in personal_data(text)] == [(value, kind)], text


def test_of_ten_thousand_numbers_that_are_something_else_at_most_one_in_a_thousand_is_taken() -> None:
    dice = random.Random(20261123)
    texts = [dice.choice(SENTENCES).format(other_number(dice)) for _ in range(10_000)]

    taken = [text for text in texts if personal_data(text)]

    assert len(taken) <= 10, taken[:20]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("身份证１１０１０１１９９００３０７８５１５", ["１１０１０１１９９００３０７８５１５"]),
        ("110101199003078516", []),
        ("11010519491231002X", ["11010519491231002X"]),
        ("ID110105 19491231 002x", ["110105 19491231 002x"]),
        ("护照号：E12345678", ["E12345678"]),
        ("part E12345678", []),
        ("订单联系电话 13800138000", ["13800138000"]),
        ("订单号 13800138000", []),
        ("4111 1111 1111 1111", ["4111 1111 1111 1111"]),
        ("4111 1111 1111 1112", []),
        ("１３８００１３８０００", ["１３８００１３８０００"]),
        ("139001380001", []),
    ],
)
def test_forms(text: str, found: list[str]) -> None:
    assert [text[each.begin : each.end] for each in personal_data(text)] == found


LIKELY = st.one_of(
    st.text(),
    st.integers(0, 2**64).map(lambda seed: identity(random.Random(seed))),
    st.integers(0, 2**64).map(lambda seed: mobile(random.Random(seed))),
    st.integers(0, 2**64).map(lambda seed: card(random.Random(seed))),
    st.sampled_from(("[PHONE_1]", "[ID_1]", "[", "]", "[PHONE_", "1]", " ", "a@b.cn", "电话")),
)


@given(st.lists(LIKELY, max_size=8).map("".join))
def test_what_was_masked_is_put_back_exactly(text: str) -> None:
    memory = Memory(frozenset(placeholders_in(text)))

    assert memory.unmask(memory.mask(text)) == text


@given(
    st.integers(0, 2**64).map(lambda seed: identity(random.Random(seed))),
    st.text(st.characters(exclude_categories=["Nd"])),
)
def test_no_identity_number_leaves(number: str, around: str) -> None:
    masked = Memory().mask(f"{around}{number}{around}")

    assert number not in masked
    assert number[6:14] not in masked


@pytest.mark.parametrize("place", [*range(16_350, 16_400, 7), 32_760, 32_768, 40_000])
def test_what_stands_across_the_windows_of_a_long_text_is_found_whole(place: int) -> None:
    pieces = ("13800138000", "a.long.name@mail.example.com", "passport no. E12345678", "11010519491231002X")
    text = ". " * (place // 2) + " | ".join(pieces) + ". " * 20_000

    found = [text[each.begin : each.end] for each in personal_data(text)]

    assert found == ["13800138000", "a.long.name@mail.example.com", "E12345678", "11010519491231002X"]
