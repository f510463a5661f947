"""Leads, deals, the pipelines that they go through, and tags."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from ._collections import BATCH, Collection, Page, _plain
from ._crm_py import Deal, Lead, Pipeline, Stage, StageChange, Tag
from ._crm_py import Pipelines as NativePipelines
from ._crm_py import Sales as NativeSales
from ._crm_py import Session as NativeSession
from ._crm_py import Tags as NativeTags

if TYPE_CHECKING:
    from decimal import Decimal
    from typing import Unpack
    from uuid import UUID

    from ._crm_py import Contact, User
    from ._fields import (
        DealFields,
        DealFilters,
        LeadFields,
        LeadFilters,
        PipelineFilters,
        StageChangeFilters,
        StageFields,
        StageFilters,
        TagFilters,
    )
    from .errors import CrmError
    from .reports import ConversionPlan


class Leads(Collection[Lead]):
    """The contacts' interests in buying something."""

    __slots__ = ("_sales",)
    _entity = "lead"

    def __init__(self, native: NativeSession) -> None:
        super().__init__(native)
        self._sales = NativeSales(native)

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        archived: bool = False,
        **filters: Unpack[LeadFilters],
    ) -> Page[Lead]:
        """A page of leads; archived ones only with ``archived=True``."""
        return self._list(filters, None, order_by, limit, after, archived)

    def iter(
        self,
        *,
        order_by: str | Iterable[str] = (),
        batch: int = BATCH,
        archived: bool = False,
        **filters: Unpack[LeadFilters],
    ) -> Iterator[Lead]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch, archived)

    def count(self, *, archived: bool = False, **filters: Unpack[LeadFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters), archived=archived)

    def create(self, *, key: str | None = None, **fields: Unpack[LeadFields]) -> Lead:
        """Creates a lead, entered by hand unless ``channel`` says otherwise; at most once for the same ``key``."""
        return self._create(fields, key)

    def create_many(self, leads: Iterable[LeadFields]) -> builtins.list[Lead]:
        """Creates all of them or none; refused fields are named by position, ``3.contact_id``."""
        return self._create_many(leads)

    def update(
        self, lead: Lead | UUID | str, *, key: str | None = None, **fields: Unpack[LeadFields]
    ) -> Lead:
        """Changes the fields that are given; ``None`` clears one."""
        return self._update(lead, fields, key)

    def assign(
        self, lead: Lead | UUID | str, assignee: User | UUID | str | None, *, key: str | None = None
    ) -> Lead:
        """Gives a lead to an active member, by e-mail address, id or user; to nobody with ``None``."""
        return self._sales.assign_lead(lead, assignee, key=key)

    def move(
        self,
        lead: Lead | UUID | str,
        status: Literal["new", "contacted", "quoted", "closed", "discarded"],
        *,
        key: str | None = None,
    ) -> Lead:
        """Moves a lead to another status. Its own changes nothing and leaves no trace."""
        return self._sales.move_lead(lead, status, key=key)

    def plan_conversion(
        self,
        lead: Lead | UUID | str,
        *,
        deal: Deal | UUID | str | None = None,
        pipeline: Pipeline | UUID | str | None = None,
        stage: Stage | UUID | str | None = None,
        **fields: Unpack[DealFields],
    ) -> ConversionPlan:
        """What :meth:`convert` would do with the same arguments; nothing is written."""
        return self._sales.plan_conversion(lead, dict(fields), deal=deal, pipeline=pipeline, stage=stage)

    def convert(
        self,
        lead: Lead | UUID | str,
        *,
        deal: Deal | UUID | str | None = None,
        pipeline: Pipeline | UUID | str | None = None,
        stage: Stage | UUID | str | None = None,
        key: str | None = None,
        **fields: Unpack[DealFields],
    ) -> Lead:
        """Makes a deal of an open lead, or links it to ``deal``, and closes it; ``deal_id`` names what came of it.

        The new deal's title is the contact's name and its owner the lead's assignee unless ``fields`` say otherwise.
        :class:`RuleError` when the lead was converted before; with the same ``key`` the first result comes back.
        """
        return self._sales.convert_lead(
            lead, dict(fields), deal=deal, pipeline=pipeline, stage=stage, key=key
        )

    def convert_many(
        self,
        leads: Iterable[Lead | UUID | str],
        *,
        pipeline: Pipeline | UUID | str | None = None,
        stage: Stage | UUID | str | None = None,
        **fields: Unpack[DealFields],
    ) -> builtins.list[Lead | CrmError]:
        """Converts each lead in a commit of its own, all with the same ``fields``.

        Gives what came of each, in order: the lead, or the exception that :meth:`convert` would have raised. Sent
        again, those that were converted are told as such.
        """
        return self._sales.convert_leads(leads, dict(fields), pipeline=pipeline, stage=stage)

    def archive(self, lead: Lead | UUID | str, *, key: str | None = None) -> Lead:
        """Archives a lead: it leaves the lists and keeps its history."""
        return self._act("archive", lead, key)

    def restore(self, lead: Lead | UUID | str, *, key: str | None = None) -> Lead:
        """Restores an archived lead."""
        return self._act("restore", lead, key)

    def delete(self, lead: Lead | UUID | str, *, key: str | None = None) -> Lead:
        """Deletes a lead for good; :class:`Conflict` while other records refer to it."""
        return self._act("delete", lead, key)


