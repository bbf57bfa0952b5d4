"""hashlib: a key made from a password, in one long native call."""

import hashlib


def work(number):
    return hashlib.pbkdf2_hmac("sha256", b"password %d" % number, b"salt", 20_000).hex()


def items(folder):
    return list(range(200))
