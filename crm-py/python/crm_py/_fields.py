"""What can be set and filtered by, as types. Written by tools/make_stubs.py from the tables; read by type checkers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypedDict
from uuid import UUID

from ._crm_py import (
    Allocation,
    ApiKey,
    ApiRequest,
    AuditEntry,
    Calendar,
    Case,
    CaseEvent,
    CaseRule,
    Contact,
    CreditNote,
    CreditNoteLine,
    Deal,
    Interaction,
    Invoice,
    InvoiceLine,
    Lead,
    Money,
    Payment,
    Pipeline,
    Product,
    Record,
    Refund,
    Stage,
    StageChange,
    Tag,
    Task,
    User,
)


class LineFields(TypedDict, total=False):
    """One line of an invoice or a credit note. What a product has need not be said again; the quantity must be."""

    product: Product | UUID | str | None
    description: str | None
    quantity: Decimal | int
    unit_price: Decimal | int | None
    discount_percent: Decimal | int | None
    discount: Decimal | int | None
    tax_percent: Decimal | int | None


class InvoiceChanges(TypedDict, total=False):
    """What can be changed of a draft."""

    contact: Contact | UUID | str
    issued_on: date | None
    due_on: date | None
    lines: Iterable[LineFields]
    notes: str | None


class ContactFields(TypedDict, total=False):
    """What can be set of a contact."""

    kind: str
    """Whether it is a person or a company."""
    given_name: str | None
    """A person's given name, or that of a company's contact person."""
    family_name: str | None
    """A person's family name, or that of a company's contact person."""
    company_name: str | None
    """A company's name, or that of a person's employer."""
    company: Contact | UUID | str | None
    company_id: Contact | UUID | str | None
    """A person's employer, if it is a contact itself."""
    email: str | None
    """The e-mail address."""
    phone: str | None
    """The phone number in E.164."""
    phone_raw: str | None
    """A phone number that could not be read, as it was given."""
    address_line: str | None
    """Street and number, or whatever stands in their place."""
    city: str | None
    """The city."""
    region: str | None
    """The state, province or region."""
    postal_code: str | None
    """The postal code."""
    country: str | None
    """The country, by its ISO 3166-1 code."""
    tax_scheme: str | None
    """What kind of tax number it has."""
    tax_number: str | None
    """The tax number, without punctuation; its check digits are verified."""
    account_number: str | None
    """The customer's account number."""
    stratum: int | None
    """The socio-economic stratum, 1 to 6 (Colombia, Law 142 of 1994, article 102)."""
    payment_days: int | None
    """How many days after its issue an invoice is due; the organization's days otherwise."""
    external_id: str | None
    """The id in the system that it was imported from."""
    instagram: str | None
    """The Instagram handle, without the at sign."""
    owner: User | UUID | str | None
    owner_id: User | UUID | str | None
    """The member who looks after it."""
    source: str | None
    """How it was first met."""
    notes: str | None
    """What else is to be known."""
    custom: dict[str, Any] | None
    """Fields of the organization's own, a JSON object."""


class ProductFields(TypedDict, total=False):
    """What can be set of a product."""

    name: str
    """Its name."""
    sku: str | None
    """The stock keeping unit: the organization's own code for it."""
    kind: str
    """Whether it is a thing or a service."""
    unit_price: Decimal | int
    """The price of one unit before tax, with at most six decimals."""
    currency: str
    """The currency of the price."""
    tax_percent: Decimal | int
    """The rate of tax on it, in percent."""
    description: str | None
    """What it is."""
    external_id: str | None
    """The id in the system that it was imported from."""


class NumberSeriesFields(TypedDict, total=False):
    """What can be set of a number series."""

    kind: str
    """What it numbers."""
    prefix: str | None
    """What stands before the number; {year}, {month} and {date} are those of the document's date."""
    digits: int
    """The least number of digits, 1 to 18."""
    reset: str
    """When it begins again."""
    start: int
    """The number that it begins with; fixed once it gave one."""
    first: int | None
    """The first number that the authority allows."""
    last: int | None
    """The last number that the authority allows."""
    valid_from: date | None
    """The first civil date on which it may be used."""
    valid_until: date | None
    """The last civil date on which it may be used."""
    warn_percent: int | None
    """From which share of the range on there is a warning, in percent."""
    authorisation: str | None
    """The authority's reference, printed on documents."""


class OrganizationFields(TypedDict, total=False):
    """What can be set of a organization."""

    slug: str
    """The name in commands and addresses: 2 to 64 of a-z, 0-9 and hyphens."""
    name: str
    """The name as people write it."""
    default_currency: str
    """The currency of amounts that name none."""
    time_zone: str
    """The IANA time zone in which "today" is told."""
    default_region: str | None
    """The region of phone numbers without a country code."""
    payment_days: int
    """How many days after its issue an invoice is due unless it says otherwise."""
    unique_emails: bool
    """Whether two contacts may not have the same e-mail address."""
    unique_phones: bool
    """Whether two contacts may not have the same phone number."""
    legal_name: str | None
    """The name of the legal person, on documents."""
    tax_number: str | None
    """The tax number as it is printed on documents."""
    address: str | None
    """The address on documents, on several lines."""
    email: str | None
    """The e-mail address on documents."""
    phone: str | None
    """The phone number on documents, in E.164."""
    website: str | None
    """The web site on documents."""
    document_footer: str | None
    """What stands at the foot of documents."""


class PipelineFields(TypedDict, total=False):
    """What can be set of a pipeline."""

    name: str
    """Its name."""


class StageFields(TypedDict, total=False):
    """What can be set of a stage."""

    name: str
    """Its name."""
    probability: Decimal | int
    """How likely a deal in this stage is won, in percent, 0 to 100."""


class LeadFields(TypedDict, total=False):
    """What can be set of a lead."""

    contact: Contact | UUID | str
    contact_id: Contact | UUID | str
    """Whose."""
    channel: str
    """By which way it came."""
    assignee: User | UUID | str | None
    assignee_id: User | UUID | str | None
    """The member who works on it."""
    admin_notes: str | None
    """What those who distribute the work have to say."""
    sales_notes: str | None
    """What those who sell have to say."""
    external_id: str | None
    """The id in the system that it was imported from."""


class DealFields(TypedDict, total=False):
    """What can be set of a deal."""

    title: str
    """What it is about."""
    contact: Contact | UUID | str | None
    contact_id: Contact | UUID | str | None
    """With whom."""
    owner: User | UUID | str
    owner_id: User | UUID | str
    """The member who works on it."""
    currency: str
    """The currency of the amount."""
    amount: Decimal | int | Money
    """What it is worth; 0 while that is not known."""
    expected_close_on: date | None
    """The civil date on which it is expected to be won."""
    product: Product | UUID | str | None
    product_id: Product | UUID | str | None
    """What would be bought."""
    external_id: str | None
    """The id in the system that it was imported from."""


class TagFields(TypedDict, total=False):
    """What can be set of a tag."""

    name: str
    """The word or words."""


class CaseFields(TypedDict, total=False):
    """What can be set of a case."""

    kind: str
    """What the contact wants."""
    topic: str
    """What the law calls it, which picks the rule of its due date; fixed when it is opened."""
    channel: str
    """How it came in."""
    subject: str
    """What it is about, in 3 to 100 characters."""
    description: str
    """What the contact says, in 10 to 10,000 characters."""
    contact: Contact | UUID | str
    contact_id: Contact | UUID | str
    """Whose it is."""
    account_number: str | None
    """The customer's account that it is about; the contact's unless another one is given."""
    priority: str
    """How much it presses."""
    received_at: datetime
    """When it came in; fixed when it is opened."""
    external_id: str | None
    """The id in the system that it was imported from."""


class CaseRuleFields(TypedDict, total=False):
    """What can be set of a case rule."""

    code: str
    """Its name."""
    rule_version: str
    """Tells the rules of one name apart."""
    topic: str
    """For which topic."""
    jurisdiction: str | None
    """Whose law it is."""
    regime: str | None
    """Which body of rules it belongs to."""
    base_days: int
    """How many days there are, 1 to 1,000."""
    unit: str
    """Which days count."""
    start: str
    """Which day is the first."""
    largest_extension: str
    """How far a case may be extended: `none`, a number of days, or a factor such as `x2`."""
    silence: str
    """What it means in law when no answer is given in time."""
    valid_from: date
    """The first day of receipt that it governs."""
    valid_until: date | None
    """The last day of receipt that it governs; absent while it is in force."""
    source: str
    """Where it is written."""
    notes: str | None
    """What else is to be known."""


class CalendarFields(TypedDict, total=False):
    """What can be set of a calendar."""

    code: str
    """What the organization calls its calendar."""
    base: str | None
    """The country whose public holidays apply: BR, CO, ES, RU or VE. Its deadline rules apply too, which are built in for CO only; without one there are none but the organization's own."""
    zone: str
    """The zone of its days and hours."""
    week: str
    """When the office is open."""
    topic: str
    """What new cases are about in law unless they say so."""


class TaskFields(TypedDict, total=False):
    """What can be set of a task."""

    title: str
    """What is to be done, in one line."""
    contact: Contact | UUID | str | None
    contact_id: Contact | UUID | str | None
    """The contact that it is about."""
    lead: Lead | UUID | str | None
    lead_id: Lead | UUID | str | None
    """The lead that it is about."""
    deal: Deal | UUID | str | None
    deal_id: Deal | UUID | str | None
    """The deal that it is about."""
    invoice: Invoice | UUID | str | None
    invoice_id: Invoice | UUID | str | None
    """The invoice that it is about."""
    case: Case | UUID | str | None
    case_id: Case | UUID | str | None
    """The case that it is about."""
    description: str | None
    """What else is to be known."""
    due_on: date | None
    """The civil date by whose end it is to be done."""
    due_at: datetime | None
    """The instant by which it is to be done, in place of a date."""
    assignee: User | UUID | str
    assignee_id: User | UUID | str
    """Who is to do it."""


class InteractionFields(TypedDict, total=False):
    """What can be set of a interaction."""

    contact: Contact | UUID | str | None
    contact_id: Contact | UUID | str | None
    """The contact that it is about."""
    lead: Lead | UUID | str | None
    lead_id: Lead | UUID | str | None
    """The lead that it is about."""
    deal: Deal | UUID | str | None
    deal_id: Deal | UUID | str | None
    """The deal that it is about."""
    invoice: Invoice | UUID | str | None
    invoice_id: Invoice | UUID | str | None
    """The invoice that it is about."""
    case: Case | UUID | str | None
    case_id: Case | UUID | str | None
    """The case that it is about."""
    kind: str
    """How people met."""
    occurred_at: datetime
    """When it happened; not in the future."""
    notes: str
    """What was said, in 5 to 10,000 characters."""


