"""How requests behave: what they may take, what is tried again, what is sent with each."""

CONNECT = 5.0  # seconds to connect: a host that is there answers within one or two round trips
READ = 15.0  # seconds without a byte from the server, before its answer or in the middle of it
TOTAL = 60.0  # seconds that one try may take, redirects and body included
MAX_BODY = 10 << 20  # bytes, unpacked: 10 MB is far more than a page, and 100 at once fit in memory
MAX_HEADER = 1 << 16  # bytes of a line of an answer's headers: urllib3 has that limit too
REDIRECTS = 5  # more is a loop, or near enough
PER_HOST: int | None = None  # requests at once to one host, in one process; None: no limit

# After one of these, the engine sends the request again, if it may be sent twice or met a 429.
BUSY = frozenset({429, 503})  # not now: again when the server says, the whole run waits until then
BROKEN = frozenset({502, 504})  # a proxy without its server: again, RETRIES of settings.py times
LONGEST_WAIT = 86_400.0  # seconds: a server that asks for more than a day will not answer this run

# What is sent unless the item says otherwise. Many servers turn away a library's own name.
HEADERS = {
    "User-Agent": __package__ or "python",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
}
