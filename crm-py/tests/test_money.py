"""Money: exact, typed, refused where it would not be."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from crm_py import Contact, Money, Session, ValidationError


def test_amounts_are_exact() -> None:
    assert Money("0.10", "USD") + Money("0.20", "USD") == Money("0.30", "USD")
    assert sum([Money("0.10", "USD")] * 3, Money(0, "USD")) == Money("0.30", "USD")
    tenths: list[Any] = [Money("0.10", "USD")] * 3
    assert sum(tenths) == Money("0.30", "USD")
    assert Money(Decimal("9.990"), "USD").amount == Decimal("9.99")
    assert str(Money(5, "USD")) == "5.00 USD"
    assert repr(Money(5, "JPY")) == "Money('5', 'JPY')"
    assert Money("1.234", "KWD").minor == 1234
    assert Money("-3", "EUR") == -Money("3", "EUR")
    assert not Money(0, "EUR")
    assert Money("1", "EUR") - Money("2", "EUR") == Money("-1", "EUR")


@pytest.mark.parametrize("amount", ["10.005", Decimal("10.005"), Decimal("1E-3"), "1,5", "NaN", Decimal("NaN"),
                                    Decimal("Infinity"), Decimal("1E+1000000000"), Decimal("1E-1000000000"), "", "1e2",
                                    10**20])
def test_what_is_no_exact_amount_is_refused(amount: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        Money(amount, "USD")
    assert caught.value.field == "amount"


def test_exponents_are_numbers_too() -> None:
    assert Money(Decimal("1E+2"), "USD") == Money(100, "USD")
    assert Money(Decimal("0E-100"), "USD") == Money(0, "USD")
    assert Money(Decimal("0E+100"), "USD") == Money(0, "USD")


@pytest.mark.parametrize("amount", [10.5, 10.0, float("nan"), True, None, Fraction(1, 2), b"1", [1]])
def test_floats_and_the_like_are_type_errors(amount: Any) -> None:
    with pytest.raises(TypeError, match="Decimal"):
        Money(amount, "USD")


def test_amounts_of_two_currencies_do_not_mix() -> None:
    dollar, euro = Money(1, "USD"), Money(1, "EUR")
    assert dollar != euro
    with pytest.raises(ValidationError):
        _ = dollar + euro
    with pytest.raises(ValidationError):
        _ = dollar < euro
    with pytest.raises(TypeError):
        _ = dollar + 1  # type: ignore[operator]
    with pytest.raises(TypeError):
        _ = dollar < 2  # type: ignore[operator]
    assert dollar != 1
    with pytest.raises(ValidationError) as caught:
        Money(1, "XXX")
    assert caught.value.field == "currency"


def test_amounts_order_hash_and_pickle() -> None:
    assert Money(1, "USD") < Money("1.01", "USD") <= Money("1.010", "USD")
    assert max(Money(1, "USD"), Money(3, "USD"), Money(2, "USD")) == Money(3, "USD")
    assert len({Money(1, "USD"), Money("1.00", "USD"), Money(1, "EUR")}) == 2
    money = Money("12.34", "USD")
    assert pickle.loads(pickle.dumps(money)) == money
    assert copy.deepcopy(money) is money
    with pytest.raises(AttributeError):
        money.amount = Decimal(1)  # type: ignore[misc]
    match money:
        case Money(amount, currency):
            assert (amount, currency) == (Decimal("12.34"), "USD")


def test_lines_round_once_and_half_away_from_zero(org: Session) -> None:
    contact = org.contacts.create(kind="person", given_name="Eva")
    invoice = org.invoices.create(
        contact=contact,
        lines=[
            {"description": "a", "quantity": Decimal("1"), "unit_price": Decimal("0.005")},
            {"description": "b", "quantity": Decimal("3"), "unit_price": Decimal("0.115"), "tax_percent": Decimal("8.25")},
            {"description": "c", "quantity": Decimal("0.1"), "unit_price": Decimal("0.1")},
        ],
    )
    lines = org.invoices.lines(invoice)
    assert [(line.position, line.net.amount, line.tax.amount) for line in lines] == [
        (1, Decimal("0.01"), Decimal("0.00")),
        (2, Decimal("0.35"), Decimal("0.03")),
        (3, Decimal("0.01"), Decimal("0.00")),
    ]
    assert invoice.total == Money("0.40", "USD")
    assert (invoice.subtotal, invoice.tax) == (Money("0.37", "USD"), Money("0.03", "USD"))


def test_a_tenth_and_two_tenths_pay_three_tenths(org: Session) -> None:
    contact = org.contacts.create(kind="person", given_name="Eva")
    invoice = org.invoices.create(
        contact=contact,
        lines=[{"description": "x", "quantity": 1, "unit_price": Decimal("0.3")}],
        issue=True,
    )
    org.invoices.pay(invoice, Decimal("0.1"))
    assert org.invoices.get(invoice).status == "open"
    org.invoices.pay(invoice, Decimal("0.2"))
    paid = org.invoices.get(invoice)
    assert (paid.status, paid.balance) == ("paid", Money(0, "USD"))


@pytest.fixture
def contact(local: Session) -> Contact:
    return local.contacts.create(kind="person", given_name="Eva")


@pytest.mark.parametrize("wrong", [9.99, 10.0, "9.99", True])
def test_floats_are_refused_wherever_an_amount_goes(local: Session, contact: Contact, wrong: Any) -> None:
    good = {"description": "x", "quantity": 1, "unit_price": Decimal(1)}
    for name in ("quantity", "unit_price", "tax_percent"):
        with pytest.raises(TypeError, match=f"lines.1.{name}"):
            local.invoices.create(contact=contact, lines=[{**good, name: wrong}])  # type: ignore[typeddict-item]
    with pytest.raises(TypeError, match="total"):
        local.invoices.create(contact=contact, lines=[good], total=wrong)  # type: ignore[list-item]
    with pytest.raises(TypeError, match="unit_price"):
        local.products.create(name="x", unit_price=wrong)
    with pytest.raises(TypeError, match="amount"):
        local.payments.record(contact=contact, amount=wrong)
    invoice = local.invoices.create(contact=contact, lines=[good], issue=True)  # type: ignore[list-item]
    with pytest.raises(TypeError, match="invoices"):
        local.payments.record(contact=contact, amount=Decimal(1), invoices={invoice: wrong})
    with pytest.raises(TypeError, match="total__ge"):
        local.invoices.list(total__ge=wrong)
    assert local.payments.count() == 0


def test_more_digits_than_the_currency_has_are_refused(org: Session) -> None:
    contact = org.contacts.create(kind="person", given_name="Eva")
    with pytest.raises(ValidationError, match="2") as caught:
        org.payments.record(contact=contact, amount=Decimal("10.005"))
    assert caught.value.field == "amount"
    assert caught.value.details[0]["code"] == "too_many_decimals"
    with pytest.raises(ValidationError) as caught:
        org.products.create(name="x", unit_price=Decimal("0.0000001"))
    assert caught.value.field == "unit_price"
    payment = org.payments.record(contact=contact, amount=Decimal("10.5"), currency="KWD")
    assert payment.amount == Money("10.500", "KWD")
    with pytest.raises(ValidationError) as caught:
        org.payments.record(contact=contact, amount=Money(1, "EUR"), currency="USD")
    assert caught.value.field == "currency"


def test_a_stated_total_is_checked(org: Session) -> None:
    contact = org.contacts.create(kind="person", given_name="Eva")
    with pytest.raises(ValidationError) as caught:
        org.invoices.create(
            contact=contact,
            lines=[{"description": "x", "quantity": 3, "unit_price": Decimal("0.1")}],
            total=Decimal("0.31"),
        )
    assert caught.value.field == "total"
