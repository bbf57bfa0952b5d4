"""What a call may take and cost, and what is tried again."""

MAX_TOKENS = 1024  # in one answer; a longer answer ends with "finish": "length"
MAX_TOKENS_FIELD = "max_tokens"  # what the API calls it; some models want max_completion_tokens

# In any currency, for a million tokens: of what is sent, and of what comes back.
PRICE_IN = 0.0
PRICE_OUT = 0.0
MAX_COST: float | None = None  # of a run, in that currency: it stops before it may cost more

CONNECT = 5.0  # seconds to connect: a host that is there answers within one or two round trips
READ = 300.0  # seconds without a byte: a model may think for minutes before its first
TOTAL = 600.0  # seconds that one try may take
MAX_BODY = 10 << 20  # bytes of an answer
MAX_HEADER = 1 << 16  # bytes of a line of an answer's headers: urllib3 has that limit too
REDIRECTS = 0  # an API that moved is a wrong API_URL
PER_HOST: int | None = None  # requests at once to one host; None: no limit

# After one of these, the engine makes the call again, with the same Idempotency-Key.
BUSY = frozenset({429, 503, 529})  # again when the server says; the whole run waits until then
BROKEN = frozenset({408, *range(500, 600)}) - BUSY  # again, RETRIES of settings.py times
LONGEST_WAIT = 86_400.0  # seconds: a server that asks for more than a day will not answer this run

HEADERS = {"User-Agent": __package__ or "python", "Accept": "application/json"}
