"""From what an upstream refuses to the error that the house knows: by its own code first, by the status second.

Codes and their meaning: https://www.alibabacloud.com/help/en/model-studio/error-code and the OpenAI API reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from qwenport.core.errors import (
    ContentBlocked,
    EngineFailed,
    EngineTimedOut,
    InputTooLong,
    ModelUnavailable,
    Overloaded,
    ParameterInvalid,
    QwenportError,
    UpstreamExhausted,
    UpstreamKeyRefused,
    UpstreamThrottled,
    UpstreamTurnedAway,
)
from qwenport.core.secret import Secret
from qwenport.engines.upstream.refusal import Refusal
from qwenport.engines.upstream.words import shown_words

_A_MINUTE_S = 60


class Asked(Struct, frozen=True, kw_only=True):
    """Who was asked, with which key, and what is known of it."""

    target: str
    upstream: str
    max_input_tokens: int
    is_model_studio: bool = False
    key: Secret | None = None


class RoomTooSmall(Exception):
    """The prompt fits, but not with the bound on the answer; carries how many tokens of answer do fit."""

    def __init__(self, tokens: int) -> None:
        super().__init__(f"room for {tokens} tokens")
        self.tokens = tokens


def error_of(refusal: Refusal, asked: Asked) -> QwenportError | RoomTooSmall:
    """Return the error that a refusal stands for, with the wait that the upstream itself asked for."""
    too_long = _too_long(refusal, asked)
    if too_long is not None:
        return too_long
    error = _kind_of(refusal, asked)(refusal, asked)
    error.told_s = refusal.retry_after_s
    return error


_Kind = Callable[[Refusal, Asked], QwenportError]


def _key_refused(_: Refusal, asked: Asked) -> QwenportError:
    return UpstreamKeyRefused(f"the upstream `{asked.upstream}` does not take the gateway's key")


def _turned_away(_: Refusal, asked: Asked) -> QwenportError:
    return UpstreamTurnedAway(f"The upstream `{asked.upstream}` turned the call away before its API saw it.")


def _exhausted(_: Refusal, asked: Asked) -> QwenportError:
    return UpstreamExhausted(f"the account at the upstream `{asked.upstream}` is used up or in arrears")


def _throttled(refusal: Refusal, asked: Asked) -> QwenportError:
    if refusal.retry_after_s is not None and refusal.retry_after_s > _A_MINUTE_S:
        return _exhausted(refusal, asked)
    return UpstreamThrottled(retry_after_s=refusal.retry_after_s)


def _quota(refusal: Refusal, asked: Asked) -> QwenportError:
    """Tell the tokens of a minute from those of a month, which have the same code."""
    if "free allocated quota" in refusal.message.lower():
        return _exhausted(refusal, asked)
    if refusal.retry_after_s is not None or asked.is_model_studio or refusal.code.startswith("Throttling"):
        return _throttled(refusal, asked)
    return _exhausted(refusal, asked)


def _blocked(refusal: Refusal, _: Asked) -> QwenportError:
    return ContentBlocked("Output" if refusal.message.lower().startswith("output") else "Input")


def _refused_alone(refusal: Refusal, asked: Asked) -> QwenportError:
    said = shown_words(refusal.message)
    return UpstreamTurnedAway(f"The upstream `{asked.upstream}` refused the call{': ' if said else '.'}{said}")


def _no_model(refusal: Refusal, asked: Asked) -> QwenportError:
    words = f"the upstream `{asked.upstream}` does not serve `{_model(asked)}`"
    return ModelUnavailable(words, passes=False, is_sure=_is_sure(refusal))


def _not_allowed(refusal: Refusal, asked: Asked) -> QwenportError:
    words = f"the account at the upstream `{asked.upstream}` may not use `{_model(asked)}`: it is not activated there"
    return ModelUnavailable(words, passes=False, is_sure=_is_sure(refusal))


def _no_address(_: Refusal, asked: Asked) -> QwenportError:
    words = f"the upstream `{asked.upstream}` has nothing at the address that `{_model(asked)}` was asked for at"
    return ModelUnavailable(words, passes=False)


def _invalid(refusal: Refusal, asked: Asked) -> QwenportError:
    words = shown_words(refusal.message)
    return ParameterInvalid(words or f"The upstream `{asked.upstream}` refused the request and gave no reason.")


def _timed_out(refusal: Refusal, _: Asked) -> QwenportError:
    return EngineTimedOut(retry_after_s=refusal.retry_after_s)


def _overloaded(refusal: Refusal, asked: Asked) -> QwenportError:
    if "loading model" in refusal.message.lower():
        return ModelUnavailable(f"`{_model(asked)}` is loading")
    error = Overloaded()
    if refusal.retry_after_s is not None:
        error.retry_after_s = refusal.retry_after_s
    return error


def _failed(refusal: Refusal, asked: Asked) -> QwenportError:
    if refusal.status == 0:
        how = "broke off"
    elif 300 <= refusal.status < 400:
        how = f"answered with a redirect (status {refusal.status}), which is not followed: correct its address"
    else:
        how = f"answered with status {refusal.status}"
    return EngineFailed(f"the upstream of `{asked.target}` {how}{and_said(refusal)}")


def and_said(refusal: Refusal) -> str:
    """Return what a failure said for itself, behind a colon; empty for nothing, and for what may hold anything."""
    if refusal.is_page:
        return ": a web page"
    # A body of no known shape may hold a trace of the server, or somebody's prompt.
    words = "" if refusal.is_bare else shown_words(refusal.message)
    return f": {words}" if words else ""


_BY_CODE: dict[str, _Kind] = {
    "datainspectionfailed": _blocked,
    "data_inspection_failed": _blocked,
    "content_filter": _blocked,
    "content_policy_violation": _blocked,
    "invalidapikey": _key_refused,
    "invalid_api_key": _key_refused,
    "arrearage": _exhausted,
    "prepaidbilloverdue": _exhausted,
    "postpaidbilloverdue": _exhausted,
    "commoditynotpurchased": _exhausted,
    "allocationquota.freetieronly": _exhausted,
    "billing_hard_limit_reached": _exhausted,
    "insufficient_quota": _quota,
    "throttling.allocationquota": _quota,
    "throttling": _throttled,
    "throttling.ratequota": _throttled,
    "throttling.burstrate": _throttled,
    "limit_requests": _throttled,
    "limitrequests": _throttled,
    "limit_burst_rate": _throttled,
    "rate_limit_exceeded": _throttled,
    "model.accessdenied": _not_allowed,
    "accessdenied.unpurchased": _not_allowed,
    "modelnotfound": _no_model,
    "model_not_found": _no_model,
    "model_not_supported": _no_model,
    "invalidparameter": _invalid,
    "invalid_parameter_error": _invalid,
    "invalidparameter.datainspection": _invalid,
    "requesttimeout": _timed_out,
    "request_timeout": _timed_out,
    "modelunavailable": _overloaded,
    "modelservingerror": _overloaded,
}
"""By the code in small letters."""

OF_THE_KEY = frozenset({401, 403})
"""Statuses by which an API refuses a key, and a firewall a call."""

_BY_STATUS: dict[int, _Kind] = {
    400: _invalid,
    401: _key_refused,
    402: _exhausted,
    403: _key_refused,
    404: _no_address,
    408: _timed_out,
    413: _invalid,
    422: _invalid,
    429: _throttled,
    503: _overloaded,
    504: _timed_out,
    529: _overloaded,
}
"""What is not here is a failure of the upstream's."""