class Deals(Collection[Deal]):
    """What contacts may buy, on its way through a pipeline. Amounts without a currency are in the deal's."""

    __slots__ = ("_sales",)
    _entity = "deal"

    def __init__(self, native: NativeSession) -> None:
        super().__init__(native)
        self._sales = NativeSales(native)

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        archived: bool = False,
        **filters: Unpack[DealFilters],
    ) -> Page[Deal]:
        """A page of deals; archived ones only with ``archived=True``. ``is_open=True`` leaves out won and lost ones."""
        return self._list(filters, None, order_by, limit, after, archived)

    def iter(
        self,
        *,
        order_by: str | Iterable[str] = (),
        batch: int = BATCH,
        archived: bool = False,
        **filters: Unpack[DealFilters],
    ) -> Iterator[Deal]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch, archived)

    def count(self, *, archived: bool = False, **filters: Unpack[DealFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters), archived=archived)

    def create(
        self,
        *,
        pipeline: Pipeline | UUID | str | None = None,
        stage: Stage | UUID | str | None = None,
        key: str | None = None,
        **fields: Unpack[DealFields],
    ) -> Deal:
        """Creates a deal; at most once for the same ``key``.

        It begins in ``stage``, or else at the beginning of ``pipeline``, or of the organization's default. The name of
        a stage is looked for in ``pipeline`` if that is given.
        """
        return self._sales.create_deal(dict(fields), pipeline=pipeline, stage=stage, key=key)

    def update(
        self, deal: Deal | UUID | str, *, key: str | None = None, **fields: Unpack[DealFields]
    ) -> Deal:
        """Changes the fields that are given; ``None`` clears one."""
        return self._update(deal, fields, key)

    def move(
        self, deal: Deal | UUID | str, stage: Stage | UUID | str, *, key: str | None = None
    ) -> Deal:
        """Moves an open deal to another stage of its pipeline; backward, for admins. Its own changes nothing."""
        return self._sales.move_deal(deal, stage, key=key)

    def start(self, deal: Deal | UUID | str, *, key: str | None = None) -> Deal:
        """Says that somebody works on a new deal."""
        return self._act("start", deal, key)

    def win(self, deal: Deal | UUID | str, *, key: str | None = None) -> Deal:
        """Wins an open deal that has an amount."""
        return self._act("win", deal, key)

    def lose(self, deal: Deal | UUID | str, reason: str, *, key: str | None = None) -> Deal:
        """Gives up an open deal."""
        return self._sales.lose_deal(deal, reason, key=key)

    def reopen(self, deal: Deal | UUID | str, *, key: str | None = None) -> Deal:
        """Opens a deal again that was won or lost, in the stage that it was in; for managers."""
        return self._act("reopen", deal, key)

    def archive(self, deal: Deal | UUID | str, *, key: str | None = None) -> Deal:
        """Archives a deal: it leaves the lists and keeps its history."""
        return self._act("archive", deal, key)

    def restore(self, deal: Deal | UUID | str, *, key: str | None = None) -> Deal:
        """Restores an archived deal."""
        return self._act("restore", deal, key)

    def delete(self, deal: Deal | UUID | str, *, key: str | None = None) -> Deal:
        """Deletes a deal with its history; a lead that it came of may be converted again."""
        return self._act("delete", deal, key)

    def history(self, deal: Deal | UUID | str) -> builtins.list[StageChange]:
        """The steps of a deal, the first one first."""
        return [*StageChanges(self._native).iter(deal=self.get(deal), order_by="at")]


