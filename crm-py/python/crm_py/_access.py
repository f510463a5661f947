"""Who comes in, and with what: members, invitations, logins and API keys."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, cast

from ._collections import BATCH, Collection, Page
from ._crm_py import Access, ApiKey, ApiRequest, Invitation, Membership, User
from ._crm_py import Session as NativeSession
from .errors import Unauthenticated

if TYPE_CHECKING:
    from datetime import date, datetime
    from typing import Self, Unpack
    from uuid import UUID

    from ._client import Crm, Session
    from ._fields import ApiKeyFilters, ApiRequestFilters
    from .reports import KeyUsage


class Login:
    """Somebody who signed in. In a ``with`` block, leaving it signs them out.

    The tokens are secrets: they are shown by no ``repr``, and whoever has one may do what its user may.
    """

    __slots__ = ("_crm", "_org", "access", "expires_at", "refresh", "refresh_expires_at", "role", "user")

    access: str
    """Opens the organization until it expires, with :meth:`Crm.with_token`."""
    refresh: str
    """Gives the next pair of tokens, once, with :meth:`Crm.refresh`."""
    expires_at: datetime
    """When the access token expires."""
    refresh_expires_at: datetime
    """When the refresh token expires."""
    user: User
    """Who signed in."""
    role: str
    """In which role."""

    def __init__(
        self,
        crm: Crm,
        access: str,
        refresh: str,
        expires_at: datetime,
        refresh_expires_at: datetime,
        user: User,
        role: str,
    ) -> None:
        self._crm = crm
        self._org: Session | None = None
        self.access = access
        self.refresh = refresh
        self.expires_at = expires_at
        self.refresh_expires_at = refresh_expires_at
        self.user = user
        self.role = role

    @property
    def org(self) -> Session:
        """The organization, until the access token expires."""
        if self._org is None:
            self._org = self._crm.with_token(self.access)
        return self._org

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._crm.logout(self.refresh)
        except Unauthenticated:
            # Whatever ended the session has done it already.
            pass

    def __repr__(self) -> str:
        return f"<login of {self.user.email} as {self.role} until {self.expires_at.isoformat()}>"


class Member(NamedTuple):
    """A member of an organization: who, and in which role.

    Of another one's ``user`` only ``id``, ``email``, ``full_name`` and ``active`` are told; the rest is ``None``. To an API
    key everybody is another one.
    """

    membership: Membership
    user: User

    @property
    def id(self) -> UUID:
        """The id of the membership."""
        return self.membership.id

    @property
    def email(self) -> str:
        """The address they are known by."""
        return self.user.email

    @property
    def full_name(self) -> str:
        """Their name."""
        return self.user.full_name

    @property
    def role(self) -> str:
        """What they may do: owner, admin, manager, member or viewer."""
        return self.membership.role


class Members:
    """Who belongs to the organization, and in which role. A member is named by e-mail address or id, or by itself."""

    __slots__ = ("_access", "_native")

    def __init__(self, native: NativeSession) -> None:
        self._native = native
        self._access = Access(native)

    def list(self) -> builtins.list[Member]:
        """All of them, the earliest first."""
        return [Member(*found) for found in self._native.members()]

    def get(self, member: Member | Membership | User | UUID | str) -> Member:
        """One member; :class:`NotFound` when there is none."""
        return Member(*self._native.member(_plain(member)))

    def add(self, email: str, *, role: str, full_name: str | None = None, key: str | None = None) -> Member:
        """Makes somebody a new user and a member; the name is needed. Who is a user already is invited."""
        return Member(*self._native.add_member(email, role=role, full_name=full_name, key=key))

    def invite(self, email: str, *, role: str, days: int | None = None) -> CreatedInvitation:
        """Invites somebody to become a member by their own consent; an earlier invitation to the address is withdrawn.

        Send them the text, and do not show it to the member who invites: whoever shows it to
        :meth:`Crm.accept_invitation` within 7 ``days``, at most 30, is taken for whom it was sent to. For admins.
        """
        return CreatedInvitation(*self._access.invite(email, role=role, days=days))

    def invitations(self, *, all: bool = False) -> builtins.list[Invitation]:
        """The invitations that were not answered or withdrawn, the earliest first; with ``all=True`` every one."""
        return [*_Invitations(self._native).iter(all)]

    def withdraw(self, invitation: Invitation | UUID | str) -> Invitation:
        """Takes an invitation back: by itself, its id, or the address of the one that stands."""
        return cast("Invitation", self._native.act("invitation", "withdraw", invitation))

    def set_role(self, member: Member | Membership | User | UUID | str, role: str) -> Member:
        """Changes a member's role."""
        return Member(*self._native.set_role(_plain(member), role))

    def remove(self, member: Member | Membership | User | UUID | str) -> Member:
        """Ends a membership; what the member did stays."""
        return Member(*self._native.remove_member(_plain(member)))

    def reset_password(self, member: Member | Membership | User | UUID | str, password: str) -> Member:
        """Gives a member a new password and ends their sessions. For admins.

        Of somebody who belongs to other organizations too, nobody else may: :class:`RuleError`.
        """
        return Member(*self._access.reset_password(_plain(member), password))

    def deactivate(self, member: Member | Membership | User | UUID | str) -> Member:
        """Keeps a member from acting at all, at once. For admins; of somebody who belongs elsewhere too, for nobody."""
        return Member(*self._access.set_active(_plain(member), False))

    def activate(self, member: Member | Membership | User | UUID | str) -> Member:
        """Lets a member act again. For admins."""
        return Member(*self._access.set_active(_plain(member), True))

    def __repr__(self) -> str:
        return f"<members of {self._native.organization().slug}>"


