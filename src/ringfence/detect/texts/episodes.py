"""Which texts are one demand, told again."""

from dataclasses import replace
from typing import Final

from ringfence.model.alert import Demand

AGAIN: Final = 7 * 86_400_000_000
"""A demand that is told again within this time, µs, is the same: a flood that returns within seven days is the same flood."""


def same_demand(one: Demand, other: Demand) -> bool:
    """Whether two texts to one person demand the same: into the same account; or one names none, and the sums do not differ.

    A sum that is raised is the same demand while the account is the same.
    """
    if one.account is not None and other.account is not None:
        return one.account == other.account
    return (
        one.amount is None
        or other.amount is None
        or (one.amount, one.currency) == (other.amount, other.currency)
    )


def filled(first: Demand, later: Demand) -> Demand:
    """A demand with what a later text told in addition."""
    made = first
    if made.amount is None:
        made = replace(made, amount=later.amount, currency=later.currency)
    if made.account is None and later.account is not None:
        made = replace(made, account=later.account, account_kind=later.account_kind)
    if made.deadline is None:
        made = replace(made, deadline=later.deadline, deadline_at=later.deadline_at)
    return made
