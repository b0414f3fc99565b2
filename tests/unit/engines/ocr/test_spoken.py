from __future__ import annotations

import pytest

from qwenport.core.call import Sampling
from qwenport.core.events import Delta, FinishReason
from qwenport.engines.ocr.spoken import Spoken, text_tokens


def test_a_text_is_said_a_line_at_a_time_and_its_tokens_add_up() -> None:
    spoken = Spoken(Sampling())

    said = [*spoken.deltas("Date: 2024\n合计 5元"), *spoken.deltas("\n\nEnd")]

    assert said == [
        Delta(text="Date: 2024\n", tokens=3),
        Delta(text="合计 5元", tokens=3),
        Delta(text="\n", tokens=0),
        Delta(text="\n", tokens=0),
        Delta(text="End", tokens=1),
    ]
    assert (spoken.tokens, spoken.reason) == (text_tokens("Date: 2024\n合计 5元\n\nEnd"), FinishReason.STOP)


@pytest.mark.parametrize("bound", [Sampling(max_tokens=2), Sampling(max_tokens=9, max_completion_tokens=2)])
def test_the_bound_cuts_between_characters_and_ends_the_answer(bound: Sampling) -> None:
    spoken = Spoken(bound)

    assert list(spoken.deltas("合计五元\nmore")) == [Delta(text="合计", tokens=2)]
    assert (spoken.reason, spoken.has_ended, list(spoken.deltas("x"))) == (FinishReason.LENGTH, True, [])


def test_the_first_of_several_stops_ends_the_answer_before_it() -> None:
    spoken = Spoken(Sampling(stop=("Total", "Date")))

    assert "".join(delta.text for delta in spoken.deltas("Shop\nDate 1\nTotal 2")) == "Shop\n"
    assert (spoken.reason, spoken.has_ended) == (FinishReason.STOP, True)
