"""The tables other people's programs rely on, as Arrow schemas (names and types are a contract)."""

from typing import Final

import pyarrow as pa

TIME: Final = pa.timestamp("us", tz="UTC")

CALLS: Final = pa.schema(
    [
        pa.field("call_id", pa.string()),
        pa.field("start_time", TIME, nullable=False),  # set-up
        pa.field("answer_time", TIME),  # null: not answered
        pa.field("end_time", TIME),  # null: still up
        pa.field("caller", pa.string()),  # null: withheld
        pa.field("callee", pa.string(), nullable=False),
        pa.field("cause", pa.int16()),  # Q.850, at release
        pa.field("released_by", pa.string()),  # caller | callee | network
        pa.field("ingress", pa.string()),  # subscriber | domestic | international
        pa.field("trunk", pa.string()),
        pa.field("attestation", pa.string()),  # SHAKEN, verified: A | B | C
        pa.field("caller_device", pa.string()),
        pa.field("callee_device", pa.string()),
        pa.field("callee_cell", pa.string()),
    ]
)

TEXTS: Final = pa.schema(
    [
        pa.field("time", TIME, nullable=False),
        pa.field("sender", pa.string()),
        pa.field("recipient", pa.string(), nullable=False),
        pa.field("body", pa.string()),  # null unless its recipient handed it over
    ]
)

TRANSFERS: Final = pa.schema(
    [
        pa.field("time", TIME, nullable=False),
        pa.field("subscriber", pa.string(), nullable=False),
        pa.field("from_account", pa.string()),
        pa.field("to_account", pa.string()),
        pa.field("amount", pa.float64()),
        pa.field("currency", pa.string()),
    ]
)

# The small vocabularies, in the order of the codes that stand for them in compiled code; code 0 is null.
RELEASED_BY: Final = ("caller", "callee", "network")
INGRESS: Final = ("subscriber", "domestic", "international")
SUBSCRIBER, DOMESTIC, INTERNATIONAL = 1, 2, 3
BY_CALLER, BY_CALLEE = 1, 2
ATTESTATION: Final = ("A", "B", "C")

_LEDGER = pa.list_(
    pa.struct(
        [
            pa.field("at", TIME),
            pa.field("call_id", pa.string()),
            pa.field("caller", pa.string()),
            pa.field("what", pa.string()),
            pa.field("bits", pa.float64()),
        ]
    )
)
_EPISODES = pa.list_(
    pa.struct(
        [
            pa.field("raised_at", TIME),
            pa.field("call_id", pa.string()),
            pa.field("began_at", TIME),
            pa.field("last_call_at", TIME),
            pa.field("closed_at", TIME),
            pa.field("quiet_s", pa.float64()),
            pa.field("calls", pa.int64()),
            pa.field("calls_at_alert", pa.int64()),
        ]
    )
)

_REACH = pa.struct(
    [
        pa.field("numbers", pa.list_(pa.string())),
        pa.field("cell", pa.string()),
        pa.field("on_call", pa.bool_()),
    ]
)
_MONEY = pa.struct(
    [
        pa.field("moved", pa.float64()),
        pa.field("at_risk", pa.float64()),
        pa.field("currency", pa.string()),
        pa.field(
            "transfers",
            pa.list_(
                pa.struct(
                    [
                        pa.field("at", TIME),
                        pa.field("amount", pa.float64()),
                        pa.field("new_payee", pa.bool_()),
                    ]
                )
            ),
        ),
    ]
)

_DEMAND = pa.struct(
    [
        pa.field("amount", pa.float64()),
        pa.field("currency", pa.string()),
        pa.field("account", pa.string()),
        pa.field("account_kind", pa.string()),
        pa.field("deadline", pa.string()),
        pa.field("deadline_at", TIME),
    ]
)
PLACES: Final = ("amount", "account", "deadline", "threat")
"""Pieces of a text whose places an alert tells: first character, and the one after the last."""

ALERTS: Final = pa.schema(
    [
        pa.field("alert_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("subject", pa.string(), nullable=False),
        pa.field("callee", pa.string()),  # of alerts about single calls
        pa.field("trunk", pa.string()),
        pa.field("raised_at", TIME, nullable=False),
        pa.field("closed_at", TIME),
        pa.field("call_id", pa.string()),
        pa.field("case", pa.string()),
        pa.field("bits", pa.float64()),
        pa.field("probability", pa.float64()),
        pa.field("hypothesis", pa.string()),
        pa.field("calls", pa.int64()),
        pa.field("quiet_s", pa.float64()),
        pa.field("episodes", _EPISODES),
        pa.field("ledger", _LEDGER),
        # of scam calls
        pa.field("stage", pa.string()),
        pa.field("stages", pa.list_(pa.struct([pa.field("stage", pa.string()), pa.field("at", TIME)]))),
        pa.field("grip_began_at", TIME),
        pa.field("reach", _REACH),
        pa.field("money", _MONEY),
        pa.field("missing", pa.list_(pa.string())),
        pa.field("watch", pa.bool_()),
        # of alerts about texts
        pa.field("text_id", pa.string()),
        pa.field("demand", _DEMAND),
        pa.field("places", pa.struct([pa.field(name, pa.list_(pa.int32())) for name in PLACES])),
    ]
)