class ContactFilters(TypedDict, total=False):
    """By what a list of kind contact can be filtered; see Collection."""

    name: str
    name__ne: str
    name__in: Iterable[str]
    name__lt: str
    name__le: str
    name__gt: str
    name__ge: str
    name__contains: str
    name__startswith: str
    tag: Tag | str
    tag__ne: Tag | str
    tag__in: Iterable[Tag | str]
    id: Contact | UUID | str
    id__ne: Contact | UUID | str
    id__in: Iterable[Contact | UUID | str]
    kind: str
    kind__ne: str
    kind__in: Iterable[str]
    given_name: str | None
    given_name__ne: str | None
    given_name__in: Iterable[str | None]
    given_name__lt: str
    given_name__le: str
    given_name__gt: str
    given_name__ge: str
    given_name__contains: str
    given_name__startswith: str
    family_name: str | None
    family_name__ne: str | None
    family_name__in: Iterable[str | None]
    family_name__lt: str
    family_name__le: str
    family_name__gt: str
    family_name__ge: str
    family_name__contains: str
    family_name__startswith: str
    company_name: str | None
    company_name__ne: str | None
    company_name__in: Iterable[str | None]
    company_name__lt: str
    company_name__le: str
    company_name__gt: str
    company_name__ge: str
    company_name__contains: str
    company_name__startswith: str
    company: Contact | UUID | str | None
    company__ne: Contact | UUID | str | None
    company__in: Iterable[Contact | UUID | str | None]
    company_id: Contact | UUID | str | None
    company_id__ne: Contact | UUID | str | None
    company_id__in: Iterable[Contact | UUID | str | None]
    email: str | None
    email__ne: str | None
    email__in: Iterable[str | None]
    email__lt: str
    email__le: str
    email__gt: str
    email__ge: str
    email__contains: str
    email__startswith: str
    phone: str | None
    phone__ne: str | None
    phone__in: Iterable[str | None]
    phone__lt: str
    phone__le: str
    phone__gt: str
    phone__ge: str
    phone__contains: str
    phone__startswith: str
    phone_raw: str | None
    phone_raw__ne: str | None
    phone_raw__in: Iterable[str | None]
    phone_raw__lt: str
    phone_raw__le: str
    phone_raw__gt: str
    phone_raw__ge: str
    phone_raw__contains: str
    phone_raw__startswith: str
    address_line: str | None
    address_line__ne: str | None
    address_line__in: Iterable[str | None]
    address_line__lt: str
    address_line__le: str
    address_line__gt: str
    address_line__ge: str
    address_line__contains: str
    address_line__startswith: str
    city: str | None
    city__ne: str | None
    city__in: Iterable[str | None]
    city__lt: str
    city__le: str
    city__gt: str
    city__ge: str
    city__contains: str
    city__startswith: str
    region: str | None
    region__ne: str | None
    region__in: Iterable[str | None]
    region__lt: str
    region__le: str
    region__gt: str
    region__ge: str
    region__contains: str
    region__startswith: str
    postal_code: str | None
    postal_code__ne: str | None
    postal_code__in: Iterable[str | None]
    postal_code__lt: str
    postal_code__le: str
    postal_code__gt: str
    postal_code__ge: str
    postal_code__contains: str
    postal_code__startswith: str
    country: str | None
    country__ne: str | None
    country__in: Iterable[str | None]
    country__lt: str
    country__le: str
    country__gt: str
    country__ge: str
    country__contains: str
    country__startswith: str
    tax_scheme: str | None
    tax_scheme__ne: str | None
    tax_scheme__in: Iterable[str | None]
    tax_scheme__lt: str
    tax_scheme__le: str
    tax_scheme__gt: str
    tax_scheme__ge: str
    tax_scheme__contains: str
    tax_scheme__startswith: str
    tax_number: str | None
    tax_number__ne: str | None
    tax_number__in: Iterable[str | None]
    tax_number__lt: str
    tax_number__le: str
    tax_number__gt: str
    tax_number__ge: str
    tax_number__contains: str
    tax_number__startswith: str
    account_number: str | None
    account_number__ne: str | None
    account_number__in: Iterable[str | None]
    account_number__lt: str
    account_number__le: str
    account_number__gt: str
    account_number__ge: str
    account_number__contains: str
    account_number__startswith: str
    stratum: int | None
    stratum__ne: int | None
    stratum__in: Iterable[int | None]
    stratum__lt: int
    stratum__le: int
    stratum__gt: int
    stratum__ge: int
    payment_days: int | None
    payment_days__ne: int | None
    payment_days__in: Iterable[int | None]
    payment_days__lt: int
    payment_days__le: int
    payment_days__gt: int
    payment_days__ge: int
    code: str | None
    code__ne: str | None
    code__in: Iterable[str | None]
    code__lt: str
    code__le: str
    code__gt: str
    code__ge: str
    code__contains: str
    code__startswith: str
    external_id: str | None
    external_id__ne: str | None
    external_id__in: Iterable[str | None]
    external_id__lt: str
    external_id__le: str
    external_id__gt: str
    external_id__ge: str
    external_id__contains: str
    external_id__startswith: str
    instagram: str | None
    instagram__ne: str | None
    instagram__in: Iterable[str | None]
    instagram__lt: str
    instagram__le: str
    instagram__gt: str
    instagram__ge: str
    instagram__contains: str
    instagram__startswith: str
    owner: User | UUID | str | None
    owner__ne: User | UUID | str | None
    owner__in: Iterable[User | UUID | str | None]
    owner_id: User | UUID | str | None
    owner_id__ne: User | UUID | str | None
    owner_id__in: Iterable[User | UUID | str | None]
    source: str | None
    source__ne: str | None
    source__in: Iterable[str | None]
    notes: str | None
    notes__ne: str | None
    notes__in: Iterable[str | None]
    notes__lt: str
    notes__le: str
    notes__gt: str
    notes__ge: str
    notes__contains: str
    notes__startswith: str
    custom: None
    custom__ne: None
    erased_at: datetime | None
    erased_at__ne: datetime | None
    erased_at__in: Iterable[datetime | None]
    erased_at__lt: datetime
    erased_at__le: datetime
    erased_at__gt: datetime
    erased_at__ge: datetime
    version: int
    version__ne: int
    version__in: Iterable[int]
    version__lt: int
    version__le: int
    version__gt: int
    version__ge: int
    created_at: datetime
    created_at__ne: datetime
    created_at__in: Iterable[datetime]
    created_at__lt: datetime
    created_at__le: datetime
    created_at__gt: datetime
    created_at__ge: datetime
    created_by: Record | UUID | str | None
    created_by__ne: Record | UUID | str | None
    created_by__in: Iterable[Record | UUID | str | None]
    updated_at: datetime
    updated_at__ne: datetime
    updated_at__in: Iterable[datetime]
    updated_at__lt: datetime
    updated_at__le: datetime
    updated_at__gt: datetime
    updated_at__ge: datetime
    archived_at: datetime | None
    archived_at__ne: datetime | None
    archived_at__in: Iterable[datetime | None]
    archived_at__lt: datetime
    archived_at__le: datetime
    archived_at__gt: datetime
    archived_at__ge: datetime


class ProductFilters(TypedDict, total=False):
    """By what a list of kind product can be filtered; see Collection."""

    id: Product | UUID | str
    id__ne: Product | UUID | str
    id__in: Iterable[Product | UUID | str]
    name: str
    name__ne: str
    name__in: Iterable[str]
    name__lt: str
    name__le: str
    name__gt: str
    name__ge: str
    name__contains: str
    name__startswith: str
    sku: str | None
    sku__ne: str | None
    sku__in: Iterable[str | None]
    sku__lt: str
    sku__le: str
    sku__gt: str
    sku__ge: str
    sku__contains: str
    sku__startswith: str
    kind: str
    kind__ne: str
    kind__in: Iterable[str]
    unit_price: Decimal | int
    unit_price__ne: Decimal | int
    unit_price__in: Iterable[Decimal | int]
    unit_price__lt: Decimal | int
    unit_price__le: Decimal | int
    unit_price__gt: Decimal | int
    unit_price__ge: Decimal | int
    currency: str
    currency__ne: str
    currency__in: Iterable[str]
    currency__lt: str
    currency__le: str
    currency__gt: str
    currency__ge: str
    currency__contains: str
    currency__startswith: str
    tax_percent: Decimal | int
    tax_percent__ne: Decimal | int
    tax_percent__in: Iterable[Decimal | int]
    tax_percent__lt: Decimal | int
    tax_percent__le: Decimal | int
    tax_percent__gt: Decimal | int
    tax_percent__ge: Decimal | int
    description: str | None
    description__ne: str | None
    description__in: Iterable[str | None]
    description__lt: str
    description__le: str
    description__gt: str
    description__ge: str
    description__contains: str
    description__startswith: str
    external_id: str | None
    external_id__ne: str | None
    external_id__in: Iterable[str | None]
    external_id__lt: str
    external_id__le: str
    external_id__gt: str
    external_id__ge: str
    external_id__contains: str
    external_id__startswith: str
    version: int
    version__ne: int
    version__in: Iterable[int]
    version__lt: int
    version__le: int
    version__gt: int
    version__ge: int
    created_at: datetime
    created_at__ne: datetime
    created_at__in: Iterable[datetime]
    created_at__lt: datetime
    created_at__le: datetime
    created_at__gt: datetime
    created_at__ge: datetime
    created_by: Record | UUID | str | None
    created_by__ne: Record | UUID | str | None
    created_by__in: Iterable[Record | UUID | str | None]
    updated_at: datetime
    updated_at__ne: datetime
    updated_at__in: Iterable[datetime]
    updated_at__lt: datetime
    updated_at__le: datetime
    updated_at__gt: datetime
    updated_at__ge: datetime
    archived_at: datetime | None
    archived_at__ne: datetime | None
    archived_at__in: Iterable[datetime | None]
    archived_at__lt: datetime
    archived_at__le: datetime
    archived_at__gt: datetime
    archived_at__ge: datetime