def _plain(member: Member | Membership | User | UUID | str) -> Membership | User | UUID | str:
    return member.membership if isinstance(member, Member) else member


class _Invitations(Collection[Invitation]):
    __slots__ = ()
    _entity = "invitation"

    def iter(self, all: bool) -> Iterator[Invitation]:
        return self._iter({} if all else {"ended": None})


@dataclass(frozen=True, slots=True)
class CreatedInvitation:
    """An invitation that was just made. Its text is not kept: it is sent now or never."""

    invitation: Invitation
    text: str = field(repr=False)
    """What the invited person shows."""


class Me:
    """The acting user's own account."""

    __slots__ = ("_access", "_native")

    def __init__(self, native: NativeSession) -> None:
        self._native = native
        self._access = Access(native)

    @property
    def user(self) -> User:
        """Who acts."""
        return self._native.user()

    def change_password(self, current: str, new: str) -> User:
        """Changes the password and ends all sessions, this one too.

        A wrong ``current`` one raises :class:`Unauthenticated`, and too many :class:`Throttled`.
        """
        return self._access.change_password(current, new)

    def set_username(self, username: str | None) -> User:
        """Sets the name to sign in with instead of the e-mail address; ``None`` clears it."""
        return self._access.set_username(username)

    def end_sessions(self) -> User:
        """Ends all sessions, this one too."""
        return self._access.end_sessions()

    def __repr__(self) -> str:
        return f"<{self._native.user().email} in {self._native.organization().slug}>"


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """An API key that was just made. Its text is not kept: it is shown now or never."""

    key: ApiKey
    text: str = field(repr=False)
    """What :meth:`Crm.with_key` takes."""


class Keys(Collection[ApiKey]):
    """The API keys by which programs work in the organization. A key is named by itself, its id, alias or prefix.

    A key works for the member who made it, for as long as they belong to the organization in a role that covers its
    own. For admins.
    """

    __slots__ = ("_access", "requests")
    _entity = "api_key"

    requests: Requests

    def __init__(self, native: NativeSession) -> None:
        super().__init__(native)
        self._access = Access(native)
        self.requests = Requests(native)

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[ApiKeyFilters],
    ) -> Page[ApiKey]:
        """A page of keys; ``revoked_at=None`` leaves out those that were revoked."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[ApiKeyFilters]
    ) -> Iterator[ApiKey]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[ApiKeyFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))

    def create(
        self,
        alias: str,
        *,
        role: str,
        scopes: str | Iterable[str],
        expires: datetime | None = None,
        quotas: Mapping[str, int | None] | None = None,
    ) -> CreatedKey:
        """Makes a key that works in a role, at most one's own, within scopes: ``contact.create``, ``contact.*``,
        ``*.read``.

        ``quotas`` says how often in one UTC day it may do what. 35 times ``contact.create`` unless they name it: with
        another number, or with ``None`` for without limit, as is whatever else they do not name.
        """
        words = scopes if isinstance(scopes, str) else " ".join(scopes)
        plain = None if quotas is None else dict(quotas)
        return CreatedKey(*self._access.create_key(alias, role=role, scopes=words, expires=expires, quotas=plain))

    def revoke(self, key: ApiKey | UUID | str) -> ApiKey:
        """Ends a key for good; what it did stays."""
        return self._act("revoke", key, None)

    def quotas(self, key: ApiKey | UUID | str) -> dict[str, int]:
        """How often in one UTC day a key may do what."""
        return dict(self._access.quotas_of(key))

    def set_quota(self, key: ApiKey | UUID | str, operation: str, per_day: int | None) -> ApiKey:
        """Sets or changes a quota, or removes it with ``None``. What was done already on the day counts."""
        return self._access.set_quota(key, operation, per_day)

    def usage(
        self, *, from_: date, to: date, key: ApiKey | UUID | str | None = None
    ) -> builtins.list[KeyUsage]:
        """What the keys, or one of them, did in a period of UTC days, both included, of what they have a quota of.

        For today there is a line for every quota of a key that works, although nothing was taken of it.
        """
        return self._access.key_usage(from_, to, key=key)


class Requests(Collection[ApiRequest]):
    """The log of what API keys asked for, carried out or refused, with who asked as the program says.

    Reads are not in it.
    """

    __slots__ = ()
    _entity = "api_request"

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[ApiRequestFilters],
    ) -> Page[ApiRequest]:
        """A page of requests; ``order_by="-at"`` gives the last ones first."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[ApiRequestFilters]
    ) -> Iterator[ApiRequest]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[ApiRequestFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))