class StageChanges(Collection[StageChange]):
    """The steps of all deals; they are written with their deal, once."""

    __slots__ = ()
    _entity = "stage_change"

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[StageChangeFilters],
    ) -> Page[StageChange]:
        """A page of steps."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[StageChangeFilters]
    ) -> Iterator[StageChange]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[StageChangeFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))


class Pipelines(Collection[Pipeline]):
    """The ways that deals go, stage by stage. What is done with a stage gives back its pipeline."""

    __slots__ = ("_pipelines",)
    _entity = "pipeline"

    def __init__(self, native: NativeSession) -> None:
        super().__init__(native)
        self._pipelines = NativePipelines(native)

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[PipelineFilters],
    ) -> Page[Pipeline]:
        """A page of pipelines."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[PipelineFilters]
    ) -> Iterator[Pipeline]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[PipelineFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))

    def create(self, name: str, *, stages: Iterable[StageFields], key: str | None = None) -> Pipeline:
        """Creates a pipeline with its stages, in order; the organization's first one is its default.

        A stage has a ``name`` and a ``probability``: how likely a deal in it is won, in percent.
        """
        return self._pipelines.create(name, [_plain(stage) for stage in stages], key=key)

    def update(self, pipeline: Pipeline | UUID | str, *, name: str, key: str | None = None) -> Pipeline:
        """Gives a pipeline another name."""
        return self._update(pipeline, {"name": name}, key)

    def make_default(self, pipeline: Pipeline | UUID | str, *, key: str | None = None) -> Pipeline:
        """Makes it the way of the deals that name no pipeline."""
        return self._act("make_default", pipeline, key)

    def delete(self, pipeline: Pipeline | UUID | str, *, key: str | None = None) -> Pipeline:
        """Deletes a pipeline with its stages; :class:`Conflict` while deals refer to it."""
        return self._act("delete", pipeline, key)

    def stages(self, pipeline: Pipeline | UUID | str) -> builtins.list[Stage]:
        """The stages of a pipeline, in order."""
        return [*Stages(self._native).iter(pipeline=self.get(pipeline), order_by="position")]

    def add_stage(
        self,
        pipeline: Pipeline | UUID | str,
        name: str,
        *,
        probability: Decimal | int,
        key: str | None = None,
    ) -> Pipeline:
        """Adds a stage at the end of a pipeline."""
        return self._pipelines.add_stage(pipeline, {"name": name, "probability": probability}, key=key)

    def update_stage(
        self,
        pipeline: Pipeline | UUID | str,
        stage: Stage | UUID | str,
        *,
        name: str | None = None,
        probability: Decimal | int | None = None,
        key: str | None = None,
    ) -> Pipeline:
        """Changes a stage's name or probability; what is not given stays."""
        return self._pipelines.update_stage(pipeline, stage, name=name, probability=probability, key=key)

    def remove_stage(
        self, pipeline: Pipeline | UUID | str, stage: Stage | UUID | str, *, key: str | None = None
    ) -> Pipeline:
        """Deletes a stage; :class:`Conflict` when a deal is or was in it."""
        return self._pipelines.remove_stage(pipeline, stage, key=key)

    def reorder(
        self, pipeline: Pipeline | UUID | str, order: Iterable[Stage | UUID | str], *, key: str | None = None
    ) -> Pipeline:
        """Puts the stages of a pipeline in another order: all of them, each once. What happened stays as it was."""
        return self._pipelines.reorder(pipeline, order, key=key)


class Stages(Collection[Stage]):
    """The stages of all pipelines; they are changed through their pipeline."""

    __slots__ = ()
    _entity = "stage"

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[StageFilters],
    ) -> Page[Stage]:
        """A page of stages."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[StageFilters]
    ) -> Iterator[Stage]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[StageFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))


class Tags(Collection[Tag]):
    """The words that contacts, leads and deals can be found by: ``org.deals.list(tag="vip")``."""

    __slots__ = ("_tags",)
    _entity = "tag"

    def __init__(self, native: NativeSession) -> None:
        super().__init__(native)
        self._tags = NativeTags(native)

    def list(
        self,
        *,
        order_by: str | Iterable[str] = (),
        limit: int | None = None,
        after: str | None = None,
        **filters: Unpack[TagFilters],
    ) -> Page[Tag]:
        """A page of tags."""
        return self._list(filters, None, order_by, limit, after)

    def iter(
        self, *, order_by: str | Iterable[str] = (), batch: int = BATCH, **filters: Unpack[TagFilters]
    ) -> Iterator[Tag]:
        """All of them, read page by page."""
        return self._iter(filters, None, order_by, batch)

    def count(self, **filters: Unpack[TagFilters]) -> int:
        """How many there are."""
        return self._native.count(self._entity, dict(filters))

    def of(self, record: Contact | Lead | Deal) -> builtins.list[Tag]:
        """The tags of a record, by name."""
        return self._tags.of(record)

    def add(self, record: Contact | Lead | Deal, tag: Tag | str, *, key: str | None = None) -> Tag:
        """Puts a tag on a record; one that is not there is made. A second time changes nothing."""
        return self._tags.add(record, tag, key=key)

    def remove(self, record: Contact | Lead | Deal, tag: Tag | str, *, key: str | None = None) -> Tag:
        """Takes a tag off a record; :class:`RuleError` when the record does not have it."""
        return self._tags.remove(record, tag, key=key)

    def update(self, tag: Tag | UUID | str, *, name: str, key: str | None = None) -> Tag:
        """Gives a tag another name, on every record that has it."""
        return self._update(tag, {"name": name}, key)

    def delete(self, tag: Tag | UUID | str, *, key: str | None = None) -> Tag:
        """Deletes a tag; :class:`Conflict` while records have it."""
        return self._act("delete", tag, key)
