"""What clients saw, beside what upstreams made and what the books say."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from msgspec import Struct

from qwenport.testing.failover.caller import TOKENS, Seen
from qwenport.testing.failover.ground import INPUT_PRICE, OUTPUT_PRICE
from qwenport.testing.faulty_upstream import Fault, Served

_MILLION = 1_000_000
_USAGE_FAULTS = frozenset({Fault.USAGE_MISSING, Fault.USAGE_NEGATIVE, Fault.USAGE_ABSURD, Fault.USAGE_TEXT})
WHOLE_TEXT = "".join(f" word{number}" for number in range(TOKENS))


class Booked(Struct, frozen=True, kw_only=True):
    """One call in the books."""

    request_id: str
    outcome: str
    input_tokens: int
    output_tokens: int
    usage_source: str
    cost: str | None


class Ledger(Struct, frozen=True, kw_only=True):
    """What the check of the books says."""

    balanced: bool
    open_holds: int
    unposted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known after the calls."""

    seen: Sequence[Seen]
    served: Sequence[Sequence[Served]]
    """Tries that each upstream took."""
    booked: Sequence[Booked]
    ledger: Ledger


class WholeCalls(Struct, frozen=True, kw_only=True):
    """Calls whose answers come in one piece."""

    calls: int
    answered: int
    answered_percent: float


class Streams(Struct, frozen=True, kw_only=True):
    """Calls that stream; what broke midway had produced something, and is not tried again."""

    calls: int
    answered: int
    broke_midway: int
    failed_before: int
    begun_percent: float
    """Of those that had not yet produced an event, how many then did."""


class Latency(Struct, frozen=True, kw_only=True):
    """Milliseconds until a whole answer, or the first byte of a stream, of the calls that got one."""

    one_try_p50_ms: float
    one_try_p99_ms: float
    more_tries_p50_ms: float
    more_tries_p99_ms: float
    added_p99_ms: float


class MetFault(Struct, frozen=True, kw_only=True):
    """What became of the calls that met a fault; a call may meet several."""

    fault: str
    calls: int
    answered: int
    broke_midway: int
    failed: int
    longest_s: float


class Report(Struct, frozen=True, kw_only=True):
    """What came of it."""

    calls: int
    whole: WholeCalls
    streams: Streams
    tries: tuple[int, ...]
    """At each upstream."""
    tried_more_than_once: int
    whole_latency: Latency
    stream_latency: Latency
    longest_s: float
    billed: int
    """Calls in the books that cost something."""
    billed_twice: int
    """Rows that a further try left: of a call that has one already, of an id that no client was told, or of more tokens
    than one answer has."""
    errors: dict[str, int]
    faults: tuple[MetFault, ...]
    findings: tuple[str, ...]
    """What was lost, billed wrongly or twice; nothing where all is well."""


def judge(evidence: Evidence) -> Report:
    """Compare, and count."""
    tries: dict[str, list[Served]] = defaultdict(list)
    for served in evidence.served:
        for each in served:
            tries[each.asked].append(each)
    whole = [seen for seen in evidence.seen if not seen.streams]
    streams = [seen for seen in evidence.seen if seen.streams]
    return Report(
        calls=len(evidence.seen),
        whole=_whole_calls(whole),
        streams=_streams(streams),
        tries=tuple(len(served) for served in evidence.served),
        tried_more_than_once=sum(len(tries[seen.asked]) > 1 for seen in evidence.seen),
        whole_latency=_latency(whole, tries),
        stream_latency=_latency(streams, tries),
        longest_s=round(max((seen.seconds for seen in evidence.seen), default=0.0), 3),
        billed=sum(Decimal(row.cost or 0) > 0 for row in evidence.booked),
        billed_twice=_billed_twice(evidence),
        errors=dict(Counter(seen.error for seen in evidence.seen if seen.error).most_common()),
        faults=tuple(_met_faults(evidence.seen, tries)),
        findings=tuple(_findings(evidence, tries)),
    )


def _billed_twice(evidence: Evidence) -> int:
    unknown = {row.request_id for row in evidence.booked} - {seen.request_id for seen in evidence.seen}
    met: Counter[str] = Counter()
    twice = 0
    for row in evidence.booked:
        met[row.request_id] += 1
        is_again = met[row.request_id] > 1 or row.request_id in unknown or row.output_tokens > TOKENS
        twice += is_again and Decimal(row.cost or 0) > 0
    return twice


def _whole_calls(seen: Sequence[Seen]) -> WholeCalls:
    answered = sum(each.is_answered for each in seen)
    return WholeCalls(calls=len(seen), answered=answered, answered_percent=_percent(answered, len(seen)))


def _streams(seen: Sequence[Seen]) -> Streams:
    answered = sum(each.is_answered for each in seen)
    midway = sum(each.broke_midway for each in seen)
    return Streams(
        calls=len(seen),
        answered=answered,
        broke_midway=midway,
        failed_before=len(seen) - answered - midway,
        begun_percent=_percent(answered + midway, len(seen)),
    )