def _known(refusal: Refusal) -> _Kind | None:
    return _BY_CODE.get(refusal.code.lower()) or _BY_CODE.get(refusal.kind.lower())


def _is_sure(refusal: Refusal) -> bool:
    """Tell a code and a status, which are the upstream's alone, from words, of which a call may have written some."""
    return refusal.status == 404 or _known(refusal) in {_no_model, _not_allowed}


def _kind_of(refusal: Refusal, asked: Asked) -> _Kind:
    code = refusal.code or refusal.kind
    known = _known(refusal)
    kind = _by_words(refusal, known, _model(asked)) or known
    if kind is not None:
        return kind
    if code.startswith("AccessDenied"):
        return _key_refused
    # What says nothing of a key judges this call, and the key is fine for the others.
    if refusal.status in OF_THE_KEY and not refusal.is_of_an_api:
        return _turned_away
    if refusal.status == 403 and not refusal.is_bare:
        return _by_words_of_403(refusal)
    # A page was made by something that knows nothing of parameters.
    if refusal.is_page and refusal.status in {400, 404, 413, 422}:
        return _failed
    return _BY_STATUS.get(refusal.status, _failed)


def _by_words_of_403(refusal: Refusal) -> _Kind:
    """Tell a key or an account that is refused from one call that is: that one must not shut the target for others."""
    if _MODERATED.search(refusal.message):
        return _blocked
    said = f"{refusal.code} {refusal.kind} {refusal.message}"
    return _key_refused if _OF_AN_ACCOUNT.search(said) else _refused_alone


