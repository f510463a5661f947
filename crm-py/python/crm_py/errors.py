"""What a call raises instead of giving an answer.

Every exception has a ``code``, the same word as on the command line and in Rust, and where there is one the ``field``
that it is about. All of them pickle.

>>> from crm_py import NotFound
>>> issubclass(NotFound, LookupError)
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

__all__ = [
    "Conflict",
    "Corrupt",
    "CrmError",
    "Duplicate",
    "NotFound",
    "OutcomeUnknown",
    "PermissionDenied",
    "QuotaExceeded",
    "RuleError",
    "Throttled",
    "Unauthenticated",
    "Unavailable",
    "ValidationError",
]


class CrmError(Exception):
    """Whatever the engine refuses or fails at. Nothing of a refused command is written."""

    default_code: ClassVar[str] = "failure"
    _told: ClassVar[tuple[str, ...]] = ("code", "field", "details", "hint")

    code: str
    """The kind of error, the same word in Rust, on the command line and here."""
    field: str | None
    """The first field that was refused, such as ``email`` or ``lines.2.quantity``."""
    details: tuple[Mapping[str, Any], ...]
    """Every refused field with its reason, or the candidates of an ambiguous name, or the refused rows of a file."""
    hint: str | None
    """What to do about it, where that is not plain."""

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        field: str | None = None,
        details: Sequence[Mapping[str, Any]] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = self.default_code if code is None else code
        self.field = field
        self.details = tuple(details)
        self.hint = hint

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Callable[..., CrmError], tuple[Any, ...]]:
        return (_restore, (type(self), str(self), {name: getattr(self, name) for name in self._told}))


def _restore(kind: type[CrmError], message: str, keywords: dict[str, Any]) -> CrmError:
    return kind(message, **keywords)


class Unauthenticated(CrmError):
    """Who acts is not an active member of the organization, or what they show opens nothing, or not any more.

    Which of these it is, and what is wrong with a password, a token, an API key or an invitation, is not told.
    """

    default_code = "unauthenticated"


class PermissionDenied(CrmError, PermissionError):
    """Who acts may not do this."""

    default_code = "forbidden"


class NotFound(CrmError, LookupError):
    """There is no such record, or none that the member may see."""

    default_code = "not_found"


class Conflict(CrmError):
    """Others kept changing the record, or it is still referred to."""

    default_code = "conflict"


class Duplicate(Conflict):
    """A value that must be unique is taken, or an idempotency key belongs to another command."""

    default_code = "duplicate"


class ValidationError(CrmError, ValueError):
    """Fields were refused; ``details`` has each with its reason."""

    default_code = "invalid"


class RuleError(CrmError):
    """A rule of the business forbids it."""

    default_code = "rule"


class Throttled(CrmError):
    """Too many attempts; the same call may succeed later."""

    default_code = "throttled"
    _told = (*CrmError._told, "retry_after")

    retry_after: int | None
    """How many seconds are to be waited."""

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        field: str | None = None,
        details: Sequence[Mapping[str, Any]] = (),
        hint: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, code=code, field=field, details=details, hint=hint)
        self.retry_after = retry_after


class QuotaExceeded(Throttled):
    """The API key did as often what it may do a limited number of times in one UTC day. Nothing of it was counted."""

    _told = (*Throttled._told, "operation", "limit", "resets_at")

    operation: str
    """What, such as ``contact.create``."""
    limit: int
    """How often in one UTC day."""
    resets_at: datetime | None
    """When the next day begins."""

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        field: str | None = None,
        details: Sequence[Mapping[str, Any]] = (),
        hint: str | None = None,
        retry_after: int | None = None,
        operation: str = "",
        limit: int = 0,
        resets_at: datetime | None = None,
    ) -> None:
        super().__init__(
            message, code=code, field=field, details=details, hint=hint, retry_after=retry_after
        )
        self.operation = operation
        self.limit = limit
        self.resets_at = resets_at


class Unavailable(CrmError):
    """The database cannot be used now, or is closed; nothing was written."""

    default_code = "unavailable"


class OutcomeUnknown(CrmError):
    """The connection broke while committing; the same call with the same key is safe to send again."""

    default_code = "outcome_unknown"


class Corrupt(CrmError):
    """Stored data is not as it was written."""

    default_code = "corrupt"
