"""What can be said of a shown number by itself: one small integer, kept once for each caller.

The low five bits are the class; above them are three flags that the operator's own lists set.
"""

from typing import Final

WITHHELD: Final = 0  # no number was shown
NAME: Final = 1  # a SIP user or other text
LOCAL: Final = 2  # digits without a country code, of which the plan says nothing
FOREIGN: Final = 3  # a number of another country's plan
FIXED: Final = 4
MOBILE: Final = 5
FIXED_OR_MOBILE: Final = 6  # the plan does not tell them apart (North America)
TOLL_FREE: Final = 7
PREMIUM: Final = 8
SERVICE: Final = 9  # hotlines and other service numbers that also call, or may
OTHER: Final = 10  # internet, personal and company-wide numbers, pagers
EMERGENCY: Final = 11  # never flagged within the country
STATE: Final = 12  # a state organ's number that also calls, or may
STATE_NEVER: Final = 13  # one that never calls
BANK: Final = 14
BANK_NEVER: Final = 15
INBOUND: Final = 16  # any other number that can only be called
LISTED: Final = 17  # on the operator's do-not-originate list
UNALLOCATED: Final = 18  # own country code, but no such number in the plan
NO_SUCH_FOREIGN: Final = 19  # another country's code, but no such number in its plan
NO_COUNTRY: Final = 20  # a country code that is not assigned
MALFORMED: Final = 21  # cannot be a number at all
ALLOWED: Final = 22  # on the operator's allow list, which outranks everything

NAMES: Final = (
    "withheld", "name", "local", "foreign", "fixed", "mobile", "fixed_or_mobile", "toll_free", "premium", "service",
    "other", "emergency", "state", "state_never", "bank", "bank_never", "inbound", "listed", "unallocated",
    "no_such_foreign", "no_country", "malformed", "allowed",
)  # fmt: skip
"""The classes by their names in country packs; the place is the class."""

CLASS_BITS: Final = 31
OWN: Final = 32  # the operator's own subscriber, not ported out
ABROAD: Final = 64  # may arrive from abroad: a customer on foreign nodes or in a cloud
ROAMING: Final = 128  # as a called number: lent to a visitor's phone, so the call comes back from abroad
