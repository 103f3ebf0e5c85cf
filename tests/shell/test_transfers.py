"""Transfers that wait for the calls of their time."""

from typing import Any

import numpy as np
import pyarrow as pa

from ringfence.ingest.format import Chunk
from ringfence.model.numbers import Names, NumberPlan
from ringfence.model.tables import TRANSFERS
from ringfence.shell.transfers import LATE, NO_AMOUNT, NO_PAYER, TransferBook

PAYER = "+8613800000001"


def chunk(*rows: tuple[int, str, float | None]) -> Chunk:
    """Transfers: µs, payer, sum."""
    found = [
        {
            "time": at,
            "subscriber": who,
            "from_account": None,
            "to_account": "6222",
            "amount": amount,
            "currency": "CNY",
        }
        for at, who, amount in rows
    ]
    batch = pa.Table.from_pylist(found, TRANSFERS).combine_chunks().to_batches()[0]
    return Chunk(batch, np.arange(1, len(rows) + 1), len(rows), table="transfers")


def taken(book: TransferBook, *rows: tuple[int, str, float | None]) -> list[tuple[int, str]]:
    rejected = book.take(chunk(*rows), 0, NumberPlan.of("CN"), Names(), 40)
    return [(one.row, one.reason) for one in rejected]


def test_they_are_given_out_in_order_once_and_not_before_their_time() -> None:
    book = TransferBook()
    assert taken(book, (300, PAYER, 5.0), (100, PAYER, 1.0), (200, PAYER, 2.0), (100, PAYER, 1.0)) == []
    assert book.ready(250).amount.tolist() == [1.0, 2.0]
    assert book.repeated == 1
    last = book.ready(1_000)
    assert last.amount.tolist() == [5.0]
    assert book.currency(int(last.key[0])) == "CNY"


def test_rows_that_cannot_be_used_are_put_aside_with_their_reason() -> None:
    book = TransferBook()
    book.ready(150)
    rows: list[tuple[int, str, Any]] = [
        (200, "", 1.0), (200, PAYER, None), (200, PAYER, -3.0), (200, PAYER, float("nan")), (100, PAYER, 1.0), (150, PAYER, 7.0)
    ]  # fmt: skip
    wanted = [(1, NO_PAYER), (2, NO_AMOUNT), (3, NO_AMOUNT), (4, NO_AMOUNT), (5, LATE)]
    assert taken(book, *rows) == wanted
    assert book.ready(1_000).amount.tolist() == [7.0]


def test_a_snapshot_is_the_whole_state() -> None:
    book, other = TransferBook(), TransferBook()
    taken(book, (100, PAYER, 1.0), (200, PAYER, 2.0))
    key = int(book.ready(150).key[0])
    other.restore(book.arrays())
    assert other.currency(key) == "CNY"
    assert other.ready(1_000).amount.tolist() == [2.0]
