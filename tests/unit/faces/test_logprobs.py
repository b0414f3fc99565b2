from __future__ import annotations

import pytest

from qwenport.core.events import TokenLogprob, TopToken
from qwenport.faces.logprobs import encode_logprobs


def test_each_token_is_told_with_its_likeliest_alternatives() -> None:
    hot = TokenLogprob(
        token="热",
        logprob=-0.5,
        bytes=(231, 131, 173),
        top=(TopToken(token="热", logprob=-0.5, bytes=(231, 131, 173)), TopToken(token="a", logprob=-2.0, bytes=(97,))),
    )

    assert encode_logprobs([hot, TokenLogprob(token="b", logprob=0.0)]).decode() == (
        '{"content":[{"token":"热","bytes":[231,131,173],"logprob":-0.5,"top_logprobs":['
        '{"token":"热","bytes":[231,131,173],"logprob":-0.5},{"token":"a","bytes":[97],"logprob":-2.0}]},'
        '{"token":"b","bytes":[],"logprob":0.0,"top_logprobs":[]}]}'
    )


@pytest.mark.parametrize("logprob", [float("-inf"), float("nan"), -1e300])
def test_what_json_has_no_word_for_is_all_but_impossible(logprob: float) -> None:
    assert encode_logprobs([TokenLogprob(token="a", logprob=logprob)]) == (
        b'{"content":[{"token":"a","bytes":[],"logprob":-9999.0,"top_logprobs":[]}]}'
    )
