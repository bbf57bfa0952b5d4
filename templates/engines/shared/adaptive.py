"""How many tasks the other end can take at once, found as it runs.

    slow start ──▶ ratio of latencies ──▶ more, or fewer
                        │      ▲
        every so often, ▼      │ how long a task takes when fewer are in flight
                       probe ──┘
    a refusal ──▶ as many as were not refused, then slowly up again;
                  refused with nothing else in flight: a rate, found in the same way

Little's law makes latency the measure: beyond what the other end can take, more tasks in flight
only wait longer. Pure: it is told the time and the outcomes, and says how many may be in flight.
"""

from __future__ import annotations

from collections.abc import Callable

from .pacing import Bucket

FEW = 4  # tasks in flight at first
START = 16  # tasks in flight before there is any answer, at most
RAMP = 0.005  # seconds in which the tasks in flight may double: refusals mostly come sooner
GROWTH = 8  # times as many after each round trip of the slow start
SAMPLES = 24  # latencies in a mean, at least
# A probe lowers the limit to this share. If tasks wait in a queue, latency falls as much; if the
# server has room, latency does not change. The test is half way between, on a scale of factors.
PROBE = 0.6
TOLERANCE = 1.4  # times the latency at rest that is no queue yet: a limit of 1.4 times the capacity
USED = 0.8  # share of the limit that is in flight where the limit binds
PATIENCE = 40  # mean latencies between two probes
MARGIN = 0.9  # share of the tasks that were not refused: the new limit
TIMEOUTS = 0.1  # share of the tasks in flight that may time out: some hang by themselves
PERIOD = 1.0  # seconds: the shortest period in which servers usually count
CAUTION = 0.97  # share of the rate that was found
SLOWER = 1.1  # times as long between two tasks, at most, after each cut
BACKOFF = 0.125  # seconds without a task after a refusal that names no time; doubled each time
RISE = 0.0015  # share of the rate, added each second; more the longer nothing is refused
CALM = 20.0  # seconds without a refusal after which RISE has doubled


