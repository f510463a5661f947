"""Tasks and interactions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ._collections import BATCH, Collection, Page
from ._crm_py import Interaction, Task

if TYPE_CHECKING:
    from typing import Unpack
    from uuid import UUID

    from ._fields import InteractionFields, InteractionFilters, TaskFields, TaskFilters


class Tasks(Collection[Task]):
    """What is to be done, by whom, until when."""

    __slots__ = ()
    _entity = "task"

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[TaskFilters],
    ) -> Page[Task]:
        """A page of tasks; ``overdue=True`` those that are late now."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[TaskFilters]
    ) -> Iterator[Task]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[TaskFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))

    def overdue(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[TaskFilters],
    ) -> Page[Task]:
        """A page of the open tasks that are late now, dates by the organization's time zone."""
        return self._list({**filters, "overdue": True}, None, order_by, limit, after)

    def create(self, *, key: str | None = None, **fields: Unpack[TaskFields]) -> Task:
        """Creates a task, one's own unless ``assignee`` says otherwise; at most once for the same ``key``.

        It may be about a ``contact``, ``lead``, ``deal``, ``invoice`` or ``case``, and due on a date, ``due_on``, or at an
        instant, ``due_at``.
        """
        return self._create(fields, key)

    def update(
        self, task: Task | UUID | str, *, key: str | None = None, **fields: Unpack[TaskFields]
    ) -> Task:
        """Changes the fields that are given; ``None`` clears one."""
        return self._update(task, fields, key)

    def complete(self, task: Task | UUID | str, *, key: str | None = None) -> Task:
        """Says that a task is done."""
        return self._act("complete", task, key)

    def cancel(self, task: Task | UUID | str, *, key: str | None = None) -> Task:
        """Says that a task is not to be done any more."""
        return self._act("cancel", task, key)

    def reopen(self, task: Task | UUID | str, *, key: str | None = None) -> Task:
        """Says that a task is to be done after all, or again."""
        return self._act("reopen", task, key)

    def delete(self, task: Task | UUID | str, *, key: str | None = None) -> Task:
        """Deletes a task for good."""
        return self._act("delete", task, key)


class Interactions(Collection[Interaction]):
    """What was said and done with people. Written once, never changed."""

    __slots__ = ()
    _entity = "interaction"

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[InteractionFilters],
    ) -> Page[Interaction]:
        """A page of interactions."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[InteractionFilters]
    ) -> Iterator[Interaction]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[InteractionFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))

    def log(self, *, key: str | None = None, **fields: Unpack[InteractionFields]) -> Interaction:
        """Writes down what happened; at most once for the same ``key``.

        It is about a ``contact``, ``lead``, ``deal`` or ``invoice``, of a ``kind`` such as ``call``, with ``notes`` of
        at least five characters, and happened now unless ``occurred_at`` says otherwise.
        """
        return self._create(fields, key)