class InvoiceFilters(TypedDict, total=False):
    """By what a list of kind invoice can be filtered; see Collection."""

    id: Invoice | UUID | str
    id__ne: Invoice | UUID | str
    id__in: Iterable[Invoice | UUID | str]
    number: str | None
    number__ne: str | None
    number__in: Iterable[str | None]
    number__lt: str
    number__le: str
    number__gt: str
    number__ge: str
    number__contains: str
    number__startswith: str
    contact: Contact | UUID | str
    contact__ne: Contact | UUID | str
    contact__in: Iterable[Contact | UUID | str]
    contact_id: Contact | UUID | str
    contact_id__ne: Contact | UUID | str
    contact_id__in: Iterable[Contact | UUID | str]
    currency: str
    currency__ne: str
    currency__in: Iterable[str]
    currency__lt: str
    currency__le: str
    currency__gt: str
    currency__ge: str
    currency__contains: str
    currency__startswith: str
    status: str
    status__ne: str
    status__in: Iterable[str]
    issued_on: date | None
    issued_on__ne: date | None
    issued_on__in: Iterable[date | None]
    issued_on__lt: date
    issued_on__le: date
    issued_on__gt: date
    issued_on__ge: date
    due_on: date | None
    due_on__ne: date | None
    due_on__in: Iterable[date | None]
    due_on__lt: date
    due_on__le: date
    due_on__gt: date
    due_on__ge: date
    subtotal: Decimal | int | Money
    subtotal__ne: Decimal | int | Money
    subtotal__in: Iterable[Decimal | int | Money]
    subtotal__lt: Decimal | int | Money
    subtotal__le: Decimal | int | Money
    subtotal__gt: Decimal | int | Money
    subtotal__ge: Decimal | int | Money
    tax: Decimal | int | Money
    tax__ne: Decimal | int | Money
    tax__in: Iterable[Decimal | int | Money]
    tax__lt: Decimal | int | Money
    tax__le: Decimal | int | Money
    tax__gt: Decimal | int | Money
    tax__ge: Decimal | int | Money
    total: Decimal | int | Money
    total__ne: Decimal | int | Money
    total__in: Iterable[Decimal | int | Money]
    total__lt: Decimal | int | Money
    total__le: Decimal | int | Money
    total__gt: Decimal | int | Money
    total__ge: Decimal | int | Money
    paid: Decimal | int | Money
    paid__ne: Decimal | int | Money
    paid__in: Iterable[Decimal | int | Money]
    paid__lt: Decimal | int | Money
    paid__le: Decimal | int | Money
    paid__gt: Decimal | int | Money
    paid__ge: Decimal | int | Money
    offset: Decimal | int | Money
    offset__ne: Decimal | int | Money
    offset__in: Iterable[Decimal | int | Money]
    offset__lt: Decimal | int | Money
    offset__le: Decimal | int | Money
    offset__gt: Decimal | int | Money
    offset__ge: Decimal | int | Money
    credited: Decimal | int | Money
    credited__ne: Decimal | int | Money
    credited__in: Iterable[Decimal | int | Money]
    credited__lt: Decimal | int | Money
    credited__le: Decimal | int | Money
    credited__gt: Decimal | int | Money
    credited__ge: Decimal | int | Money
    applied_on: date | None
    applied_on__ne: date | None
    applied_on__in: Iterable[date | None]
    applied_on__lt: date
    applied_on__le: date
    applied_on__gt: date
    applied_on__ge: date
    written_off_on: date | None
    written_off_on__ne: date | None
    written_off_on__in: Iterable[date | None]
    written_off_on__lt: date
    written_off_on__le: date
    written_off_on__gt: date
    written_off_on__ge: date
    voided_on: date | None
    voided_on__ne: date | None
    voided_on__in: Iterable[date | None]
    voided_on__lt: date
    voided_on__le: date
    voided_on__gt: date
    voided_on__ge: date
    reopened_on: date | None
    reopened_on__ne: date | None
    reopened_on__in: Iterable[date | None]
    reopened_on__lt: date
    reopened_on__le: date
    reopened_on__gt: date
    reopened_on__ge: date
    settled_on: date | None
    settled_on__ne: date | None
    settled_on__in: Iterable[date | None]
    settled_on__lt: date
    settled_on__le: date
    settled_on__gt: date
    settled_on__ge: date
    buyer: None
    buyer__ne: None
    notes: str | None
    notes__ne: str | None
    notes__in: Iterable[str | None]
    notes__lt: str
    notes__le: str
    notes__gt: str
    notes__ge: str
    notes__contains: str
    notes__startswith: str
    external_id: str | None
    external_id__ne: str | None
    external_id__in: Iterable[str | None]
    external_id__lt: str
    external_id__le: str
    external_id__gt: str
    external_id__ge: str
    external_id__contains: str
    external_id__startswith: str
    balance: Decimal | int | Money
    balance__ne: Decimal | int | Money
    balance__in: Iterable[Decimal | int | Money]
    balance__lt: Decimal | int | Money
    balance__le: Decimal | int | Money
    balance__gt: Decimal | int | Money
    balance__ge: Decimal | int | Money
    version: int
    version__ne: int
    version__in: Iterable[int]
    version__lt: int
    version__le: int
    version__gt: int
    version__ge: int
    created_at: datetime
    created_at__ne: datetime
    created_at__in: Iterable[datetime]
    created_at__lt: datetime
    created_at__le: datetime
    created_at__gt: datetime
    created_at__ge: datetime
    created_by: Record | UUID | str | None
    created_by__ne: Record | UUID | str | None
    created_by__in: Iterable[Record | UUID | str | None]
    updated_at: datetime
    updated_at__ne: datetime
    updated_at__in: Iterable[datetime]
    updated_at__lt: datetime
    updated_at__le: datetime
    updated_at__gt: datetime
    updated_at__ge: datetime


class InvoiceLineFilters(TypedDict, total=False):
    """By what a list of kind invoice line can be filtered; see Collection."""

    id: InvoiceLine | UUID | str
    id__ne: InvoiceLine | UUID | str
    id__in: Iterable[InvoiceLine | UUID | str]
    invoice: Invoice | UUID | str
    invoice__ne: Invoice | UUID | str
    invoice__in: Iterable[Invoice | UUID | str]
    invoice_id: Invoice | UUID | str
    invoice_id__ne: Invoice | UUID | str
    invoice_id__in: Iterable[Invoice | UUID | str]
    position: int
    position__ne: int
    position__in: Iterable[int]
    position__lt: int
    position__le: int
    position__gt: int
    position__ge: int
    product: Product | UUID | str | None
    product__ne: Product | UUID | str | None
    product__in: Iterable[Product | UUID | str | None]
    product_id: Product | UUID | str | None
    product_id__ne: Product | UUID | str | None
    product_id__in: Iterable[Product | UUID | str | None]
    description: str
    description__ne: str
    description__in: Iterable[str]
    description__lt: str
    description__le: str
    description__gt: str
    description__ge: str
    description__contains: str
    description__startswith: str
    quantity: Decimal | int
    quantity__ne: Decimal | int
    quantity__in: Iterable[Decimal | int]
    quantity__lt: Decimal | int
    quantity__le: Decimal | int
    quantity__gt: Decimal | int
    quantity__ge: Decimal | int
    unit_price: Decimal | int
    unit_price__ne: Decimal | int
    unit_price__in: Iterable[Decimal | int]
    unit_price__lt: Decimal | int
    unit_price__le: Decimal | int
    unit_price__gt: Decimal | int
    unit_price__ge: Decimal | int
    discount_percent: Decimal | int | None
    discount_percent__ne: Decimal | int | None
    discount_percent__in: Iterable[Decimal | int | None]
    discount_percent__lt: Decimal | int
    discount_percent__le: Decimal | int
    discount_percent__gt: Decimal | int
    discount_percent__ge: Decimal | int
    discount: Decimal | int | Money
    discount__ne: Decimal | int | Money
    discount__in: Iterable[Decimal | int | Money]
    discount__lt: Decimal | int | Money
    discount__le: Decimal | int | Money
    discount__gt: Decimal | int | Money
    discount__ge: Decimal | int | Money
    tax_percent: Decimal | int
    tax_percent__ne: Decimal | int
    tax_percent__in: Iterable[Decimal | int]
    tax_percent__lt: Decimal | int
    tax_percent__le: Decimal | int
    tax_percent__gt: Decimal | int
    tax_percent__ge: Decimal | int
    currency: str
    currency__ne: str
    currency__in: Iterable[str]
    currency__lt: str
    currency__le: str
    currency__gt: str
    currency__ge: str
    currency__contains: str
    currency__startswith: str
    net: Decimal | int | Money
    net__ne: Decimal | int | Money
    net__in: Iterable[Decimal | int | Money]
    net__lt: Decimal | int | Money
    net__le: Decimal | int | Money
    net__gt: Decimal | int | Money
    net__ge: Decimal | int | Money
    tax: Decimal | int | Money
    tax__ne: Decimal | int | Money
    tax__in: Iterable[Decimal | int | Money]
    tax__lt: Decimal | int | Money
    tax__le: Decimal | int | Money
    tax__gt: Decimal | int | Money
    tax__ge: Decimal | int | Money


class PaymentFilters(TypedDict, total=False):
    """By what a list of kind payment can be filtered; see Collection."""

    id: Payment | UUID | str
    id__ne: Payment | UUID | str
    id__in: Iterable[Payment | UUID | str]
    contact: Contact | UUID | str
    contact__ne: Contact | UUID | str
    contact__in: Iterable[Contact | UUID | str]
    contact_id: Contact | UUID | str
    contact_id__ne: Contact | UUID | str
    contact_id__in: Iterable[Contact | UUID | str]
    currency: str
    currency__ne: str
    currency__in: Iterable[str]
    currency__lt: str
    currency__le: str
    currency__gt: str
    currency__ge: str
    currency__contains: str
    currency__startswith: str
    amount: Decimal | int | Money
    amount__ne: Decimal | int | Money
    amount__in: Iterable[Decimal | int | Money]
    amount__lt: Decimal | int | Money
    amount__le: Decimal | int | Money
    amount__gt: Decimal | int | Money
    amount__ge: Decimal | int | Money
    unapplied: Decimal | int | Money
    unapplied__ne: Decimal | int | Money
    unapplied__in: Iterable[Decimal | int | Money]
    unapplied__lt: Decimal | int | Money
    unapplied__le: Decimal | int | Money
    unapplied__gt: Decimal | int | Money
    unapplied__ge: Decimal | int | Money
    refunded: Decimal | int | Money
    refunded__ne: Decimal | int | Money
    refunded__in: Iterable[Decimal | int | Money]
    refunded__lt: Decimal | int | Money
    refunded__le: Decimal | int | Money
    refunded__gt: Decimal | int | Money
    refunded__ge: Decimal | int | Money
    received_on: date
    received_on__ne: date
    received_on__in: Iterable[date]
    received_on__lt: date
    received_on__le: date
    received_on__gt: date
    received_on__ge: date
    reversed_on: date | None
    reversed_on__ne: date | None
    reversed_on__in: Iterable[date | None]
    reversed_on__lt: date
    reversed_on__le: date
    reversed_on__gt: date
    reversed_on__ge: date
    reversal_reason: str | None
    reversal_reason__ne: str | None
    reversal_reason__in: Iterable[str | None]
    reversal_reason__lt: str
    reversal_reason__le: str
    reversal_reason__gt: str
    reversal_reason__ge: str
    reversal_reason__contains: str
    reversal_reason__startswith: str
    method: str | None
    method__ne: str | None
    method__in: Iterable[str | None]
    reference: str | None
    reference__ne: str | None
    reference__in: Iterable[str | None]
    reference__lt: str
    reference__le: str
    reference__gt: str
    reference__ge: str
    reference__contains: str
    reference__startswith: str
    notes: str | None
    notes__ne: str | None
    notes__in: Iterable[str | None]
    notes__lt: str
    notes__le: str
    notes__gt: str
    notes__ge: str
    notes__contains: str
    notes__startswith: str
    external_id: str | None
    external_id__ne: str | None
    external_id__in: Iterable[str | None]
    external_id__lt: str
    external_id__le: str
    external_id__gt: str
    external_id__ge: str
    external_id__contains: str
    external_id__startswith: str
    version: int
    version__ne: int
    version__in: Iterable[int]
    version__lt: int
    version__le: int
    version__gt: int
    version__ge: int
    created_at: datetime
    created_at__ne: datetime
    created_at__in: Iterable[datetime]
    created_at__lt: datetime
    created_at__le: datetime
    created_at__gt: datetime
    created_at__ge: datetime
    created_by: Record | UUID | str | None
    created_by__ne: Record | UUID | str | None
    created_by__in: Iterable[Record | UUID | str | None]
    updated_at: datetime
    updated_at__ne: datetime
    updated_at__in: Iterable[datetime]
    updated_at__lt: datetime
    updated_at__le: datetime
    updated_at__gt: datetime
    updated_at__ge: datetime