class AdaptiveLimit:
    """A limit of 1 to `most` tasks in flight. Once `rate` is known, it paces them as well."""

    def __init__(
        self, most: int, now: float, has_memory: Callable[[], bool] = lambda: True
    ) -> None:
        self.most, self._has_memory = most, has_memory
        self.rate: Bucket | None = None
        self._limit = float(min(START, most))
        self._ramp, self._ramped = float(min(FEW, most)), now
        self._slow_start, self._probing = True, False
        self._base = 0.0  # latency at rest; 0 while it is unknown
        self._last = 0.0  # the mean latency before
        self._means = 0  # since the last probe
        self._probed = 0.0  # the limit at that time
        self._ceiling = float(most + 1)  # tasks in flight when one was refused
        self._refused = self._flight = 0  # refusals since the last cut; in flight at that time
        self._cut = -1.0  # when the last cut was
        self._backoff = BACKOFF
        self._granted, self._epoch = 0, now  # tasks that were accepted since that time
        self._before = 0, now, 0.0  # the same before the last cut, and seconds between two tasks
        self._raised = now  # when the rate was last raised
        self._used = False  # did the limit bind, since the present mean began?
        self._open(now)

    def places(self, now: float) -> int:
        """Tasks that may be in flight now."""
        target = self._target
        if self._ramp < target:
            doublings = min(32.0, (now - self._ramped) / RAMP)
            target = min(target, self._ramp * 2.0**doublings)
        self._ramp, self._ramped = target, now
        return int(target)

    def ramping(self) -> bool:
        """Whether more tasks may be in flight in a moment."""
        return self._ramp < self._target

    @property
    def _target(self) -> float:
        return max(1.0, self._limit * (PROBE if self._probing else 1.0))

    def succeeded(self, now: float, seconds: float, busy: int) -> None:
        """Note a success after so many seconds, with `busy` tasks in flight, this one included."""
        if not self._granted and self._cut < 0:  # until then there was nothing to refuse
            self._epoch = now - seconds
        self._granted += 1
        self._finished += 1
        self._backoff = BACKOFF
        self._used = self._used or busy >= USED * int(self._target)
        quick = seconds <= TOLERANCE * self._base or not self._base
        if self._slow_start and self._used and quick and self._may_grow:
            self._limit = min(self._limit + GROWTH - 1, self.most)
        if now - seconds >= self._since:
            self._count += 1
            self._total += seconds
            if self._count >= self._wanted:
                self._adapt(now, self._total / self._count)
                self._open(now)
        if self.rate is not None:
            self._raise_rate(self.rate, now)

    def refused(
        self, now: float, seconds: float, busy: int, after: float | None, *, timeout: bool = False
    ) -> float:
        """Note a refusal or a timeout. Return for how many seconds no task may begin."""
        if now - seconds > self._cut:  # it began after the last cut, and tells something new
            self._cut, self._refused, self._flight = now, 0, busy
            self._before = self._granted, self._epoch, self.rate.gap if self.rate else 0.0
            self._backoff *= 2
        self._refused += 1
        if timeout and self._refused <= TIMEOUTS * self._flight:
            return 0.0
        accepted = self._flight - self._refused
        self._slow_start = self._probing = False
        self._open(now)
        crowded = self.rate is None or self._flight >= USED * int(self._limit)
        if accepted > 0 and crowded and after is None:
            self._ceiling = accepted + 1.0
            self._limit = max(1.0, min(self._limit, MARGIN * accepted))
            return 0.0
        pause = self._backoff if after is None else after
        self._lower_rate(now + pause, seconds, accepted)
        return pause

    def bound_by(self, in_flight: float) -> str | None:
        """Say what keeps the limit down, if so many were in flight on average; None if nothing."""
        if self.rate is not None:
            return f"the other end: it refused more than about {1 / self.rate.gap:.3g}/s"
        if in_flight < PROBE * self._limit or self._slow_start:
            return None
        if not self._may_grow:
            return "memory: there is none for more tasks in flight"
        if self._limit < self.most:
            return f"the other end: more than about {self._limit:.0f} in flight were no faster"
        return None

    def _open(self, now: float) -> None:
        """Begin a new mean latency, of tasks that begin from now on."""
        self._since, self._count, self._total = now, 0, 0.0
        self._finished = 0  # since then, whenever they began
        self._wanted, self._used = max(SAMPLES, self._target), False
        self._may_grow = self._has_memory()

    def _adapt(self, now: float, mean: float) -> None:
        last, self._last = self._last, mean
        if self._probing:
            if mean < last * PROBE**0.5:  # tasks waited for each other: fewer are as fast
                self._limit *= PROBE
            else:
                self._base, self._probing, self._means = mean, False, 0
                self._probed = self._limit
        elif not self._base:
            self._base = mean
        elif self._used:
            self._means += 1
            ratio = max(0.5, TOLERANCE * min(1.0, self._base / mean))
            if self._slow_start and ratio >= 1:
                return
            if self._slow_start:  # it went too far: Little's law says how many were enough
                self._limit = self._finished / (now - self._since) * self._base
                ratio = TOLERANCE
            fell = self._limit * ratio < PROBE * self._probed
            self._probing = self._slow_start or fell or self._means >= PATIENCE
            self._slow_start = False
            self._limit = max(1.0, min(self._raised_limit(ratio), self.most))

    def _raised_limit(self, ratio: float) -> float:
        if ratio < 1 or not self._may_grow:
            return self._limit * min(1.0, ratio) + self._may_grow
        if self._limit > self._ceiling + 2:  # nothing was refused where it once was
            self._ceiling = self.most + 1.0
        if self._limit * ratio < self._ceiling:
            return self._limit * ratio + 1
        return max(self._limit, MARGIN * self._ceiling) + 1

    def _lower_rate(self, resume: float, seconds: float, accepted: int) -> None:
        """Lower the rate: not too many tasks are in flight, but too many begin in a time.

        What was granted since the last cut, the pause included, is what the other end allows.
        """
        self._limit, self._ceiling = float(min(max(START, accepted), self.most)), self.most + 1.0
        granted, epoch, gap = self._before
        self._granted, self._epoch, self._raised = -accepted, resume, resume
        if granted + accepted > 0:
            gap_now = max(PERIOD, resume - seconds - epoch) / (granted + accepted) / CAUTION
            self.rate = self.rate or Bucket(gap_now)
            self.rate.gap = max(gap, min(gap_now, gap * SLOWER) if gap else gap_now)

    def _raise_rate(self, rate: Bucket, now: float) -> None:
        calm = now - self._epoch
        if (elapsed := now - self._raised) > PERIOD:
            rate.gap /= 1 + RISE * elapsed * (1 + (calm / CALM) ** 2)
            self._raised = now
