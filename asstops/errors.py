"""The exception tree and the exit codes. Imports nothing of the package.

    AsstopsError
      SpecError         SpecInvalid (every problem at once)
      PlanError         CycleError  UnsafePlan  PlanFileInvalid  StalePlan
      ProviderError     AuthFailed  Forbidden  NotFound  Conflict  Throttled  Unavailable  Rejected  Retired
      ApplyError        PartlyApplied  ResultDiffers  IngestionFailed  IngestionTimeout  Moved
      UsageError        Interrupted  Locked

Each class says what happened, carries where and how to mend it, and owns its exit code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process exits with; a contract with scripts and pipelines."""

    OK = 0
    ERROR = 1
    CHANGES = 2  # only with --detailed-exitcode
    PARTLY_APPLIED = 3
    STALE_PLAN = 4
    LOCKED = 5
    UNSAFE = 6
    TESTS_FAILED = 7
    USAGE = 64
    INTERRUPTED = 130
    TERMINATED = 143


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file the user wrote. `line` and `column` count from 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if self.line == 0:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong (or worth a warning) in a spec: what, where, and how to mend it.

    `rule` names what sort of mistake it is, for tools that group them; the message alone says what it is.
    """

    message: str
    location: Location | None = None
    fix: str = ""
    rule: str = field(default="spec", compare=False)

    def sort_key(self) -> tuple[str, int, int, str]:
        """Order problems the way a reader meets them: by file, line, column."""
        where = self.location or Location("")
        return (where.file, where.line, where.column, self.message)


class AsstopsError(Exception):
    """Base of all errors that asstops foresees; shown without a traceback."""

    exit_code: ClassVar[ExitCode] = ExitCode.ERROR

    def __init__(self, message: str, *, at: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.fix = fix


class UsageError(AsstopsError):
    """The command line does not make sense."""

    exit_code = ExitCode.USAGE


class Interrupted(AsstopsError):
    """The user or the system asked the process to stop."""

    exit_code = ExitCode.INTERRUPTED


class Locked(AsstopsError):
    """Another apply of the stack is at work, or the lock that kept others out was lost; nothing was written."""

    exit_code = ExitCode.LOCKED


class SpecError(AsstopsError):
    """The spec cannot be used."""


class SpecInvalid(SpecError):
    """Every problem found in a spec, in reading order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=Problem.sort_key))
        count = len(self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} in the spec")


class PlanError(AsstopsError):
    """No plan could be made."""


class CycleError(PlanError):
    """References form a circle; the message names the whole path."""


class UnsafePlan(PlanError):
    """The plan would touch something it must not touch; nothing was written."""

    exit_code = ExitCode.UNSAFE

    def __init__(self, objections: Sequence[Problem]) -> None:
        self.objections = tuple(objections)
        super().__init__("; ".join(problem.message for problem in self.objections))


class PlanFileInvalid(PlanError):
    """A file is no saved plan, is damaged, or was made for something else."""


class StalePlan(PlanError):
    """The spec or the live state is no longer what the plan was made from; nothing was written."""

    exit_code = ExitCode.STALE_PLAN

    def __init__(self, moved: Sequence[Problem], *, fix: str = "") -> None:
        self.moved = tuple(moved)
        super().__init__("; ".join(problem.message for problem in self.moved), fix=fix)


class ProviderError(AsstopsError):
    """A service answered with an error, or not at all.

    `status` is the HTTP status (0 when no answer came), `request_id` the service's name for the request.
    `ambiguous` is true when the request may have taken effect although no good answer came.
    """

    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        at: str = "",
        fix: str = "",
        status: int = 0,
        code: str = "",
        request_id: str = "",
        ambiguous: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, at=at, fix=fix)
        self.status = status
        self.code = code
        self.request_id = request_id
        self.ambiguous = ambiguous
        self.retry_after_s = retry_after_s


class AuthFailed(ProviderError):
    """No credential, or one the service does not accept (401)."""


class Forbidden(ProviderError):
    """Signed in, but without the role the request needs (403)."""


class NotFound(ProviderError):
    """The object, or the route to it, does not exist (404)."""


class Conflict(ProviderError):
    """Another operation or object is in the way (409)."""

    retryable = True


class Throttled(ProviderError):
    """Too many requests (429)."""

    retryable = True


class Unavailable(ProviderError):
    """No answer, or a 5xx one."""

    retryable = True


class Rejected(ProviderError):
    """The service refused the request as wrong (400, 413, 422)."""


class Retired(ProviderError):
    """The service behind this API is no longer offered."""


class ApplyError(AsstopsError):
    """A step of an apply did not succeed."""


class PartlyApplied(ApplyError):
    """Some steps are done, others failed or were not attempted."""

    exit_code = ExitCode.PARTLY_APPLIED


class ResultDiffers(ApplyError):
    """What the service stored is not what was planned."""


class Moved(ApplyError):
    """The object is no longer what the plan was made from, so it was not written to."""

    exit_code = ExitCode.STALE_PLAN


class IngestionFailed(ApplyError):
    """Files were refused while a vector store took them in."""


class IngestionTimeout(ApplyError):
    """A vector store was not ready within the time allowed."""