class AllocationFilters(TypedDict, total=False):
    """By what a list of kind allocation can be filtered; see Collection."""

    id: Allocation | UUID | str
    id__ne: Allocation | UUID | str
    id__in: Iterable[Allocation | UUID | str]
    payment: Payment | UUID | str | None
    payment__ne: Payment | UUID | str | None
    payment__in: Iterable[Payment | UUID | str | None]
    payment_id: Payment | UUID | str | None
    payment_id__ne: Payment | UUID | str | None
    payment_id__in: Iterable[Payment | UUID | str | None]
    credit_note: CreditNote | UUID | str | None
    credit_note__ne: CreditNote | UUID | str | None
    credit_note__in: Iterable[CreditNote | UUID | str | None]
    credit_note_id: CreditNote | UUID | str | None
    credit_note_id__ne: CreditNote | UUID | str | None
    credit_note_id__in: Iterable[CreditNote | UUID | str | None]
    invoice: Invoice | UUID | str
    invoice__ne: Invoice | UUID | str
    invoice__in: Iterable[Invoice | UUID | str]
    invoice_id: Invoice | UUID | str
    invoice_id__ne: Invoice | UUID | str
    invoice_id__in: Iterable[Invoice | UUID | str]
    contact: Contact | UUID | str
    contact__ne: Contact | UUID | str
    contact__in: Iterable[Contact | UUID | str]
    contact_id: Contact | UUID | str
    contact_id__ne: Contact | UUID | str
    contact_id__in: Iterable[Contact | UUID | str]
    currency: str
    currency__ne: str
    currency__in: Iterable[str]
    currency__lt: str
    currency__le: str
    currency__gt: str
    currency__ge: str
    currency__contains: str
    currency__startswith: str
    source: str
    source__ne: str
    source__in: Iterable[str]
    amount: Decimal | int | Money
    amount__ne: Decimal | int | Money
    amount__in: Iterable[Decimal | int | Money]
    amount__lt: Decimal | int | Money
    amount__le: Decimal | int | Money
    amount__gt: Decimal | int | Money
    amount__ge: Decimal | int | Money
    applied_on: date
    applied_on__ne: date
    applied_on__in: Iterable[date]
    applied_on__lt: date
    applied_on__le: date
    applied_on__gt: date
    applied_on__ge: date
    restated_on: date
    restated_on__ne: date
    restated_on__in: Iterable[date]
    restated_on__lt: date
    restated_on__le: date
    restated_on__gt: date
    restated_on__ge: date
    undoes: Allocation | UUID | str | None
    undoes__ne: Allocation | UUID | str | None
    undoes__in: Iterable[Allocation | UUID | str | None]
    written_off: bool
    written_off__ne: bool
    written_off__in: Iterable[bool]


class CreditNoteFilters(TypedDict, total=False):
    """By what a list of kind credit note can be filtered; see Collection."""

    id: CreditNote | UUID | str
    id__ne: CreditNote | UUID | str
    id__in: Iterable[CreditNote | UUID | str]
    number: str | None
    number__ne: str | None
    number__in: Iterable[str | None]
    number__lt: str
    number__le: str
    number__gt: str
    number__ge: str
    number__contains: str
    number__startswith: str
    invoice: Invoice | UUID | str
    invoice__ne: Invoice | UUID | str
    invoice__in: Iterable[Invoice | UUID | str]
    invoice_id: Invoice | UUID | str
    invoice_id__ne: Invoice | UUID | str
    invoice_id__in: Iterable[Invoice | UUID | str]
    contact: Contact | UUID | str
    contact__ne: Contact | UUID | str
    contact__in: Iterable[Contact | UUID | str]
    contact_id: Contact | UUID | str
    contact_id__ne: Contact | UUID | str
    contact_id__in: Iterable[Contact | UUID | str]
    currency: str
    currency__ne: str
    currency__in: Iterable[str]
    currency__lt: str
    currency__le: str
    currency__gt: str
    currency__ge: str
    currency__contains: str
    currency__startswith: str
    issued_on: date
    issued_on__ne: date
    issued_on__in: Iterable[date]
    issued_on__lt: date
    issued_on__le: date
    issued_on__gt: date
    issued_on__ge: date
    reason: str
    reason__ne: str
    reason__in: Iterable[str]
    reason__lt: str
    reason__le: str
    reason__gt: str
    reason__ge: str
    reason__contains: str
    reason__startswith: str
    subtotal: Decimal | int | Money
    subtotal__ne: Decimal | int | Money
    subtotal__in: Iterable[Decimal | int | Money]
    subtotal__lt: Decimal | int | Money
    subtotal__le: Decimal | int | Money
    subtotal__gt: Decimal | int | Money
    subtotal__ge: Decimal | int | Money
    tax: Decimal | int | Money
    tax__ne: Decimal | int | Money
    tax__in: Iterable[Decimal | int | Money]
    tax__lt: Decimal | int | Money
    tax__le: Decimal | int | Money
    tax__gt: Decimal | int | Money
    tax__ge: Decimal | int | Money
    total: Decimal | int | Money
    total__ne: Decimal | int | Money
    total__in: Iterable[Decimal | int | Money]
    total__lt: Decimal | int | Money
    total__le: Decimal | int | Money
    total__gt: Decimal | int | Money
    total__ge: Decimal | int | Money
    refund: Decimal | int | Money
    refund__ne: Decimal | int | Money
    refund__in: Iterable[Decimal | int | Money]
    refund__lt: Decimal | int | Money
    refund__le: Decimal | int | Money
    refund__gt: Decimal | int | Money
    refund__ge: Decimal | int | Money
    credit: Decimal | int | Money
    credit__ne: Decimal | int | Money
    credit__in: Iterable[Decimal | int | Money]
    credit__lt: Decimal | int | Money
    credit__le: Decimal | int | Money
    credit__gt: Decimal | int | Money
    credit__ge: Decimal | int | Money
    offset: Decimal | int | Money
    offset__ne: Decimal | int | Money
    offset__in: Iterable[Decimal | int | Money]
    offset__lt: Decimal | int | Money
    offset__le: Decimal | int | Money
    offset__gt: Decimal | int | Money
    offset__ge: Decimal | int | Money
    unapplied: Decimal | int | Money
    unapplied__ne: Decimal | int | Money
    unapplied__in: Iterable[Decimal | int | Money]
    unapplied__lt: Decimal | int | Money
    unapplied__le: Decimal | int | Money
    unapplied__gt: Decimal | int | Money
    unapplied__ge: Decimal | int | Money
    refunded: Decimal | int | Money
    refunded__ne: Decimal | int | Money
    refunded__in: Iterable[Decimal | int | Money]
    refunded__lt: Decimal | int | Money
    refunded__le: Decimal | int | Money
    refunded__gt: Decimal | int | Money
    refunded__ge: Decimal | int | Money
    buyer: None
    buyer__ne: None
    notes: str | None
    notes__ne: str | None
    notes__in: Iterable[str | None]
    notes__lt: str
    notes__le: str
    notes__gt: str
    notes__ge: str
    notes__contains: str
    notes__startswith: str
    external_id: str | None
    external_id__ne: str | None
    external_id__in: Iterable[str | None]
    external_id__lt: str
    external_id__le: str
    external_id__gt: str
    external_id__ge: str
    external_id__contains: str
    external_id__startswith: str
    version: int
    version__ne: int
    version__in: Iterable[int]
    version__lt: int
    version__le: int
    version__gt: int
    version__ge: int
    created_at: datetime
    created_at__ne: datetime
    created_at__in: Iterable[datetime]
    created_at__lt: datetime
    created_at__le: datetime
    created_at__gt: datetime
    created_at__ge: datetime
    created_by: Record | UUID | str | None
    created_by__ne: Record | UUID | str | None
    created_by__in: Iterable[Record | UUID | str | None]
    updated_at: datetime
    updated_at__ne: datetime
    updated_at__in: Iterable[datetime]
    updated_at__lt: datetime
    updated_at__le: datetime
    updated_at__gt: datetime
    updated_at__ge: datetime


class CreditNoteLineFilters(TypedDict, total=False):
    """By what a list of kind credit note line can be filtered; see Collection."""

    id: CreditNoteLine | UUID | str
    id__ne: CreditNoteLine | UUID | str
    id__in: Iterable[CreditNoteLine | UUID | str]
    credit_note: CreditNote | UUID | str
    credit_note__ne: CreditNote | UUID | str
    credit_note__in: Iterable[CreditNote | UUID | str]
    credit_note_id: CreditNote | UUID | str
    credit_note_id__ne: CreditNote | UUID | str
    credit_note_id__in: Iterable[CreditNote | UUID | str]
    position: int
    position__ne: int
    position__in: Iterable[int]
    position__lt: int
    position__le: int
    position__gt: int
    position__ge: int
    invoice_line: InvoiceLine | UUID | str | None
    invoice_line__ne: InvoiceLine | UUID | str | None
    invoice_line__in: Iterable[InvoiceLine | UUID | str | None]
    invoice_line_id: InvoiceLine | UUID | str | None
    invoice_line_id__ne: InvoiceLine | UUID | str | None
    invoice_line_id__in: Iterable[InvoiceLine | UUID | str | None]
    product: Product | UUID | str | None
    product__ne: Product | UUID | str | None
    product__in: Iterable[Product | UUID | str | None]
    product_id: Product | UUID | str | None
    product_id__ne: Product | UUID | str | None
    product_id__in: Iterable[Product | UUID | str | None]
    description: str
    description__ne: str
    description__in: Iterable[str]
    description__lt: str
    description__le: str
    description__gt: str
    description__ge: str
    description__contains: str
    description__startswith: str
    quantity: Decimal | int
    quantity__ne: Decimal | int
    quantity__in: Iterable[Decimal | int]
    quantity__lt: Decimal | int
    quantity__le: Decimal | int
    quantity__gt: Decimal | int
    quantity__ge: Decimal | int
    unit_price: Decimal | int
    unit_price__ne: Decimal | int
    unit_price__in: Iterable[Decimal | int]
    unit_price__lt: Decimal | int
    unit_price__le: Decimal | int
    unit_price__gt: Decimal | int
    unit_price__ge: Decimal | int
    discount_percent: Decimal | int | None
    discount_percent__ne: Decimal | int | None
    discount_percent__in: Iterable[Decimal | int | None]
    discount_percent__lt: Decimal | int
    discount_percent__le: Decimal | int
    discount_percent__gt: Decimal | int
    discount_percent__ge: Decimal | int
    discount: Decimal | int | Money
    discount__ne: Decimal | int | Money
    discount__in: Iterable[Decimal | int | Money]
    discount__lt: Decimal | int | Money
    discount__le: Decimal | int | Money
    discount__gt: Decimal | int | Money
    discount__ge: Decimal | int | Money
    tax_percent: Decimal | int
    tax_percent__ne: Decimal | int
    tax_percent__in: Iterable[Decimal | int]
    tax_percent__lt: Decimal | int
    tax_percent__le: Decimal | int
    tax_percent__gt: Decimal | int
    tax_percent__ge: Decimal | int
    currency: str
    currency__ne: str
    currency__in: Iterable[str]
    currency__lt: str
    currency__le: str
    currency__gt: str
    currency__ge: str
    currency__contains: str
    currency__startswith: str
    net: Decimal | int | Money
    net__ne: Decimal | int | Money
    net__in: Iterable[Decimal | int | Money]
    net__lt: Decimal | int | Money
    net__le: Decimal | int | Money
    net__gt: Decimal | int | Money
    net__ge: Decimal | int | Money
    tax: Decimal | int | Money
    tax__ne: Decimal | int | Money
    tax__in: Iterable[Decimal | int | Money]
    tax__lt: Decimal | int | Money
    tax__le: Decimal | int | Money
    tax__gt: Decimal | int | Money
    tax__ge: Decimal | int | Money