def _percent(part: int, of: int) -> float:
    return round(100 * part / of, 3) if of else 100.0


def _latency(seen: Iterable[Seen], tries: Mapping[str, Sequence[Served]]) -> Latency:
    good = [each for each in seen if each.status == 200 and each.first_s]
    one = [each.first_s * 1000 for each in good if len(tries[each.asked]) == 1]
    more = [each.first_s * 1000 for each in good if len(tries[each.asked]) > 1]
    return Latency(
        one_try_p50_ms=_quantile(one, 50),
        one_try_p99_ms=_quantile(one, 99),
        more_tries_p50_ms=_quantile(more, 50),
        more_tries_p99_ms=_quantile(more, 99),
        added_p99_ms=round(_quantile(more, 99) - _quantile(one, 99), 1),
    )


def _quantile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that so many percent of all do not exceed; 0 of none."""
    ordered = sorted(values)
    return round(ordered[max(0, -(-len(ordered) * percent // 100) - 1)], 1) if ordered else 0.0


def _met_faults(seen: Iterable[Seen], tries: Mapping[str, Sequence[Served]]) -> Iterator[MetFault]:
    met: dict[Fault, list[Seen]] = defaultdict(list)
    for each in seen:
        for fault in {served.fault for served in tries[each.asked]} - {Fault.NONE}:
            met[fault].append(each)
    for fault, calls in sorted(met.items()):
        answered = sum(each.is_answered for each in calls)
        midway = sum(each.broke_midway for each in calls)
        yield MetFault(
            fault=fault,
            calls=len(calls),
            answered=answered,
            broke_midway=midway,
            failed=len(calls) - answered - midway,
            longest_s=round(max(each.seconds for each in calls), 3),
        )


def _findings(evidence: Evidence, tries: Mapping[str, Sequence[Served]]) -> Iterator[str]:
    ledger = evidence.ledger
    if not ledger.balanced or ledger.open_holds or ledger.unposted:
        yield f"the books do not balance or are not complete: {ledger}"
    rows: dict[str, list[Booked]] = defaultdict(list)
    for row in evidence.booked:
        rows[row.request_id].append(row)
    for seen in evidence.seen:
        found = rows.pop(seen.request_id, []) if seen.request_id else []
        for fault in _call_faults(seen, found, tries[seen.asked]):
            yield f"{seen.asked} ({'stream' if seen.streams else 'whole'}, {seen.error or 'answered'}): {fault}"
    # A call whose connection broke before its head has an id that nobody knows; none of ours does that.
    yield from (f"{request_id} is in the books and no client knows it" for request_id in rows)


def _call_faults(seen: Seen, rows: Sequence[Booked], tries: Sequence[Served]) -> Iterator[str]:
    if seen.is_lost:
        yield "its client got neither an answer nor an error"
    if len(rows) > 1:
        yield f"it is in the books {len(rows)} times"
    for row in rows:
        cost = (row.input_tokens * Decimal(INPUT_PRICE) + row.output_tokens * Decimal(OUTPUT_PRICE)) / _MILLION
        if Decimal(row.cost or 0) != cost:
            yield f"it cost {row.cost}, and its tokens cost {cost}"
    if seen.is_answered:
        yield from _answer_faults(seen, rows, tries)
    else:
        yield from _failure_faults(seen, rows, tries)


def _answer_faults(seen: Seen, rows: Sequence[Booked], tries: Sequence[Served]) -> Iterator[str]:
    if seen.text != WHOLE_TEXT:
        yield f"its text is {seen.text[:200]!r}"
    if not rows:
        yield "its client has the whole answer and the books do not know it"
        return
    billed, told = (rows[0].input_tokens, rows[0].output_tokens), (seen.input_tokens, seen.output_tokens)
    if billed != told or rows[0].outcome != "finished":
        yield f"its client was told {told} and the books have {billed}, {rows[0].outcome}"
    good = [each for each in tries if (each.input_tokens, each.output_tokens) == billed]
    if not good and not _USAGE_FAULTS & {each.fault for each in tries}:
        yield f"no upstream made {billed} for it"


def _failure_faults(seen: Seen, rows: Sequence[Booked], tries: Sequence[Served]) -> Iterator[str]:
    billed = sum(row.output_tokens for row in rows)
    received = seen.text.count(" word")
    # Who breaks off tells no usage; the gateway counts by the text, and never beyond what was asked for. Nothing of a
    # whole answer has reached a client.
    most = TOKENS if seen.streams and any(each.output_tokens for each in tries) else 0
    if not received <= billed <= most:
        yield f"its client received {received} tokens, at most {most} were made, and the books have {billed}"
    if not seen.broke_midway and any(Decimal(row.cost or 0) > 0 for row in rows):
        yield f"nothing of it reached its client, and it cost {', '.join(str(row.cost) for row in rows)}"
    if any(row.outcome == "finished" for row in rows):
        yield "it failed and the books say that it finished"
