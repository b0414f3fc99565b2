"""Keys of upstreams: where each kind works, and what an operator is told when one is refused."""

from __future__ import annotations

import pytest

from qwenport.core.secret import Secret
from qwenport.engines.upstream.place import Place, UpstreamInvalid, place_of
from qwenport.engines.upstream.upstream_keys import KeyKind, check_key, explain_refusal, key_kind
from qwenport.settings.configuration_file import UpstreamTable

SHARED = place_of(UpstreamTable(name="a", kind="alibaba", region="singapore"))
OWN_HOST = place_of(UpstreamTable(name="a", kind="alibaba", region="frankfurt", workspace="ws-1"))
TRIAL = place_of(UpstreamTable(name="a", kind="alibaba", region="us", workspace="trial"))
TOKEN_PLAN = place_of(UpstreamTable(name="a", kind="alibaba", region="beijing", workspace="token-plan"))
CODING_PLAN = place_of(UpstreamTable(name="a", kind="alibaba", base_url="https://coding.dashscope.aliyuncs.com/v1"))
STAND_IN = place_of(
    UpstreamTable(name="a", kind="alibaba", region="us", base_url="http://127.0.0.1:9/compatible-mode/v1")
)
VLLM = place_of(UpstreamTable(name="a", kind="openai", base_url="http://10.0.0.5/v1"))
PLAN_THROUGH_OPENAI = place_of(
    UpstreamTable(
        name="a", kind="openai", base_url="https://token-plan.cn-beijing.maas.aliyuncs.com/compatible-mode/v1"
    )
)

PAID, OF_WORKSPACE, OF_PLAN = "sk-0123456789", "sk-ws-H.ABC.xyz_0-9", "sk-sp-0123456789"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (None, KeyKind.NONE),
        (PAID, KeyKind.PAY_AS_YOU_GO),
        (OF_WORKSPACE, KeyKind.WORKSPACE),
        (OF_PLAN, KeyKind.PLAN),
        ("token-abc", KeyKind.OTHER),
    ],
)
def test_a_key_is_told_by_its_beginning(key: str | None, kind: KeyKind) -> None:
    assert key_kind(None if key is None else Secret(key)) is kind


@pytest.mark.parametrize(
    ("place", "keys"),
    [
        (SHARED, (PAID, OF_WORKSPACE)),
        (OWN_HOST, (PAID, OF_WORKSPACE)),
        (TRIAL, (PAID, OF_WORKSPACE)),
        (TOKEN_PLAN, (OF_PLAN,)),
        (CODING_PLAN, (OF_PLAN,)),
        (STAND_IN, (PAID, OF_WORKSPACE, OF_PLAN)),
        (VLLM, (PAID, OF_PLAN, "token-abc", None)),
        (PLAN_THROUGH_OPENAI, (OF_PLAN,)),
    ],
)
def test_keys_are_taken_where_they_can_work(place: Place, keys: tuple[str | None, ...]) -> None:
    for key in keys:
        check_key(place, None if key is None else Secret(key))


@pytest.mark.parametrize(
    ("place", "key", "words"),
    [
        (SHARED, OF_PLAN, "keys of a plan work at the plan's own hosts, not at https://dashscope-intl.aliyuncs.com"),
        (OWN_HOST, OF_PLAN, 'write `workspace = "token-plan"` for a token plan'),
        (TOKEN_PLAN, PAID, "takes keys of its plan alone, which begin with `sk-sp-`"),
        (CODING_PLAN, OF_WORKSPACE, "takes keys of its plan alone, which begin with `sk-sp-`"),
        (PLAN_THROUGH_OPENAI, PAID, "takes keys of its plan alone, which begin with `sk-sp-`"),
        (SHARED, None, "has no key; name the variable that holds it as `api_key_env`"),
        (SHARED, "sk-01234\r\nX-Evil: 1", "its key holds spaces, line breaks or other characters"),
        (VLLM, "two words", "its key holds spaces, line breaks or other characters"),
        (VLLM, "schlüssel", "its key holds spaces, line breaks or other characters"),
        (VLLM, "x" * 5000, "its key is 5000 characters long"),
    ],
)
def test_a_key_that_cannot_work_is_refused_without_being_shown(place: Place, key: str | None, words: str) -> None:
    with pytest.raises(UpstreamInvalid) as caught:
        check_key(place, None if key is None else Secret(key))

    assert words in str(caught.value)
    assert key is None or key not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "kind", "answer", "words"),
    [
        (
            SHARED,
            KeyKind.PAY_AS_YOU_GO,
            (401, "invalid_api_key", "Incorrect API key provided. "),
            "a does not take its key (401 invalid_api_key Incorrect API key provided.); keys of one region are unknown",
        ),
        (
            OWN_HOST,
            KeyKind.WORKSPACE,
            (401, "InvalidApiKey", "Invalid API-key provided."),
            "it may be of another region than frankfurt, of another workspace, or deleted",
        ),
        (
            TOKEN_PLAN,
            KeyKind.PLAN,
            (401, "", "invalid access token or token expired"),
            "keys of a plan work at its own host and region alone, and only while the plan runs",
        ),
        (SHARED, KeyKind.OTHER, (401, "InvalidApiKey", ""), "keys of Model Studio begin with `sk-`"),
        (
            OWN_HOST,
            KeyKind.WORKSPACE,
            (403, "Workspace.AccessDenied", "Workspace access denied."),
            "belongs to another workspace than https://ws-1.eu-central-1.maas.aliyuncs.com/compatible-mode/v1",
        ),
        (
            SHARED,
            KeyKind.PAY_AS_YOU_GO,
            (403, "AccessDenied.Unpurchased", "Access to model denied."),
            "activate Model Studio and the model in the console of singapore",
        ),
        (SHARED, KeyKind.PAY_AS_YOU_GO, (403, "AccessDenied", "Access denied."), "look at the account in the console"),
        (VLLM, KeyKind.NONE, (401, "", "Unauthorized"), "a refused the call without a key"),
        (VLLM, KeyKind.OTHER, (401, "", "Unauthorized"), "a refused the call with the key"),
    ],
)
def test_a_refusal_is_explained_to_the_operator(
    place: Place, kind: KeyKind, answer: tuple[int, str, str], words: str
) -> None:
    assert words in explain_refusal(place, kind, *answer)


def test_what_an_upstream_says_is_shown_bounded_printable_and_without_keys() -> None:
    said = explain_refusal(
        VLLM, KeyKind.OTHER, 401, "x", "bad\x1b[2J key sk-0123456789abcdef, Bearer abcdefgh" + "y" * 999
    )

    assert "sk-0123" not in said
    assert "abcdefgh" not in said
    assert "\x1b" not in said
    assert len(said) < 300