class RefundFilters(TypedDict, total=False):
    """By what a list of kind refund can be filtered; see Collection."""

    id: Refund | UUID | str
    id__ne: Refund | UUID | str
    id__in: Iterable[Refund | UUID | str]
    contact: Contact | UUID | str
    contact__ne: Contact | UUID | str
    contact__in: Iterable[Contact | UUID | str]
    contact_id: Contact | UUID | str
    contact_id__ne: Contact | UUID | str
    contact_id__in: Iterable[Contact | UUID | str]
    currency: str
    currency__ne: str
    currency__in: Iterable[str]
    currency__lt: str
    currency__le: str
    currency__gt: str
    currency__ge: str
    currency__contains: str
    currency__startswith: str
    amount: Decimal | int | Money
    amount__ne: Decimal | int | Money
    amount__in: Iterable[Decimal | int | Money]
    amount__lt: Decimal | int | Money
    amount__le: Decimal | int | Money
    amount__gt: Decimal | int | Money
    amount__ge: Decimal | int | Money
    refunded_on: date
    refunded_on__ne: date
    refunded_on__in: Iterable[date]
    refunded_on__lt: date
    refunded_on__le: date
    refunded_on__gt: date
    refunded_on__ge: date
    method: str | None
    method__ne: str | None
    method__in: Iterable[str | None]
    reference: str | None
    reference__ne: str | None
    reference__in: Iterable[str | None]
    reference__lt: str
    reference__le: str
    reference__gt: str
    reference__ge: str
    reference__contains: str
    reference__startswith: str
    notes: str | None
    notes__ne: str | None
    notes__in: Iterable[str | None]
    notes__lt: str
    notes__le: str
    notes__gt: str
    notes__ge: str
    notes__contains: str
    notes__startswith: str
    payment: Payment | UUID | str | None
    payment__ne: Payment | UUID | str | None
    payment__in: Iterable[Payment | UUID | str | None]
    payment_id: Payment | UUID | str | None
    payment_id__ne: Payment | UUID | str | None
    payment_id__in: Iterable[Payment | UUID | str | None]
    credit_note: CreditNote | UUID | str | None
    credit_note__ne: CreditNote | UUID | str | None
    credit_note__in: Iterable[CreditNote | UUID | str | None]
    credit_note_id: CreditNote | UUID | str | None
    credit_note_id__ne: CreditNote | UUID | str | None
    credit_note_id__in: Iterable[CreditNote | UUID | str | None]
    external_id: str | None
    external_id__ne: str | None
    external_id__in: Iterable[str | None]
    external_id__lt: str
    external_id__le: str
    external_id__gt: str
    external_id__ge: str
    external_id__contains: str
    external_id__startswith: str
    version: int
    version__ne: int
    version__in: Iterable[int]
    version__lt: int
    version__le: int
    version__gt: int
    version__ge: int
    created_at: datetime
    created_at__ne: datetime
    created_at__in: Iterable[datetime]
    created_at__lt: datetime
    created_at__le: datetime
    created_at__gt: datetime
    created_at__ge: datetime
    created_by: Record | UUID | str | None
    created_by__ne: Record | UUID | str | None
    created_by__in: Iterable[Record | UUID | str | None]
    updated_at: datetime
    updated_at__ne: datetime
    updated_at__in: Iterable[datetime]
    updated_at__lt: datetime
    updated_at__le: datetime
    updated_at__gt: datetime
    updated_at__ge: datetime


class AuditEntryFilters(TypedDict, total=False):
    """By what a list of kind audit entry can be filtered; see Collection."""

    id: AuditEntry | UUID | str
    id__ne: AuditEntry | UUID | str
    id__in: Iterable[AuditEntry | UUID | str]
    seq: int | None
    seq__ne: int | None
    seq__in: Iterable[int | None]
    seq__lt: int
    seq__le: int
    seq__gt: int
    seq__ge: int
    at: datetime
    at__ne: datetime
    at__in: Iterable[datetime]
    at__lt: datetime
    at__le: datetime
    at__gt: datetime
    at__ge: datetime
    actor_kind: str
    actor_kind__ne: str
    actor_kind__in: Iterable[str]
    actor: Record | UUID | str | None
    actor__ne: Record | UUID | str | None
    actor__in: Iterable[Record | UUID | str | None]
    actor_id: Record | UUID | str | None
    actor_id__ne: Record | UUID | str | None
    actor_id__in: Iterable[Record | UUID | str | None]
    command: str
    command__ne: str
    command__in: Iterable[str]
    command__lt: str
    command__le: str
    command__gt: str
    command__ge: str
    command__contains: str
    command__startswith: str
    entity: str
    entity__ne: str
    entity__in: Iterable[str]
    entity__lt: str
    entity__le: str
    entity__gt: str
    entity__ge: str
    entity__contains: str
    entity__startswith: str
    record: Record | UUID | str
    record__ne: Record | UUID | str
    record__in: Iterable[Record | UUID | str]
    record_id: Record | UUID | str
    record_id__ne: Record | UUID | str
    record_id__in: Iterable[Record | UUID | str]
    action: str
    action__ne: str
    action__in: Iterable[str]
    record_version: int
    record_version__ne: int
    record_version__in: Iterable[int]
    record_version__lt: int
    record_version__le: int
    record_version__gt: int
    record_version__ge: int
    changes: None
    changes__ne: None
    changes_hash: bytes
    changes_hash__ne: bytes
    changes_hash__in: Iterable[bytes]
    digest: bytes
    digest__ne: bytes
    digest__in: Iterable[bytes]
    hash: bytes | None
    hash__ne: bytes | None
    hash__in: Iterable[bytes | None]
    salt: bytes | None
    salt__ne: bytes | None
    salt__in: Iterable[bytes | None]


class PipelineFilters(TypedDict, total=False):
    """By what a list of kind pipeline can be filtered; see Collection."""

    id: Pipeline | UUID | str
    id__ne: Pipeline | UUID | str
    id__in: Iterable[Pipeline | UUID | str]
    name: str
    name__ne: str
    name__in: Iterable[str]
    name__lt: str
    name__le: str
    name__gt: str
    name__ge: str
    name__contains: str
    name__startswith: str
    is_default: bool
    is_default__ne: bool
    is_default__in: Iterable[bool]
    revision: int
    revision__ne: int
    revision__in: Iterable[int]
    revision__lt: int
    revision__le: int
    revision__gt: int
    revision__ge: int
    version: int
    version__ne: int
    version__in: Iterable[int]
    version__lt: int
    version__le: int
    version__gt: int
    version__ge: int
    created_at: datetime
    created_at__ne: datetime
    created_at__in: Iterable[datetime]
    created_at__lt: datetime
    created_at__le: datetime
    created_at__gt: datetime
    created_at__ge: datetime
    created_by: Record | UUID | str | None
    created_by__ne: Record | UUID | str | None
    created_by__in: Iterable[Record | UUID | str | None]
    updated_at: datetime
    updated_at__ne: datetime
    updated_at__in: Iterable[datetime]
    updated_at__lt: datetime
    updated_at__le: datetime
    updated_at__gt: datetime
    updated_at__ge: datetime


class StageFilters(TypedDict, total=False):
    """By what a list of kind stage can be filtered; see Collection."""

    id: Stage | UUID | str
    id__ne: Stage | UUID | str
    id__in: Iterable[Stage | UUID | str]
    pipeline: Pipeline | UUID | str
    pipeline__ne: Pipeline | UUID | str
    pipeline__in: Iterable[Pipeline | UUID | str]
    pipeline_id: Pipeline | UUID | str
    pipeline_id__ne: Pipeline | UUID | str
    pipeline_id__in: Iterable[Pipeline | UUID | str]
    name: str
    name__ne: str
    name__in: Iterable[str]
    name__lt: str
    name__le: str
    name__gt: str
    name__ge: str
    name__contains: str
    name__startswith: str
    position: int
    position__ne: int
    position__in: Iterable[int]
    position__lt: int
    position__le: int
    position__gt: int
    position__ge: int
    probability: Decimal | int
    probability__ne: Decimal | int
    probability__in: Iterable[Decimal | int]
    probability__lt: Decimal | int
    probability__le: Decimal | int
    probability__gt: Decimal | int
    probability__ge: Decimal | int
    version: int
    version__ne: int
    version__in: Iterable[int]
    version__lt: int
    version__le: int
    version__gt: int
    version__ge: int
    created_at: datetime
    created_at__ne: datetime
    created_at__in: Iterable[datetime]
    created_at__lt: datetime
    created_at__le: datetime
    created_at__gt: datetime
    created_at__ge: datetime
    created_by: Record | UUID | str | None
    created_by__ne: Record | UUID | str | None
    created_by__in: Iterable[Record | UUID | str | None]
    updated_at: datetime
    updated_at__ne: datetime
    updated_at__in: Iterable[datetime]
    updated_at__lt: datetime
    updated_at__le: datetime
    updated_at__gt: datetime
    updated_at__ge: datetime


