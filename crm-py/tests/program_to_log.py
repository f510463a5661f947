"""The program that ``test_log`` runs: it deals with secrets and persons, and asks for all logs there are.

Its arguments are the address of an empty database, the name of a schema or nothing, the file for what is logged, and
the one for the values that have no place in any log, by what they are.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

PLANTED = "planted to be found"


class Keep(logging.Handler):
    """Keeps all that a record carries, not only what is made of it for people."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def emit(self, record: logging.LogRecord) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{record.getMessage()} {vars(record)!r}\n")


def work(address: str, schema: str | None) -> dict[str, str]:
    """Everything in which a secret or a person has a part; answers what of them must not be seen."""
    import crm_py

    values: dict[str, str] = {}

    def new(what: str, form: str = "{}", length: int = 8) -> str:
        values[what] = form.format(secrets.token_hex(length))
        return values[what]

    def pair(which: str, login: crm_py.Login) -> crm_py.Login:
        values[f"{which} access token"] = login.access
        values[f"{which} refresh token"] = login.refresh
        return login

    def refused(call: Callable[[], object], kind: type[crm_py.CrmError] = crm_py.Unauthenticated) -> None:
        try:
            call()
        except kind:
            return
        raise AssertionError("it was not refused")

    ana = new("the owner's address", "{}@acme.example")
    password, later, wrong = new("the password"), new("the next password"), new("a wrong password")
    keys = crm_py.TokenKeys("https://crm.example", "crm", {"k1": new("the signing key", length=32)})
    with crm_py.open(address, schema=schema, token_keys=keys) as crm:
        crm.create_organization(
            "acme", name="Acme", currency="COP", time_zone="America/Bogota", region="CO",
            owner_email=ana, owner_name=new("the owner's name"),
        )  # fmt: skip
        crm.set_password(ana, password)

        # Signing in, going on, a password changed.
        refused(lambda: crm.login("acme", ana, wrong, source=new("where a guess came from")))
        refused(lambda: crm.login("acme", new("the name of nobody"), password))
        first = pair("the first", crm.login("acme", ana, password, source=new("where she signed in from")))
        second = pair("the second", crm.refresh(first.refresh))
        refused(lambda: second.org.me.change_password(wrong, later))
        second.org.me.set_username(new("the username", "u{}"))
        second.org.me.change_password(password, later)
        for token in (first.refresh, second.refresh):
            refused(lambda token=token: crm.refresh(token))  # type: ignore[misc]
        refused(lambda: crm.with_token(second.access))
        org = pair("the third", crm.login("acme", values["the username"], later)).org

        # An invitation accepted, and one declined.
        invited = org.members.invite(new("the member's address", "{}@acme.example"), role="member")
        values["the invitation"] = invited.text
        refused(lambda: crm.accept_invitation(invited.text + "x", new("the member's name")))
        crm.accept_invitation(invited.text, values["the member's name"])
        declined = org.members.invite(new("the address of who declined", "{}@acme.example"), role="viewer")
        values["the declined invitation"] = declined.text
        crm.decline_invitation(declined.text)

        # A key made and used, by a program that says who asks.
        made = org.keys.create("shop", role="manager", scopes=["contact.*", "*.read"])
        values["the key"] = made.text
        refused(lambda: crm.with_key(made.text + "x"))
        web = crm.with_key(
            made.text,
            name=new("the requester's name"),
            email=new("the requester's address", "{}@web.example"),
            application_id=new("the requester's id"),
        )
        values["the phone number"] = f"301{secrets.randbelow(10**7):07}"
        values["the number that is none"] = f"0{secrets.randbelow(10**7):07}-x"
        eva = web.contacts.create(
            kind="person",
            given_name=new("the given name"),
            family_name=new("the family name"),
            email=new("the e-mail address", "{}@example.com"),
            phone=values["the phone number"],
            address_line=new("the street"),
            account_number=new("the account number"),
            instagram=new("the Instagram handle"),
            notes=new("the notes"),
            custom={"pet": new("a field of the organization's own")},
        )
        assert eva.phone == "+57" + values["the phone number"]
        for field, given in (
            ("phone", values["the number that is none"]),
            ("email", new("the address that is none")),
            ("email", values["the e-mail address"]),
            ("birthday", new("a field that is none")),
        ):
            fields: dict[str, str] = {"kind": "person", "given_name": "Ida", field: given}
            refused(lambda fields=fields: web.contacts.create(**fields), crm_py.CrmError)  # type: ignore[misc]
        for reference in (values["the e-mail address"], values["the phone number"]):
            assert org.contacts.get(reference) == eva
        assert org.contacts.list(search=values["the family name"]).first() == eva
        org.contacts.update(eva, notes=new("the next notes"))
        org.interactions.log(contact=eva, kind="call", notes=new("what was said"))
        assert values["the next notes"] in json.dumps(org.privacy.export(eva))
        assert org.privacy.erase(eva).erased["contact"] == 1
        org.keys.revoke(made.key)
        refused(lambda: web.contacts.count())

        crm.logout(values["the third refresh token"])
        refused(lambda: org.contacts.count())
        refused(lambda: crm.refresh(values["the third refresh token"]))
    return values


def main(address: str, schema: str, log: Path, told: Path) -> None:
    logging.basicConfig(level=0)
    logging.getLogger().addHandler(Keep(log))
    told.write_text(json.dumps(work(address, schema or None)), encoding="utf-8")
    # After the work, so that whatever it did to the logs is seen as well.
    print(PLANTED, flush=True)
    os.write(2, f"{PLANTED}\n".encode())
    logging.getLogger("crm_py.any").log(1, "%s", PLANTED)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
