"""An exception of the user's code in one line."""


def describe(error: BaseException) -> str:
    """Return the type and the first line of an exception, even when its own text cannot be had."""
    try:
        text = f"{type(error).__name__}: {error}".partition("\n")[0]
    except Exception:
        text = type(error).__name__
    return text[:200]
