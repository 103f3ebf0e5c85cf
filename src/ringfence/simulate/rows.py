"""Calls as the city makes them, before they are put into words: one flat record each.

A party is an int64: -(line + 1) for a line of the city, 0 for a withheld number, else a number as in `model.numbers`.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

ROW: Final = np.dtype(
    [
        ("start", "i8"),  # µs since 1970, as are answer and end
        ("answer", "i8"),  # -1: not answered
        ("end", "i8"),
        ("caller", "i8"),
        ("callee", "i8"),
        ("caller_device", "i8"),  # 0: as usual; else a device
        ("callee_device", "i8"),
        ("cell", "i4"),  # 0: as usual; else 1 + the cell
        ("episode", "i4"),  # 1 + the episode, and a second one
        ("episode2", "i4"),
        ("trunk", "i2"),  # 0: as usual; else 1 + the trunk group
        ("cause", "i2"),
        ("released", "u1"),  # 0: as usual; 1 caller, 2 callee, 3 network
        ("ingress", "u1"),  # 0: as usual; 1 subscriber, 2 domestic, 3 international
        ("role", "u1"),
        ("role2", "u1"),
        ("firm", "u1"),  # happens even if somebody is engaged
    ],
    align=True,
)
Rows = npt.NDArray[Any]

ROLES: Final = (
    "",
    "attack",
    "cold_call",
    "hand_over",
    "grip",
    "follow_up",
    "fraud",
    "forged_fixed_line",
    "forged_service",
    "forged_unallocated",
    "forged_malformed",
    "forged_mobile_active",
    "forged_mobile_quiet",
    "forged_state_organ",
    "forged_bank",
    "forged_own_number",
    "roamer",
    "emergency_call_back",
    "look_alike",
)
"""What a call is in the truth, by code."""
ROLE: Final = {name: code for code, name in enumerate(ROLES)}

BY_CALLER, BY_CALLEE, BY_NETWORK = 1, 2, 3

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 3_600 * SECOND
DAY: Final = 24 * HOUR


def rows_of(
    start: Any, caller: Any, callee: Any, ring: Any, talk: Any, cause: Any = 0, **more: Any
) -> Rows:  # fmt: skip
    """Rows of calls; all arguments are scalars or arrays of the length of `start`.

    Args:
        start: µs.
        caller: party.
        callee: party.
        ring: s until the answer, or until it was given up.
        talk: s; NaN: not answered.
        cause: Q.850; 0: 16 if answered, else 19.
        more: other fields of ROW.
    """
    start = np.atleast_1d(np.asarray(start, np.int64))
    rows = np.zeros(len(start), ROW)
    talk = np.broadcast_to(np.asarray(talk, np.float64), start.shape)
    answered = ~np.isnan(talk)
    rung = start + (np.asarray(ring, np.float64) * SECOND).astype(np.int64)
    rows["start"] = start
    rows["answer"] = np.where(answered, rung, -1)
    rows["end"] = np.where(answered, rung + (np.nan_to_num(talk) * SECOND).astype(np.int64), rung)
    rows["caller"], rows["callee"] = caller, callee
    rows["cause"] = np.where(np.asarray(cause) > 0, cause, np.where(answered, 16, 19))
    for name, values in more.items():
        rows[name] = values
    return rows


def no_rows() -> Rows:
    """None."""
    return np.zeros(0, ROW)
