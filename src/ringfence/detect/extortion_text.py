"""Extortion texts: pay or it goes on, a false official who wants the money safe, collectors who threaten.

A text that its recipient handed over is read for what it names (a sum, an account, a deadline) and what it says (a threat,
a price for quiet, a safe account; or, against it, the last digits of a card, an official app, thanks). Each piece is worth bits for each form of
the crime, and counts once. Unlike the detectors of calls it is not compiled: such texts are few.

A demand is a sum or an account together with a threat or another lever; a bare sum, or a bare threat, raises nothing. What the pieces are worth
is set by hand (`texts/phrases.py` says why): public corpora hold no such texts.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ringfence.detect.evidence import probability
from ringfence.detect.texts.accounts import Account, accounts, to_pay
from ringfence.detect.texts.deadlines import Deadline, deadline, spans
from ringfence.detect.texts.everyday import EVERYDAY
from ringfence.detect.texts.levers import LEVERS
from ringfence.detect.texts.money import Sum, asked, sums
from ringfence.detect.texts.phrases import Bits
from ringfence.detect.texts.plain import Place, Plain, plain
from ringfence.model.alert import Demand

NAME: Final = "extortion_text"
TITLE: Final = ("Extortion text", "勒索、诈骗短信")
HYPOTHESES: Final = (
    ("pay or it goes on", "不付钱就继续：敲诈勒索"),
    ("scam", "诈骗：冒充官方、亲友或机构"),
    ("illegal debt collection", "非法催收"),
)

PRIOR_BITS: Final = 4.0
"""Odds against, of a text with a sum or an account that somebody hands over: taken as one in 16; no figures are known."""
THRESHOLD: Final = 8.0
"""Bits that raise an alert: 94 % probable."""
MOST: Final = 12.0
"""Bits that levers of one name are worth together: two threats in one text are not two texts."""

_SUM, _ACCOUNT, _DEADLINE, _DISGUISE, _NO_REASON, _PRIVATE = 1, 2, 3, 4, 5, 6
_PHRASES: Final = (*LEVERS, *EVERYDAY)
WORDS: Final = {
    _SUM: ("names a sum", "写明金额"),
    _ACCOUNT: ("names an account to pay to or an id to write to", "写明收款账户或联系账号"),
    _DEADLINE: ("sets a deadline", "限定期限"),
    _DISGUISE: ("hides digits from filters", "以变体数字规避过滤"),
    _NO_REASON: (
        "wants money for no reason that it tells, without a please",
        "要钱却不说明缘由，也无客气用语",
    ),
    _PRIVATE: (
        "an authority, a firm or a relative at a new number wants the money on a private account",
        "自称官方、机构或换号亲友，却要求汇入个人账户",
    ),
    **{code: phrase.words for code, phrase in enumerate(_PHRASES, 7)},
}

# A sum: all demands of this sort, and half of what harmless texts are handed over.
_SUM_BITS: Final = (1.5, 1.0, 1.5)
# An account of a private person: most demands; favours, rents and school fees too, one harmless text in ten.
_ACCOUNT_BITS: Final = (3.0, 3.0, 3.0)
# A wallet: hardly ever in bills and favours.
_WALLET_BITS: Final = (6.0, 4.0, 4.0)
# Bills have deadlines as well.
_DEADLINE_BITS: Final = (1.0, 0.5, 1.0)
# Nobody writes the digits of his own account in words.
_DISGUISE_BITS: Final = (3.0, 3.0, 2.0)
# Whoever asks for money honestly says what it is for, who he is, or please: nine of ten such texts.
_NO_REASON_BITS: Final = (3.5, 2.0, 2.5)
# No authority, bank or firm is paid on the card or the wallet of one person; crimes that imitate them have nothing else.
_PRIVATE_BITS: Final = (0.0, 4.0, 0.0)
_OFFICIAL: Final = frozenset({"authority", "sender", "trouble", "bait", "safe account", "stranger as family"})
_WEAK: Final = frozenset({"debt", "trouble", "haste", "fee", "yours"})
"""What bills say as well: without a sum or an account, or alone, no demand."""
_LEVERS: Final = frozenset(phrase.name for phrase in LEVERS) - _WEAK | {"disguise", "private account"}
_TO_CALL: Final = frozenset({"phone number", "e-mail"})
_NAMES_ONLY: Final = frozenset({"authority", "bait", "other account"})
"""What real offices and adverts say as well: a demand only with an account."""
_PROPER: Final = frozenset({"official way", "last digits", "warning", "quote"})
_HARMLESS: Final = frozenset(phrase.name for phrase in EVERYDAY)
_WALLETS: Final = frozenset({"Bitcoin", "Ethereum", "TRON"})


@dataclass(frozen=True, slots=True)
class Seen:
    """A piece of a text: code of its words in `WORDS`, name, place in the original, and bits for each form."""

    what: int
    name: str
    place: Place
    bits: Bits


@dataclass(frozen=True, slots=True)
class Reading:
    """A text that was read. It does not hold the text.

    Attributes:
        demand: what it names.
        seen: pieces in the order of the text.
        hypothesis: index of the likeliest form; bits: for it, never below zero.
        is_alert: a demand, and enough evidence.
    """

    demand: Demand
    seen: tuple[Seen, ...]
    hypothesis: int
    bits: float
    is_alert: bool

    @property
    def probability(self) -> float:
        """How probable the crime is."""
        return probability(self.bits, PRIOR_BITS)

    @property
    def worth(self) -> tuple[float, ...]:
        """What each piece adds to the bits of the form: pieces of one name are bounded together."""
        return tuple(_increments(list(self.seen), self.hypothesis))

    @property
    def places(self) -> dict[str, Place]:
        """Where each piece stands, by name, of several the one worth most: characters of the original, the last not included."""
        strongest = sorted(self.seen, key=lambda piece: -piece.bits[self.hypothesis])
        return {piece.name: piece.place for piece in reversed(strongest)}


def read(body: str, time: int, ahead: int = 0) -> Reading:
    """Read a text.

    Args:
        body: the text, as it was handed over.
        time: when it was sent, µs since 1970, UTC.
        ahead: how far the recipient's local time is ahead of UTC then, µs; for deadlines.
    """
    text = plain(body)
    found = accounts(text)
    account = to_pay(found)
    when = deadline(text, time, ahead)
    taken = (*((one.start, one.end) for one in found), *spans(text))
    amount = asked(sums(text, taken))
    seen = [*_facts(amount, account, when), *_phrases(text, found)]
    if amount is not None and account is not None and not any(piece.name in _HARMLESS for piece in seen):
        seen.append(Seen(_NO_REASON, "no reason", amount.place, _NO_REASON_BITS))
    names = {piece.name for piece in seen}
    if account is not None and account.kind not in _TO_CALL and names & _OFFICIAL and not names & _PROPER:
        seen.append(Seen(_PRIVATE, "private account", account.place, _PRIVATE_BITS))
    seen.sort(key=lambda piece: piece.place)
    totals = [_total(seen, form) for form in range(len(HYPOTHESES))]
    form = max(range(len(totals)), key=totals.__getitem__)
    names = {piece.name for piece in seen}
    is_wallet = account is not None and account.kind in _WALLETS
    is_blunt = "no reason" in names and bool(
        names & {"deadline", "haste", "debt", "yours"}
    )  # until when or else, not why
    levers = names & _LEVERS if account is not None else names & _LEVERS - _NAMES_ONLY
    can_be = (is_wallet or is_blunt or bool(levers)) and (
        amount is not None or account is not None or bool(names & {"code", "link", "gift card", "way"})
    )
    return Reading(
        _demand(body, amount, account, when, names),
        tuple(seen),
        form,
        max(totals[form], 0.0),
        can_be and totals[form] >= THRESHOLD,
    )


def _facts(amount: Sum | None, account: Account | None, when: Deadline | None) -> list[Seen]:
    seen = []
    if amount is not None:
        seen.append(Seen(_SUM, "amount", amount.place, _SUM_BITS))
    if account is not None:
        bits = _WALLET_BITS if account.kind in _WALLETS else _ACCOUNT_BITS
        seen.append(Seen(_ACCOUNT, "account", account.place, bits))
        if account.disguised:
            seen.append(Seen(_DISGUISE, "disguise", account.place, _DISGUISE_BITS))
    if when is not None:
        seen.append(Seen(_DEADLINE, "deadline", when.place, _DEADLINE_BITS))
    return seen


def _phrases(text: Plain, found: list[Account]) -> list[Seen]:
    """What the text says: each phrase once, at its first place."""
    seen = []
    for code, phrase in enumerate(_PHRASES, 7):
        match = phrase.pattern.search(text.text)
        if match is None or match.end() == match.start():
            continue
        if phrase.name == "link" and any(one.start <= match.start() < one.end for one in found):
            continue  # the domain of an e-mail address
        seen.append(Seen(code, phrase.name, text.place(*match.span()), phrase.bits))
    return seen


def _increments(seen: list[Seen], form: int) -> Iterator[float]:
    """What each piece adds for a form: what speaks for it is bounded for each name."""
    by_name: dict[str, float] = {}
    for piece in seen:
        before = by_name.get(piece.name, 0.0)
        by_name[piece.name] = before + piece.bits[form]
        yield min(by_name[piece.name], MOST) - min(before, MOST)


def _total(seen: list[Seen], form: int) -> float:
    return math.fsum(_increments(seen, form))


def _demand(
    body: str, amount: Sum | None, account: Account | None, when: Deadline | None, names: set[str]
) -> Demand:
    return Demand(
        amount=None if amount is None else amount.amount,
        currency=None if amount is None else amount.currency,
        account=None if account is None else account.value,
        account_kind=account.kind if account is not None else "gift card" if "gift card" in names else None,
        deadline=None if when is None else body[slice(*when.place)],
        deadline_at=None if when is None else when.moment,
    )
