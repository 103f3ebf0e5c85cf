"""Why a call ended: the words of Asterisk and FreeSWITCH as causes of ITU-T Q.850.

FreeSWITCH's names are the `switch_call_cause_t` of its `switch_types.h`; up to 127 their numbers are Q.850's own. Those
above are its inventions; each is given the cause that a PSTN gateway would send for it (SIP codes by RFC 3398), or none
where the name tells of nothing that Q.850 knows.

Asterisk's dispositions are those of `cdr.c`; the causes are the aliases of its `causes.h` (`AST_CAUSE_NORMAL`,
`AST_CAUSE_NOANSWER`, `AST_CAUSE_BUSY`, `AST_CAUSE_FAILURE`, `AST_CAUSE_CONGESTION`), by which it files them.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.ingest._cells import matches

ASTERISK: Final[dict[str, int]] = {
    "ANSWERED": 16,
    "NO ANSWER": 19,
    "BUSY": 17,
    "FAILED": 38,
    "CONGESTION": 34,
}

FREESWITCH: Final[dict[str, int | None]] = {
    "NONE": None,
    "UNSPECIFIED": None,
    "UNALLOCATED_NUMBER": 1,
    "NO_ROUTE_TRANSIT_NET": 2,
    "NO_ROUTE_DESTINATION": 3,
    "CHANNEL_UNACCEPTABLE": 6,
    "CALL_AWARDED_DELIVERED": 7,
    "NORMAL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "SUBSCRIBER_ABSENT": 20,
    "CALL_REJECTED": 21,
    "NUMBER_CHANGED": 22,
    "REDIRECTION_TO_NEW_DESTINATION": 23,
    "EXCHANGE_ROUTING_ERROR": 25,
    "DESTINATION_OUT_OF_ORDER": 27,
    "INVALID_NUMBER_FORMAT": 28,
    "FACILITY_REJECTED": 29,
    "RESPONSE_TO_STATUS_ENQUIRY": 30,
    "NORMAL_UNSPECIFIED": 31,
    "NORMAL_CIRCUIT_CONGESTION": 34,
    "NETWORK_OUT_OF_ORDER": 38,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "SWITCH_CONGESTION": 42,
    "ACCESS_INFO_DISCARDED": 43,
    "REQUESTED_CHAN_UNAVAIL": 44,
    "PRE_EMPTED": 45,
    "FACILITY_NOT_SUBSCRIBED": 50,
    "OUTGOING_CALL_BARRED": 52,
    "INCOMING_CALL_BARRED": 54,
    "BEARERCAPABILITY_NOTAUTH": 57,
    "BEARERCAPABILITY_NOTAVAIL": 58,
    "SERVICE_UNAVAILABLE": 63,
    "BEARERCAPABILITY_NOTIMPL": 65,
    "CHAN_NOT_IMPLEMENTED": 66,
    "FACILITY_NOT_IMPLEMENTED": 69,
    "SERVICE_NOT_IMPLEMENTED": 79,
    "INVALID_CALL_REFERENCE": 81,
    "INCOMPATIBLE_DESTINATION": 88,
    "INVALID_MSG_UNSPECIFIED": 95,
    "MANDATORY_IE_MISSING": 96,
    "MESSAGE_TYPE_NONEXIST": 97,
    "WRONG_MESSAGE": 98,
    "IE_NONEXIST": 99,
    "INVALID_IE_CONTENTS": 100,
    "WRONG_CALL_STATE": 101,
    "RECOVERY_ON_TIMER_EXPIRE": 102,
    "MANDATORY_IE_LENGTH_ERROR": 103,
    "PROTOCOL_ERROR": 111,
    "INTERWORKING": 127,
    "SUCCESS": 16,
    "ORIGINATOR_CANCEL": 16,  # a caller who gives up releases with normal clearing
    "CRASH": 41,
    "SYSTEM_SHUTDOWN": 41,
    "LOSE_RACE": 26,  # non-selected user clearing: another phone was picked up
    "MANAGER_REQUEST": 16,
    "BLIND_TRANSFER": 16,
    "ATTENDED_TRANSFER": 16,
    "ALLOTTED_TIMEOUT": 16,
    "USER_CHALLENGE": 21,
    "MEDIA_TIMEOUT": 41,
    "PICKED_OFF": 26,
    "USER_NOT_REGISTERED": 20,
    "PROGRESS_TIMEOUT": 102,
    "INVALID_GATEWAY": 3,
    "GATEWAY_DOWN": 38,
    "INVALID_URL": 28,
    "INVALID_PROFILE": 38,
    "NO_PICKUP": 19,
    "SRTP_READ_ERROR": 41,
    "BOWOUT": 16,
    "BUSY_EVERYWHERE": 17,
    "DECLINE": 21,
    "DOES_NOT_EXIST_ANYWHERE": 1,
    "NOT_ACCEPTABLE": 88,
    "UNWANTED": 21,
    "NO_IDENTITY": 21,
    "BAD_IDENTITY_INFO": 21,
    "UNSUPPORTED_CERTIFICATE": 21,
    "INVALID_IDENTITY": 21,
    "STALE_DATE": 21,
    "REJECT_ALL": 21,
}

# Only where the word itself says who it was.
FREESWITCH_RELEASED_BY: Final[dict[str, str]] = {
    "ORIGINATOR_CANCEL": "caller",
    "CALL_REJECTED": "callee",
    "DECLINE": "callee",
    "UNWANTED": "callee",
    "REJECT_ALL": "callee",
    "NO_PICKUP": "callee",
    "SYSTEM_SHUTDOWN": "network",
    "MANAGER_REQUEST": "network",
    "ALLOTTED_TIMEOUT": "network",
    "MEDIA_TIMEOUT": "network",
    "PROGRESS_TIMEOUT": "network",
    "RECOVERY_ON_TIMER_EXPIRE": "network",
}


def causes(
    words: pa.Array, known: dict[str, int] | dict[str, int | None]
) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Return the Q.850 cause (int16, null: none) of each word, and where a word is not known."""
    place = matches(words, tuple(known))
    codes = np.array([-1 if code is None else code for code in known.values()] + [-1, -1], np.int16)
    found = codes[place]  # -1, no word, takes the last
    return pa.array(found, mask=found < 0), place == len(known)


def released_by(words: pa.Array, known: dict[str, str]) -> pa.Array:
    """Return who hung up, where the word tells."""
    place = matches(words, tuple(known))
    place[place == len(known)] = -1
    return pa.array(list(known.values()), pa.string()).take(pa.array(place, mask=place < 0))
