"""bcrypt: a password checked."""

import bcrypt

SALT = b"$2b$07$abcdefghijklmnopqrstuu"


def work(number):
    return bcrypt.hashpw(
        f"password {number}".encode(), b"$2b$07$" + b"abcdefghijklmnopqrstuu"
    ).hex()


def items(folder):
    return list(range(150))