def _by_words(refusal: Refusal, known: _Kind | None, model: str) -> _Kind | None:
    """Return what only the message tells, where the code says something more general or nothing."""
    if _OTHER_WAY.search(refusal.message):
        return _invalid
    if known is None and refusal.status in {400, 403, 404} and _NOT_ACTIVATED.search(refusal.message):
        return _not_allowed
    if (known is _invalid or refusal.status in {400, 404}) and _is_without(model, refusal.message):
        return _no_model
    return None


def _is_without(model: str, message: str) -> bool:
    """Tell whether a message says of the very model, or of the one that was asked for, that it is not there."""
    named = re.sub(rf"(?<!\w){re.escape(model)}(?!\w)", _NAMED, message) if model else message
    return _NO_MODEL.search(named) is not None


_NAMED = "\0"
"""Stands for the model's name in what is searched."""
_MISSING = r"(?:(?:does |is |was )?not (?:exist|found)|can ?not be found|is unknown|is not a valid model)"
_NO_MODEL = re.compile(
    rf"(?i)^\W*(?:the |this |requested |specified )*model {_MISSING}\b"
    rf"|\bmodel\b[\s:=`'\"]*{_NAMED}[`'\"]* {_MISSING}\b|{_NAMED}[`'\"]* is not a valid model\b"
    rf"|\b(?:unknown model|(?:no such|not found the) model)[\s:=`'\"]*{_NAMED}"
)
"""Where a tool or a schema of the caller's is called a model, the words alone would be about that."""
_MODERATED = re.compile(r"(?i)\bmoderat|\bflagged\b|\bcontent (?:polic|filter|management)|\bsafety\b|\bguardrail")
_OF_AN_ACCOUNT = re.compile(
    r"(?i)\bkeys?\b|api_?key|\btoken\b|credential|authentic|authori[sz]|permission|forbidden|account|billing|subscription|balance"
    r"|organi[sz]ation|project|workspace|\bcountry\b|\bregion\b|\bip\b|access.{0,20}denied|denied.{0,20}access"
    r"|密钥|权限|账号|账户|鉴权|认证"
)
"""Of what an upstream speaks that refuses whoever asks; the last are key, permission, account and their like."""
_NOT_ACTIVATED = re.compile(
    r"(?i)\bmodel\b.{0,160}\b(?:not (?:been )?activated|not purchased|not open(?:ed)?|eligible)\b"
    r"|access to model denied"
)
_OTHER_WAY = re.compile(r"(?i)\bdoes not support a?synchronous calls?\b")
"""What the caller asked for in the wrong way; Model Studio says so with the code and status of a refused key."""
_RANGE = re.compile(r"Range of input length should be \[\d+, (\d+)\]")
_CONTEXT = re.compile(r"(?i)(?:context length|maximum model length|context size)\D{0,40}?(\d[\d,]*)")
_PROMPT = re.compile(r"(?i)(\d+) (?:in the (?:messages|prompt|input)|input tokens|tokens from the input)")
_LENGTH_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error"})


def _too_long(refusal: Refusal, asked: Asked) -> QwenportError | RoomTooSmall | None:
    """Return why a prompt or what is asked of it does not fit; None where that is not what is wrong."""
    if refusal.status not in {0, 400, 413, 422}:
        return None
    fixed = _RANGE.search(refusal.message)
    if fixed is not None:
        return InputTooLong(min(int(fixed[1]), asked.max_input_tokens))
    context = _CONTEXT.search(refusal.message)
    if context is None and refusal.code not in _LENGTH_CODES and refusal.kind not in _LENGTH_CODES:
        return None
    tokens = int(context[1].replace(",", "")) if context else refusal.context_tokens
    prompt = _PROMPT.search(refusal.message)
    if tokens and prompt is not None and int(prompt[1]) < tokens:
        return RoomTooSmall(tokens - int(prompt[1]))
    return InputTooLong(min(tokens - 1, asked.max_input_tokens) if tokens > 1 else asked.max_input_tokens)


def _model(asked: Asked) -> str:
    return asked.target.partition("/")[2]
