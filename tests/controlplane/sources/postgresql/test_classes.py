"""What columns hold, by what they are called and what is written about them."""

from __future__ import annotations

import pytest

from controlplane.sources.postgresql.catalog import Column, Line
from controlplane.sources.postgresql.classes import SHIPPED, ClassesError, read_classes, together

PERSONAL = [
    "email", "e_mail", "customer_email", "emailAddress", "phone", "phone_number", "mobile", "first_name", "lastName",
    "birth_date", "dateOfBirth", "dob", "home_address", "address", "address_line_1", "postal_code", "zip", "ssn",
    "social_security_number", "passport_no",
]  # fmt: skip
PAYMENT = ["iban", "bic", "card_number", "creditCardNumber", "cvv", "account_number"]
SECRET = ["password", "password_hash", "apiKey", "access_token", "secret"]
PLAIN = [
    "id", "created_at", "total", "note", "ip_address", "mac_address", "status", "dobson", "pancake",
    "microphone", "expand", "gift", "company", "zipper",
]  # fmt: skip


def classes(name: str, comment: str = "") -> set[str]:
    return set(SHIPPED.of(Line("table", name="t", schema="s", columns=[Column(name, comment)])))


@pytest.mark.parametrize("name", PERSONAL)
def test_personal_data_is_known_by_its_name(name: str) -> None:
    assert "customer PII" in classes(name)


@pytest.mark.parametrize("name", PAYMENT)
def test_payment_data_is_known_by_its_name(name: str) -> None:
    assert "payment data" in classes(name)


@pytest.mark.parametrize("name", SECRET)
def test_credentials_are_known_by_their_name(name: str) -> None:
    assert "credentials" in classes(name)


@pytest.mark.parametrize("name", PLAIN)
def test_what_only_looks_like_it_is_not(name: str) -> None:
    assert classes(name) == set()


def test_comments_tell_what_names_do_not() -> None:
    assert classes("x1", "Personal data of the customer") == {"customer PII"}
    table = Line("table", name="t", schema="s", comment="cardholder data", columns=[Column("a")])
    assert SHIPPED.of(table) == {"payment data": ()}


def test_a_users_list_decides_alone_for_what_it_names() -> None:
    mine = read_classes(
        """
        [[class]]
        name = "trade secret"
        pattern = "recipe"
        [[listed]]
        class = ""
        names = ["shop.subscribers.email"]
        [[listed]]
        class = "customer PII"
        names = ['shop."Odd"."a column"', "shop.ledger"]
        """,
        "mine.toml",
    )
    both = together(SHIPPED, mine)
    assert both.of(Line("table", name="subscribers", schema="shop", columns=[Column("email")])) == {}
    assert both.of(Line("table", name='"Odd"', schema="shop", columns=[Column('"a column"')])) == {
        "customer PII": ('"a column"',)
    }
    assert both.of(Line("table", name="ledger", schema="shop")) == {"customer PII": ()}
    assert set(both.of(Line("table", name="t", schema="s", columns=[Column("recipe")]))) == {"trade secret"}


WRONG = [
    "[[class]]\nname='x'\npattern='('",
    "[[class]]\nname='x'",
    "class = 1",
    "nonsense",
    "[[listed]]\nclass=''\nnames=['a..b']",
]


@pytest.mark.parametrize("text", WRONG)
def test_a_file_that_is_wrong_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(ClassesError, match=r"mine\.toml"):
        read_classes(text, "mine.toml")
