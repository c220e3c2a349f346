"""Who is in the demo, and how they get in. Django-free: the launcher prints it."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "purser-demo"  # noqa: S105
# A whole service key, checksum included, that opens every account of the demo.
OPERATOR_KEY = "prsr_demodemo_operator0operator0operator0opera2kpfzmq"


@dataclass(frozen=True, slots=True)
class Person:
    """One person of the demo, and what can be seen through their eyes."""

    email: str
    name: str
    sees: str


NORA = Person("owner@northwind.example", "Nora Lind", "Business; buys blocks")
ANTON = Person("admin@northwind.example", "Anton Vega", "the same account, as admin")
BEA = Person("billing@northwind.example", "Bea Okafor", "the same, for billing")
MILO = Person("member@northwind.example", "Milo Brandt", "the same, as a member")
LUCIA = Person("owner@lumen.example", "Lucia Marin", "Creator: no blocks, and why")
ASHA = Person("owner@atlas.example", "Asha Raman", "Pro 1,000: no blocks, and why")
HUGO = Person("owner@harbor.example", "Hugo Stern", "Business with a history")
ELIF = Person("editor@harbor.example", "Elif Demir", "a member who spends there")
VERA = Person("owner@vintage.example", "Vera Holm", "a legacy plan, premium credits")
SAM = Person("owner@solo.example", "Sam Ito", "Free")
STELLA = Person("staff@purser.example", "Stella Moreau", "staff: may do everything")
THEO = Person("support@purser.example", "Theo Marsh", "staff: support")
AMARA = Person("admin@purser.example", "Amara Diallo", "staff: admin, moves money")
INES = Person("finance@purser.example", "Ines Costa", "staff: finance")

PEOPLE = (
    *(NORA, ANTON, BEA, MILO, LUCIA, ASHA, HUGO, ELIF, VERA, SAM),
    *(STELLA, THEO, AMARA, INES),
)


def introduction(*, web: str, sandbox: str | None, after_s: str) -> str:
    """Return what the launcher prints once the portal answers."""
    logins = "\n".join(f"    {one.email:<27} {one.sees}" for one in PEOPLE)
    stripe = (
        f"\n  Stripe sandbox   {sandbox}\n  Time machine     {web}/staff/time/"
        if sandbox
        else ""
    )
    return f"""
  Purser answers after {after_s} s.

  Portal           {web}/
  Staff console    {web}/staff/{stripe}
  API              {web}/api/v1/docs
  Service key      {OPERATOR_KEY}
  Password         {PASSWORD}, for everybody:
{logins}

  Ctrl-C stops all of it.

"""