class LeadFilters(TypedDict, total=False):
    """By what a list of kind lead can be filtered; see Collection."""

    tag: Tag | str
    tag__ne: Tag | str
    tag__in: Iterable[Tag | str]
    id: Lead | UUID | str
    id__ne: Lead | UUID | str
    id__in: Iterable[Lead | UUID | str]
    contact: Contact | UUID | str
    contact__ne: Contact | UUID | str
    contact__in: Iterable[Contact | UUID | str]
    contact_id: Contact | UUID | str
    contact_id__ne: Contact | UUID | str
    contact_id__in: Iterable[Contact | UUID | str]
    channel: str
    channel__ne: str
    channel__in: Iterable[str]
    status: str
    status__ne: str
    status__in: Iterable[str]
    assignee: User | UUID | str | None
    assignee__ne: User | UUID | str | None
    assignee__in: Iterable[User | UUID | str | None]
    assignee_id: User | UUID | str | None
    assignee_id__ne: User | UUID | str | None
    assignee_id__in: Iterable[User | UUID | str | None]
    admin_notes: str | None
    admin_notes__ne: str | None
    admin_notes__in: Iterable[str | None]
    admin_notes__lt: str
    admin_notes__le: str
    admin_notes__gt: str
    admin_notes__ge: str
    admin_notes__contains: str
    admin_notes__startswith: str
    sales_notes: str | None
    sales_notes__ne: str | None
    sales_notes__in: Iterable[str | None]
    sales_notes__lt: str
    sales_notes__le: str
    sales_notes__gt: str
    sales_notes__ge: str
    sales_notes__contains: str
    sales_notes__startswith: str
    deal: Record | UUID | str | None
    deal__ne: Record | UUID | str | None
    deal__in: Iterable[Record | UUID | str | None]
    deal_id: Record | UUID | str | None
    deal_id__ne: Record | UUID | str | None
    deal_id__in: Iterable[Record | UUID | str | None]
    external_id: str | None
    external_id__ne: str | None
    external_id__in: Iterable[str | None]
    external_id__lt: str
    external_id__le: str
    external_id__gt: str
    external_id__ge: str
    external_id__contains: str
    external_id__startswith: str
    version: int
    version__ne: int
    version__in: Iterable[int]
    version__lt: int
    version__le: int
    version__gt: int
    version__ge: int
    created_at: datetime
    created_at__ne: datetime
    created_at__in: Iterable[datetime]
    created_at__lt: datetime
    created_at__le: datetime
    created_at__gt: datetime
    created_at__ge: datetime
    created_by: Record | UUID | str | None
    created_by__ne: Record | UUID | str | None
    created_by__in: Iterable[Record | UUID | str | None]
    updated_at: datetime
    updated_at__ne: datetime
    updated_at__in: Iterable[datetime]
    updated_at__lt: datetime
    updated_at__le: datetime
    updated_at__gt: datetime
    updated_at__ge: datetime
    archived_at: datetime | None
    archived_at__ne: datetime | None
    archived_at__in: Iterable[datetime | None]
    archived_at__lt: datetime
    archived_at__le: datetime
    archived_at__gt: datetime
    archived_at__ge: datetime


class DealFilters(TypedDict, total=False):
    """By what a list of kind deal can be filtered; see Collection."""

    tag: Tag | str
    tag__ne: Tag | str
    tag__in: Iterable[Tag | str]
    id: Deal | UUID | str
    id__ne: Deal | UUID | str
    id__in: Iterable[Deal | UUID | str]
    title: str
    title__ne: str
    title__in: Iterable[str]
    title__lt: str
    title__le: str
    title__gt: str
    title__ge: str
    title__contains: str
    title__startswith: str
    contact: Contact | UUID | str | None
    contact__ne: Contact | UUID | str | None
    contact__in: Iterable[Contact | UUID | str | None]
    contact_id: Contact | UUID | str | None
    contact_id__ne: Contact | UUID | str | None
    contact_id__in: Iterable[Contact | UUID | str | None]
    owner: User | UUID | str
    owner__ne: User | UUID | str
    owner__in: Iterable[User | UUID | str]
    owner_id: User | UUID | str
    owner_id__ne: User | UUID | str
    owner_id__in: Iterable[User | UUID | str]
    currency: str
    currency__ne: str
    currency__in: Iterable[str]
    currency__lt: str
    currency__le: str
    currency__gt: str
    currency__ge: str
    currency__contains: str
    currency__startswith: str
    amount: Decimal | int | Money
    amount__ne: Decimal | int | Money
    amount__in: Iterable[Decimal | int | Money]
    amount__lt: Decimal | int | Money
    amount__le: Decimal | int | Money
    amount__gt: Decimal | int | Money
    amount__ge: Decimal | int | Money
    pipeline: Pipeline | UUID | str
    pipeline__ne: Pipeline | UUID | str
    pipeline__in: Iterable[Pipeline | UUID | str]
    pipeline_id: Pipeline | UUID | str
    pipeline_id__ne: Pipeline | UUID | str
    pipeline_id__in: Iterable[Pipeline | UUID | str]
    stage: Stage | UUID | str
    stage__ne: Stage | UUID | str
    stage__in: Iterable[Stage | UUID | str]
    stage_id: Stage | UUID | str
    stage_id__ne: Stage | UUID | str
    stage_id__in: Iterable[Stage | UUID | str]
    status: str
    status__ne: str
    status__in: Iterable[str]
    expected_close_on: date | None
    expected_close_on__ne: date | None
    expected_close_on__in: Iterable[date | None]
    expected_close_on__lt: date
    expected_close_on__le: date
    expected_close_on__gt: date
    expected_close_on__ge: date
    opened_at: datetime
    opened_at__ne: datetime
    opened_at__in: Iterable[datetime]
    opened_at__lt: datetime
    opened_at__le: datetime
    opened_at__gt: datetime
    opened_at__ge: datetime
    closed_at: datetime | None
    closed_at__ne: datetime | None
    closed_at__in: Iterable[datetime | None]
    closed_at__lt: datetime
    closed_at__le: datetime
    closed_at__gt: datetime
    closed_at__ge: datetime
    lost_reason: str | None
    lost_reason__ne: str | None
    lost_reason__in: Iterable[str | None]
    lost_reason__lt: str
    lost_reason__le: str
    lost_reason__gt: str
    lost_reason__ge: str
    lost_reason__contains: str
    lost_reason__startswith: str
    product: Product | UUID | str | None
    product__ne: Product | UUID | str | None
    product__in: Iterable[Product | UUID | str | None]
    product_id: Product | UUID | str | None
    product_id__ne: Product | UUID | str | None
    product_id__in: Iterable[Product | UUID | str | None]
    lead: Lead | UUID | str | None
    lead__ne: Lead | UUID | str | None
    lead__in: Iterable[Lead | UUID | str | None]
    lead_id: Lead | UUID | str | None
    lead_id__ne: Lead | UUID | str | None
    lead_id__in: Iterable[Lead | UUID | str | None]
    stage_entered_at: datetime
    stage_entered_at__ne: datetime
    stage_entered_at__in: Iterable[datetime]
    stage_entered_at__lt: datetime
    stage_entered_at__le: datetime
    stage_entered_at__gt: datetime
    stage_entered_at__ge: datetime
    external_id: str | None
    external_id__ne: str | None
    external_id__in: Iterable[str | None]
    external_id__lt: str
    external_id__le: str
    external_id__gt: str
    external_id__ge: str
    external_id__contains: str
    external_id__startswith: str
    is_open: bool
    is_open__ne: bool
    is_open__in: Iterable[bool]
    version: int
    version__ne: int
    version__in: Iterable[int]
    version__lt: int
    version__le: int
    version__gt: int
    version__ge: int
    created_at: datetime
    created_at__ne: datetime
    created_at__in: Iterable[datetime]
    created_at__lt: datetime
    created_at__le: datetime
    created_at__gt: datetime
    created_at__ge: datetime
    created_by: Record | UUID | str | None
    created_by__ne: Record | UUID | str | None
    created_by__in: Iterable[Record | UUID | str | None]
    updated_at: datetime
    updated_at__ne: datetime
    updated_at__in: Iterable[datetime]
    updated_at__lt: datetime
    updated_at__le: datetime
    updated_at__gt: datetime
    updated_at__ge: datetime
    archived_at: datetime | None
    archived_at__ne: datetime | None
    archived_at__in: Iterable[datetime | None]
    archived_at__lt: datetime
    archived_at__le: datetime
    archived_at__gt: datetime
    archived_at__ge: datetime


class StageChangeFilters(TypedDict, total=False):
    """By what a list of kind stage change can be filtered; see Collection."""

    id: StageChange | UUID | str
    id__ne: StageChange | UUID | str
    id__in: Iterable[StageChange | UUID | str]
    deal: Deal | UUID | str
    deal__ne: Deal | UUID | str
    deal__in: Iterable[Deal | UUID | str]
    deal_id: Deal | UUID | str
    deal_id__ne: Deal | UUID | str
    deal_id__in: Iterable[Deal | UUID | str]
    pipeline: Pipeline | UUID | str
    pipeline__ne: Pipeline | UUID | str
    pipeline__in: Iterable[Pipeline | UUID | str]
    pipeline_id: Pipeline | UUID | str
    pipeline_id__ne: Pipeline | UUID | str
    pipeline_id__in: Iterable[Pipeline | UUID | str]
    from_stage: Stage | UUID | str | None
    from_stage__ne: Stage | UUID | str | None
    from_stage__in: Iterable[Stage | UUID | str | None]
    from_stage_id: Stage | UUID | str | None
    from_stage_id__ne: Stage | UUID | str | None
    from_stage_id__in: Iterable[Stage | UUID | str | None]
    to_stage: Stage | UUID | str
    to_stage__ne: Stage | UUID | str
    to_stage__in: Iterable[Stage | UUID | str]
    to_stage_id: Stage | UUID | str
    to_stage_id__ne: Stage | UUID | str
    to_stage_id__in: Iterable[Stage | UUID | str]
    from_status: str | None
    from_status__ne: str | None
    from_status__in: Iterable[str | None]
    to_status: str
    to_status__ne: str
    to_status__in: Iterable[str]
    entered_at: datetime | None
    entered_at__ne: datetime | None
    entered_at__in: Iterable[datetime | None]
    entered_at__lt: datetime
    entered_at__le: datetime
    entered_at__gt: datetime
    entered_at__ge: datetime
    at: datetime
    at__ne: datetime
    at__in: Iterable[datetime]
    at__lt: datetime
    at__le: datetime
    at__gt: datetime
    at__ge: datetime
    by: Record | UUID | str | None
    by__ne: Record | UUID | str | None
    by__in: Iterable[Record | UUID | str | None]
    by_id: Record | UUID | str | None
    by_id__ne: Record | UUID | str | None
    by_id__in: Iterable[Record | UUID | str | None]
    imported: bool
    imported__ne: bool
    imported__in: Iterable[bool]
    visit_seconds: int | None
    visit_seconds__ne: int | None
    visit_seconds__in: Iterable[int | None]
    visit_seconds__lt: int
    visit_seconds__le: int
    visit_seconds__gt: int
    visit_seconds__ge: int


class TagFilters(TypedDict, total=False):
    """By what a list of kind tag can be filtered; see Collection."""

    id: Tag | UUID | str
    id__ne: Tag | UUID | str
    id__in: Iterable[Tag | UUID | str]
    name: str
    name__ne: str
    name__in: Iterable[str]
    name__lt: str
    name__le: str
    name__gt: str
    name__ge: str
    name__contains: str
    name__startswith: str
    version: int
    version__ne: int
    version__in: Iterable[int]
    version__lt: int
    version__le: int
    version__gt: int
    version__ge: int
    created_at: datetime
    created_at__ne: datetime
    created_at__in: Iterable[datetime]
    created_at__lt: datetime
    created_at__le: datetime
    created_at__gt: datetime
    created_at__ge: datetime
    created_by: Record | UUID | str | None
    created_by__ne: Record | UUID | str | None
    created_by__in: Iterable[Record | UUID | str | None]
    updated_at: datetime
    updated_at__ne: datetime
    updated_at__in: Iterable[datetime]
    updated_at__lt: datetime
    updated_at__le: datetime
    updated_at__gt: datetime
    updated_at__ge: datetime


