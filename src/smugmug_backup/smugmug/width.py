"""How many downloads run at a time: more while more of them bring more."""

_GAIN = 1.05
"""More by so much is more; below it is what any two moments differ by."""
_EACH = 64 * 1024
"""A download counts as its bytes and so many more: small ones cost the way there."""
_ROUNDS = 2
_LONG = 10.0
"""Seconds after which a window ends though its downloads have not."""
_HOLD = 12
_CALM = 2.0


class Width:
    """The number of places, ``now``, found by trying; for one lane, which locks.

    Looked at in windows: the time in which twice as many downloads ended as run at a time, or ten
    seconds.

    =========================================  =================================================
    in a window                                then
    =========================================  =================================================
    nobody had to wait for a place             as many: something else is what bounds
    the first with so many                     a quarter more are tried
    a quarter more were tried, and more came   a quarter more are tried
    they were tried, and no more came          as many as before, for 12 windows
    as many as before, and the 12 are over     a quarter more are tried
    the host asked for less (429, 5xx)         half, at once; for two seconds and 12 windows
    =========================================  =================================================

    Never less than one, never more than ``most``.
    """

    def __init__(self, *, start: int, most: int) -> None:
        self.now = min(start, most)
        self._most = most
        self._tried_from: tuple[int, float] | None = None
        self._hold = 0
        self._calm_until = float("-inf")
        self._begin: float | None = None
        self._new_window()

    def wanted(self) -> None:
        """Somebody has to wait for a place."""
        self._wanted = True

    def came(self, size: int) -> None:
        """So many bytes more."""
        self._came += size

    def ended(self, moment: float) -> bool:
        """A download ended; returns whether there are more places now."""
        if self._begin is None:
            # What is under way when a window begins is not its own.
            self._new_window(moment)
            return False
        self._ends += 1
        self._came += _EACH
        lasted = moment - self._begin
        if lasted <= 0 or (self._ends < _ROUNDS * self.now and lasted < _LONG):
            return False
        before = self.now
        if self._wanted and moment >= self._calm_until:
            self._judge(self._came / lasted)
        self._new_window(moment)
        return self.now > before

    def complained(self, moment: float) -> None:
        """The host asks for less."""
        self.now = max(1, self.now // 2)
        self._tried_from, self._hold = None, _HOLD
        self._calm_until = moment + _CALM
        self._new_window()

    def _judge(self, rate: float) -> None:
        if self._tried_from is not None:
            before, least = self._tried_from
            self._tried_from = None
            if rate < least * _GAIN:
                self.now, self._hold = before, _HOLD
                return
        elif self._hold:
            self._hold -= 1
            return
        if self.now < self._most:
            self._tried_from = (self.now, rate)
            self.now = min(self._most, self.now + max(1, self.now // 4))

    def _new_window(self, moment: float | None = None) -> None:
        self._begin = moment
        self._came = self._ends = 0
        self._wanted = False
