"""What is stored about a contact, given out and erased."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ._crm_py import Privacy as NativePrivacy

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from ._crm_py import Contact
    from ._crm_py import Session as NativeSession
    from .reports import Erased


class Privacy:
    """What the law lets a contact ask for. For owners and admins."""

    __slots__ = ("_native",)

    def __init__(self, session: NativeSession) -> None:
        self._native = NativePrivacy(session)

    def export(self, contact: Contact | UUID | str) -> dict[str, Any]:
        """All that is stored about a contact, ready to be written as JSON: the contact, every record about it by
        entity, and what the audit tells of them. Amounts are texts with their currency. Passwords and keys are never in it.
        """
        export: dict[str, Any] = json.loads(self._native.export(contact), parse_float=Decimal)
        return export

    def erase(self, contact: Contact | UUID | str) -> Erased:
        """Erases a contact, for good: what is personal goes out of it, of all records about it, of the audit and of
        the files. Issued invoices, credit notes and payments are kept as the law requires.

        :class:`RuleError` while invoices are to be paid, credit is not spent, cases are not closed, or an invitation to the
        contact stands that is not the caller's to withdraw.
        """
        return self._native.erase(contact)

    def purge(self) -> bool:
        """Leaves nothing in the book's file of what was erased; ``False`` while others read an older state of it. Has
        PostgreSQL clean its tables of what nobody reads any more, ``False`` when they are another role's; its files, log
        and backups are its administrator's. :meth:`erase` does this itself.
        """
        return self._native.purge()

    def is_purge_due(self) -> bool:
        """Whether something that was erased may still be in the book's files, since an erasure was not followed by its
        purge; also when its process ended in between. Always ``False`` on PostgreSQL.
        """
        return self._native.is_purge_due()

    def purge_requests(self, before: date) -> int:
        """Deletes the log of API keys' requests from before a day, and tells how many there were."""
        return self._native.purge_requests(before)