class CaseFilters(TypedDict, total=False):
    """By what a list of kind case can be filtered; see Collection."""

    overdue: bool
    open: bool
    id: Case | UUID | str
    id__ne: Case | UUID | str
    id__in: Iterable[Case | UUID | str]
    number: str | None
    number__ne: str | None
    number__in: Iterable[str | None]
    number__lt: str
    number__le: str
    number__gt: str
    number__ge: str
    number__contains: str
    number__startswith: str
    kind: str
    kind__ne: str
    kind__in: Iterable[str]
    topic: str
    topic__ne: str
    topic__in: Iterable[str]
    channel: str
    channel__ne: str
    channel__in: Iterable[str]
    subject: str
    subject__ne: str
    subject__in: Iterable[str]
    subject__lt: str
    subject__le: str
    subject__gt: str
    subject__ge: str
    subject__contains: str
    subject__startswith: str
    description: str
    description__ne: str
    description__in: Iterable[str]
    description__lt: str
    description__le: str
    description__gt: str
    description__ge: str
    description__contains: str
    description__startswith: str
    contact: Contact | UUID | str
    contact__ne: Contact | UUID | str
    contact__in: Iterable[Contact | UUID | str]
    contact_id: Contact | UUID | str
    contact_id__ne: Contact | UUID | str
    contact_id__in: Iterable[Contact | UUID | str]
    account_number: str | None
    account_number__ne: str | None
    account_number__in: Iterable[str | None]
    account_number__lt: str
    account_number__le: str
    account_number__gt: str
    account_number__ge: str
    account_number__contains: str
    account_number__startswith: str
    assignee: User | UUID | str | None
    assignee__ne: User | UUID | str | None
    assignee__in: Iterable[User | UUID | str | None]
    assignee_id: User | UUID | str | None
    assignee_id__ne: User | UUID | str | None
    assignee_id__in: Iterable[User | UUID | str | None]
    priority: str
    priority__ne: str
    priority__in: Iterable[str]
    status: str
    status__ne: str
    status__in: Iterable[str]
    received_at: datetime
    received_at__ne: datetime
    received_at__in: Iterable[datetime]
    received_at__lt: datetime
    received_at__le: datetime
    received_at__gt: datetime
    received_at__ge: datetime
    received_on: date
    received_on__ne: date
    received_on__in: Iterable[date]
    received_on__lt: date
    received_on__le: date
    received_on__gt: date
    received_on__ge: date
    received_month: date
    received_month__ne: date
    received_month__in: Iterable[date]
    received_month__lt: date
    received_month__le: date
    received_month__gt: date
    received_month__ge: date
    counted_at: datetime
    counted_at__ne: datetime
    counted_at__in: Iterable[datetime]
    counted_at__lt: datetime
    counted_at__le: datetime
    counted_at__gt: datetime
    counted_at__ge: datetime
    calendar: Calendar | UUID | str
    calendar__ne: Calendar | UUID | str
    calendar__in: Iterable[Calendar | UUID | str]
    calendar_id: Calendar | UUID | str
    calendar_id__ne: Calendar | UUID | str
    calendar_id__in: Iterable[Calendar | UUID | str]
    calendar_version: str
    calendar_version__ne: str
    calendar_version__in: Iterable[str]
    calendar_version__lt: str
    calendar_version__le: str
    calendar_version__gt: str
    calendar_version__ge: str
    calendar_version__contains: str
    calendar_version__startswith: str
    rule_code: str | None
    rule_code__ne: str | None
    rule_code__in: Iterable[str | None]
    rule_code__lt: str
    rule_code__le: str
    rule_code__gt: str
    rule_code__ge: str
    rule_code__contains: str
    rule_code__startswith: str
    rule_version: str | None
    rule_version__ne: str | None
    rule_version__in: Iterable[str | None]
    rule_version__lt: str
    rule_version__le: str
    rule_version__gt: str
    rule_version__ge: str
    rule_version__contains: str
    rule_version__startswith: str
    rule: CaseRule | UUID | str | None
    rule__ne: CaseRule | UUID | str | None
    rule__in: Iterable[CaseRule | UUID | str | None]
    rule_id: CaseRule | UUID | str | None
    rule_id__ne: CaseRule | UUID | str | None
    rule_id__in: Iterable[CaseRule | UUID | str | None]
    base_days: int | None
    base_days__ne: int | None
    base_days__in: Iterable[int | None]
    base_days__lt: int
    base_days__le: int
    base_days__gt: int
    base_days__ge: int
    extension_days: int
    extension_days__ne: int
    extension_days__in: Iterable[int]
    extension_days__lt: int
    extension_days__le: int
    extension_days__gt: int
    extension_days__ge: int
    due_on: date | None
    due_on__ne: date | None
    due_on__in: Iterable[date | None]
    due_on__lt: date
    due_on__le: date
    due_on__gt: date
    due_on__ge: date
    paused_since: date | None
    paused_since__ne: date | None
    paused_since__in: Iterable[date | None]
    paused_since__lt: date
    paused_since__le: date
    paused_since__gt: date
    paused_since__ge: date
    silence: str
    silence__ne: str
    silence__in: Iterable[str]
    answer: str | None
    answer__ne: str | None
    answer__in: Iterable[str | None]
    answer__lt: str
    answer__le: str
    answer__gt: str
    answer__ge: str
    answer__contains: str
    answer__startswith: str
    answered_on: date | None
    answered_on__ne: date | None
    answered_on__in: Iterable[date | None]
    answered_on__lt: date
    answered_on__le: date
    answered_on__gt: date
    answered_on__ge: date
    first_answered_on: date | None
    first_answered_on__ne: date | None
    first_answered_on__in: Iterable[date | None]
    first_answered_on__lt: date
    first_answered_on__le: date
    first_answered_on__gt: date
    first_answered_on__ge: date
    answer_days: int | None
    answer_days__ne: int | None
    answer_days__in: Iterable[int | None]
    answer_days__lt: int
    answer_days__le: int
    answer_days__gt: int
    answer_days__ge: int
    answered_late: bool | None
    answered_late__ne: bool | None
    answered_late__in: Iterable[bool | None]
    notified_on: date | None
    notified_on__ne: date | None
    notified_on__in: Iterable[date | None]
    notified_on__lt: date
    notified_on__le: date
    notified_on__gt: date
    notified_on__ge: date
    closed_on: date | None
    closed_on__ne: date | None
    closed_on__in: Iterable[date | None]
    closed_on__lt: date
    closed_on__le: date
    closed_on__gt: date
    closed_on__ge: date
    external_id: str | None
    external_id__ne: str | None
    external_id__in: Iterable[str | None]
    external_id__lt: str
    external_id__le: str
    external_id__gt: str
    external_id__ge: str
    external_id__contains: str
    external_id__startswith: str
    version: int
    version__ne: int
    version__in: Iterable[int]
    version__lt: int
    version__le: int
    version__gt: int
    version__ge: int
    created_at: datetime
    created_at__ne: datetime
    created_at__in: Iterable[datetime]
    created_at__lt: datetime
    created_at__le: datetime
    created_at__gt: datetime
    created_at__ge: datetime
    created_by: Record | UUID | str | None
    created_by__ne: Record | UUID | str | None
    created_by__in: Iterable[Record | UUID | str | None]
    updated_at: datetime
    updated_at__ne: datetime
    updated_at__in: Iterable[datetime]
    updated_at__lt: datetime
    updated_at__le: datetime
    updated_at__gt: datetime
    updated_at__ge: datetime


class CaseEventFilters(TypedDict, total=False):
    """By what a list of kind case event can be filtered; see Collection."""

    id: CaseEvent | UUID | str
    id__ne: CaseEvent | UUID | str
    id__in: Iterable[CaseEvent | UUID | str]
    case: Case | UUID | str
    case__ne: Case | UUID | str
    case__in: Iterable[Case | UUID | str]
    case_id: Case | UUID | str
    case_id__ne: Case | UUID | str
    case_id__in: Iterable[Case | UUID | str]
    kind: str
    kind__ne: str
    kind__in: Iterable[str]
    at: datetime
    at__ne: datetime
    at__in: Iterable[datetime]
    at__lt: datetime
    at__le: datetime
    at__gt: datetime
    at__ge: datetime
    on: date
    on__ne: date
    on__in: Iterable[date]
    on__lt: date
    on__le: date
    on__gt: date
    on__ge: date
    by: Record | UUID | str | None
    by__ne: Record | UUID | str | None
    by__in: Iterable[Record | UUID | str | None]
    by_id: Record | UUID | str | None
    by_id__ne: Record | UUID | str | None
    by_id__in: Iterable[Record | UUID | str | None]
    text: str | None
    text__ne: str | None
    text__in: Iterable[str | None]
    text__lt: str
    text__le: str
    text__gt: str
    text__ge: str
    text__contains: str
    text__startswith: str
    from_due_on: date | None
    from_due_on__ne: date | None
    from_due_on__in: Iterable[date | None]
    from_due_on__lt: date
    from_due_on__le: date
    from_due_on__gt: date
    from_due_on__ge: date
    to_due_on: date | None
    to_due_on__ne: date | None
    to_due_on__in: Iterable[date | None]
    to_due_on__lt: date
    to_due_on__le: date
    to_due_on__gt: date
    to_due_on__ge: date
    assignee: Record | UUID | str | None
    assignee__ne: Record | UUID | str | None
    assignee__in: Iterable[Record | UUID | str | None]
    assignee_id: Record | UUID | str | None
    assignee_id__ne: Record | UUID | str | None
    assignee_id__in: Iterable[Record | UUID | str | None]
    days: int | None
    days__ne: int | None
    days__in: Iterable[int | None]
    days__lt: int
    days__le: int
    days__gt: int
    days__ge: int


class CalendarFilters(TypedDict, total=False):
    """By what a list of kind calendar can be filtered; see Collection."""

    id: Calendar | UUID | str
    id__ne: Calendar | UUID | str
    id__in: Iterable[Calendar | UUID | str]
    revision: int
    revision__ne: int
    revision__in: Iterable[int]
    revision__lt: int
    revision__le: int
    revision__gt: int
    revision__ge: int
    is_current: bool
    is_current__ne: bool
    is_current__in: Iterable[bool]
    code: str
    code__ne: str
    code__in: Iterable[str]
    code__lt: str
    code__le: str
    code__gt: str
    code__ge: str
    code__contains: str
    code__startswith: str
    base: str | None
    base__ne: str | None
    base__in: Iterable[str | None]
    base__lt: str
    base__le: str
    base__gt: str
    base__ge: str
    base__contains: str
    base__startswith: str
    zone: str
    zone__ne: str
    zone__in: Iterable[str]
    zone__lt: str
    zone__le: str
    zone__gt: str
    zone__ge: str
    zone__contains: str
    zone__startswith: str
    week: str
    week__ne: str
    week__in: Iterable[str]
    week__lt: str
    week__le: str
    week__gt: str
    week__ge: str
    week__contains: str
    week__startswith: str
    topic: str
    topic__ne: str
    topic__in: Iterable[str]
    days: None
    days__ne: None
    version: int
    version__ne: int
    version__in: Iterable[int]
    version__lt: int
    version__le: int
    version__gt: int
    version__ge: int
    created_at: datetime
    created_at__ne: datetime
    created_at__in: Iterable[datetime]
    created_at__lt: datetime
    created_at__le: datetime
    created_at__gt: datetime
    created_at__ge: datetime
    created_by: Record | UUID | str | None
    created_by__ne: Record | UUID | str | None
    created_by__in: Iterable[Record | UUID | str | None]
    updated_at: datetime
    updated_at__ne: datetime
    updated_at__in: Iterable[datetime]
    updated_at__lt: datetime
    updated_at__le: datetime
    updated_at__gt: datetime
    updated_at__ge: datetime


