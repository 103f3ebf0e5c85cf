"""Check digits of cards, accounts and wallets."""

from hashlib import sha256


def luhn(digits: str) -> bool:
    """Whether the check digit of a card agrees (ISO/IEC 7812-1)."""
    total = 0
    for n, character in enumerate(reversed(digits)):
        value = int(character) * (1 + n % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def mod97(iban: str) -> bool:
    """Whether the check digits of an IBAN agree (ISO 13616)."""
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def base58check(address: str) -> bool:
    """Whether a Bitcoin or TRON address ends with its checksum."""
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    value = 0
    for character in address:
        place = alphabet.find(character)
        if place < 0:
            return False
        value = value * 58 + place
    if value.bit_length() > 200:
        return False
    raw = value.to_bytes(25, "big")
    return sha256(sha256(raw[:21]).digest()).digest()[:4] == raw[21:]
