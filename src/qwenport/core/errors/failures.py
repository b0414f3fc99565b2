"""What fails: the gateway or an engine could not do what was rightly asked."""

from __future__ import annotations

from qwenport.core.errors.root import Failed


class EngineFailed(Failed):
    """The engine broke off or answered with something that is no answer."""

    code = "engine_failed"

    def __init__(self, message: str | None = None, *, passes: bool = True, retry_after_s: int | None = None) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.passes = passes
        """Whether another try there may end otherwise; what the call itself makes fail is not tried there again."""


class EngineTimedOut(Failed):
    """The engine said nothing for too long."""

    code = "engine_timed_out"
    words = "Request timed out, please try again later."

    def __init__(self, reason: str = "", *, passes: bool = True, retry_after_s: int | None = None) -> None:
        super().__init__(f"{self.words} ({reason})" if reason else None, retry_after_s=retry_after_s)
        self.passes = passes
        """Whether another try there may be quicker; what takes as long each time is not tried there again."""


class ModelUnavailable(Failed):
    """No engine can take the call now."""

    code = "model_unavailable"

    def __init__(self, reason: str, *, passes: bool = True, is_sure: bool = True) -> None:
        super().__init__(f"Model is unavailable, please try again later. ({reason})", retry_after_s=5)
        self.passes = passes
        """Whether it passes by itself; without weights it does not, and a client need not try again."""
        self.is_sure = is_sure
        """Whether it is so for every call; what only words about this one tell must not shut it for the others."""


class UpstreamKeyRefused(ModelUnavailable):
    """An upstream does not take the key that the operator gave it; trying again changes nothing."""

    code = "upstream_key_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason, passes=False)


class UpstreamExhausted(ModelUnavailable):
    """The operator's account at an upstream is in arrears, or its quota is used up for longer than a minute."""

    code = "upstream_exhausted"

    def __init__(self, reason: str) -> None:
        super().__init__(reason, passes=False)


class UpstreamTurnedAway(Failed):
    """Something before an upstream's API, such as a firewall, refused this one call; nothing is known of the others."""

    code = "upstream_turned_away"
    words = "The upstream turned the call away before its API saw it."


class Overloaded(Failed):
    """Every slot of the engine is taken and the queue before it is full."""

    code = "overloaded"

    def __init__(self) -> None:
        super().__init__(
            "Too many requests. Your requests are being throttled due to system capacity limits, "
            "please try again later.",
            retry_after_s=1,
        )


class StorageUnavailable(Failed):
    """The call could not be recorded, so it was not run."""

    code = "storage_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The service cannot record calls now, please try again later. ({reason})", retry_after_s=5)


class Draining(Failed):
    """The server is shutting down."""

    code = "draining"

    def __init__(self) -> None:
        super().__init__("The server is shutting down, please try again later.", retry_after_s=5)


class UnderMaintenance(Failed):
    """The operator has switched the faces off for a while."""

    code = "under_maintenance"

    def __init__(self, words: str = "") -> None:
        told = f" ({words})" if words else ""
        super().__init__(f"The service is under maintenance, please try again later.{told}", retry_after_s=30)


class Internal(Failed):
    """A defect of the gateway; the log holds the details under the request id."""

    code = "internal"
    words = "An internal error has occured, please try again later or contact service support."
