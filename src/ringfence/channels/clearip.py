"""The JSON that ClearIP posts to an alert URL, so that what listens to it can listen to Ringfence instead.

The keys are those of ClearIP's documentation (docs.clearip.com, API, fraud); docs/webhooks.md says what stands in each. ClearIP
posts once, when an event begins, so alerts are told when they are raised and when they return.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from ringfence.channels.channel import Event

NAME: Final = "clearip"
TITLE: Final = "JSON with the keys of ClearIP's alert POST, for what listens to that already"
CONTENT_TYPE: Final = "application/json"

TELLS: Final = ("alert.raised", "alert.reopened")
WORDS: Final = {
    "flood": "call-flood-by-called-number",
    "scam_call": "scam-call-by-called-number",
    "forged_caller": "forged-caller-by-calling-number",
    "fraud_line": "fraud-line-by-calling-number",
    "extortion_text": "extortion-text-by-called-number",
    "gang": "gang",
}
"""`type` by kind of alert, in ClearIP's way of naming: what, and the number that it hangs on."""

_CALLING: Final = ("forged_caller", "fraud_line")
"""Kinds whose subject is the number that calls."""
_CALLED: Final = ("flood", "scam_call", "extortion_text")
"""Kinds whose subject is the number that is called."""
_IDS: Final = uuid.uuid5(uuid.NAMESPACE_URL, "https://ringfence.invalid/alerts")


def body(event: Event) -> bytes:
    """ClearIP's object: what Ringfence does not know is null."""
    alert = event.alert
    # one that has returned began with its newest episode
    newest = (alert.get("episodes") or [alert])[-1]
    began, ended = _milliseconds(newest["raised_at"]), _milliseconds(alert.get("closed_at"))
    return orjson.dumps(
        {
            "action": "report-only",
            "actionEndTime": ended,
            "actionStartTime": began,
            "actionTime": None if began is None or ended is None else round((ended - began) / 60_000),
            "alertEmail": None,
            "alertPhone": None,
            "alertUrl": None,
            "bucketSize": None,
            "calledCountry": None,
            "calledNumber": _digits(_called(alert)),
            "callingNumber": _digits(_calling(alert)),
            "fraudScore": alert.get("bits"),
            "fraudScoreThreshold": None,
            "group": None,
            "id": str(uuid.uuid5(_IDS, event.id)),
            "operator": None,
            "reseller": None,
            "serviceProvider": None,
            "type": WORDS.get(alert["kind"], alert["kind"].replace("_", "-")),
            "user": None,
        }
    )


def _called(alert: Mapping[str, Any]) -> str | None:
    called: str | None = alert["subject"] if alert["kind"] in _CALLED else alert.get("callee")
    return called


def _calling(alert: Mapping[str, Any]) -> str | None:
    """The number that calls; where many do, that of the call which decided."""
    if alert["kind"] in _CALLING:
        return str(alert["subject"])
    deciding = alert.get("call_id")
    callers = [
        each.get("caller") for each in alert.get("ledger") or () if deciding and each["call_id"] == deciding
    ]
    return callers[-1] if callers else None


def _digits(number: str | None) -> str | None:
    """ClearIP writes numbers without a plus sign."""
    return None if number is None else number.removeprefix("+")


def _milliseconds(time: str | None) -> int | None:
    return None if time is None else round(datetime.fromisoformat(time).timestamp() * 1000)