class TaskFilters(TypedDict, total=False):
    """By what a list of kind task can be filtered; see Collection."""

    overdue: bool
    id: Task | UUID | str
    id__ne: Task | UUID | str
    id__in: Iterable[Task | UUID | str]
    title: str
    title__ne: str
    title__in: Iterable[str]
    title__lt: str
    title__le: str
    title__gt: str
    title__ge: str
    title__contains: str
    title__startswith: str
    contact: Contact | UUID | str | None
    contact__ne: Contact | UUID | str | None
    contact__in: Iterable[Contact | UUID | str | None]
    contact_id: Contact | UUID | str | None
    contact_id__ne: Contact | UUID | str | None
    contact_id__in: Iterable[Contact | UUID | str | None]
    lead: Lead | UUID | str | None
    lead__ne: Lead | UUID | str | None
    lead__in: Iterable[Lead | UUID | str | None]
    lead_id: Lead | UUID | str | None
    lead_id__ne: Lead | UUID | str | None
    lead_id__in: Iterable[Lead | UUID | str | None]
    deal: Deal | UUID | str | None
    deal__ne: Deal | UUID | str | None
    deal__in: Iterable[Deal | UUID | str | None]
    deal_id: Deal | UUID | str | None
    deal_id__ne: Deal | UUID | str | None
    deal_id__in: Iterable[Deal | UUID | str | None]
    invoice: Invoice | UUID | str | None
    invoice__ne: Invoice | UUID | str | None
    invoice__in: Iterable[Invoice | UUID | str | None]
    invoice_id: Invoice | UUID | str | None
    invoice_id__ne: Invoice | UUID | str | None
    invoice_id__in: Iterable[Invoice | UUID | str | None]
    case: Case | UUID | str | None
    case__ne: Case | UUID | str | None
    case__in: Iterable[Case | UUID | str | None]
    case_id: Case | UUID | str | None
    case_id__ne: Case | UUID | str | None
    case_id__in: Iterable[Case | UUID | str | None]
    description: str | None
    description__ne: str | None
    description__in: Iterable[str | None]
    description__lt: str
    description__le: str
    description__gt: str
    description__ge: str
    description__contains: str
    description__startswith: str
    due_on: date | None
    due_on__ne: date | None
    due_on__in: Iterable[date | None]
    due_on__lt: date
    due_on__le: date
    due_on__gt: date
    due_on__ge: date
    due_at: datetime | None
    due_at__ne: datetime | None
    due_at__in: Iterable[datetime | None]
    due_at__lt: datetime
    due_at__le: datetime
    due_at__gt: datetime
    due_at__ge: datetime
    assignee: User | UUID | str
    assignee__ne: User | UUID | str
    assignee__in: Iterable[User | UUID | str]
    assignee_id: User | UUID | str
    assignee_id__ne: User | UUID | str
    assignee_id__in: Iterable[User | UUID | str]
    status: str
    status__ne: str
    status__in: Iterable[str]
    done_at: datetime | None
    done_at__ne: datetime | None
    done_at__in: Iterable[datetime | None]
    done_at__lt: datetime
    done_at__le: datetime
    done_at__gt: datetime
    done_at__ge: datetime
    version: int
    version__ne: int
    version__in: Iterable[int]
    version__lt: int
    version__le: int
    version__gt: int
    version__ge: int
    created_at: datetime
    created_at__ne: datetime
    created_at__in: Iterable[datetime]
    created_at__lt: datetime
    created_at__le: datetime
    created_at__gt: datetime
    created_at__ge: datetime
    created_by: Record | UUID | str | None
    created_by__ne: Record | UUID | str | None
    created_by__in: Iterable[Record | UUID | str | None]
    updated_at: datetime
    updated_at__ne: datetime
    updated_at__in: Iterable[datetime]
    updated_at__lt: datetime
    updated_at__le: datetime
    updated_at__gt: datetime
    updated_at__ge: datetime


class InteractionFilters(TypedDict, total=False):
    """By what a list of kind interaction can be filtered; see Collection."""

    id: Interaction | UUID | str
    id__ne: Interaction | UUID | str
    id__in: Iterable[Interaction | UUID | str]
    contact: Contact | UUID | str | None
    contact__ne: Contact | UUID | str | None
    contact__in: Iterable[Contact | UUID | str | None]
    contact_id: Contact | UUID | str | None
    contact_id__ne: Contact | UUID | str | None
    contact_id__in: Iterable[Contact | UUID | str | None]
    lead: Lead | UUID | str | None
    lead__ne: Lead | UUID | str | None
    lead__in: Iterable[Lead | UUID | str | None]
    lead_id: Lead | UUID | str | None
    lead_id__ne: Lead | UUID | str | None
    lead_id__in: Iterable[Lead | UUID | str | None]
    deal: Deal | UUID | str | None
    deal__ne: Deal | UUID | str | None
    deal__in: Iterable[Deal | UUID | str | None]
    deal_id: Deal | UUID | str | None
    deal_id__ne: Deal | UUID | str | None
    deal_id__in: Iterable[Deal | UUID | str | None]
    invoice: Invoice | UUID | str | None
    invoice__ne: Invoice | UUID | str | None
    invoice__in: Iterable[Invoice | UUID | str | None]
    invoice_id: Invoice | UUID | str | None
    invoice_id__ne: Invoice | UUID | str | None
    invoice_id__in: Iterable[Invoice | UUID | str | None]
    case: Case | UUID | str | None
    case__ne: Case | UUID | str | None
    case__in: Iterable[Case | UUID | str | None]
    case_id: Case | UUID | str | None
    case_id__ne: Case | UUID | str | None
    case_id__in: Iterable[Case | UUID | str | None]
    kind: str
    kind__ne: str
    kind__in: Iterable[str]
    occurred_at: datetime
    occurred_at__ne: datetime
    occurred_at__in: Iterable[datetime]
    occurred_at__lt: datetime
    occurred_at__le: datetime
    occurred_at__gt: datetime
    occurred_at__ge: datetime
    notes: str
    notes__ne: str
    notes__in: Iterable[str]
    notes__lt: str
    notes__le: str
    notes__gt: str
    notes__ge: str
    notes__contains: str
    notes__startswith: str
    author: User | UUID | str
    author__ne: User | UUID | str
    author__in: Iterable[User | UUID | str]
    author_id: User | UUID | str
    author_id__ne: User | UUID | str
    author_id__in: Iterable[User | UUID | str]


class ApiKeyFilters(TypedDict, total=False):
    """By what a list of kind api key can be filtered; see Collection."""

    id: ApiKey | UUID | str
    id__ne: ApiKey | UUID | str
    id__in: Iterable[ApiKey | UUID | str]
    alias: str
    alias__ne: str
    alias__in: Iterable[str]
    alias__lt: str
    alias__le: str
    alias__gt: str
    alias__ge: str
    alias__contains: str
    alias__startswith: str
    prefix: str
    prefix__ne: str
    prefix__in: Iterable[str]
    prefix__lt: str
    prefix__le: str
    prefix__gt: str
    prefix__ge: str
    prefix__contains: str
    prefix__startswith: str
    user: User | UUID | str
    user__ne: User | UUID | str
    user__in: Iterable[User | UUID | str]
    user_id: User | UUID | str
    user_id__ne: User | UUID | str
    user_id__in: Iterable[User | UUID | str]
    role: str
    role__ne: str
    role__in: Iterable[str]
    scopes: str
    scopes__ne: str
    scopes__in: Iterable[str]
    scopes__lt: str
    scopes__le: str
    scopes__gt: str
    scopes__ge: str
    scopes__contains: str
    scopes__startswith: str
    expires_at: datetime | None
    expires_at__ne: datetime | None
    expires_at__in: Iterable[datetime | None]
    expires_at__lt: datetime
    expires_at__le: datetime
    expires_at__gt: datetime
    expires_at__ge: datetime
    revoked_at: datetime | None
    revoked_at__ne: datetime | None
    revoked_at__in: Iterable[datetime | None]
    revoked_at__lt: datetime
    revoked_at__le: datetime
    revoked_at__gt: datetime
    revoked_at__ge: datetime
    version: int
    version__ne: int
    version__in: Iterable[int]
    version__lt: int
    version__le: int
    version__gt: int
    version__ge: int
    created_at: datetime
    created_at__ne: datetime
    created_at__in: Iterable[datetime]
    created_at__lt: datetime
    created_at__le: datetime
    created_at__gt: datetime
    created_at__ge: datetime
    created_by: Record | UUID | str | None
    created_by__ne: Record | UUID | str | None
    created_by__in: Iterable[Record | UUID | str | None]
    updated_at: datetime
    updated_at__ne: datetime
    updated_at__in: Iterable[datetime]
    updated_at__lt: datetime
    updated_at__le: datetime
    updated_at__gt: datetime
    updated_at__ge: datetime


class ApiRequestFilters(TypedDict, total=False):
    """By what a list of kind api request can be filtered; see Collection."""

    id: ApiRequest | UUID | str
    id__ne: ApiRequest | UUID | str
    id__in: Iterable[ApiRequest | UUID | str]
    key: ApiKey | UUID | str
    key__ne: ApiKey | UUID | str
    key__in: Iterable[ApiKey | UUID | str]
    key_id: ApiKey | UUID | str
    key_id__ne: ApiKey | UUID | str
    key_id__in: Iterable[ApiKey | UUID | str]
    at: datetime
    at__ne: datetime
    at__in: Iterable[datetime]
    at__lt: datetime
    at__le: datetime
    at__gt: datetime
    at__ge: datetime
    operation: str
    operation__ne: str
    operation__in: Iterable[str]
    operation__lt: str
    operation__le: str
    operation__gt: str
    operation__ge: str
    operation__contains: str
    operation__startswith: str
    name: str | None
    name__ne: str | None
    name__in: Iterable[str | None]
    name__lt: str
    name__le: str
    name__gt: str
    name__ge: str
    name__contains: str
    name__startswith: str
    email: str | None
    email__ne: str | None
    email__in: Iterable[str | None]
    email__lt: str
    email__le: str
    email__gt: str
    email__ge: str
    email__contains: str
    email__startswith: str
    application_id: str | None
    application_id__ne: str | None
    application_id__in: Iterable[str | None]
    application_id__lt: str
    application_id__le: str
    application_id__gt: str
    application_id__ge: str
    application_id__contains: str
    application_id__startswith: str
    outcome: str
    outcome__ne: str
    outcome__in: Iterable[str]
    outcome__lt: str
    outcome__le: str
    outcome__gt: str
    outcome__ge: str
    outcome__contains: str
    outcome__startswith: str
