"""``PatchClock``: the seconds of a search, for many patches of a picture."""

import math
import time


class PatchClock:
    """Shares out the seconds of a search among patches.

    A patch that takes longer than its share has been looked ahead in: from then on this is what a lookahead takes, and
    patches with a smaller share do without.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.perf_counter() + seconds if seconds else -math.inf
        self._lookahead = 0.0

    def share(self, patches: int) -> tuple[float, bool]:
        """Seconds for each of the ``patches`` to come, and whether a lookahead fits into them."""
        share = max(0.0, self._end - time.perf_counter()) / patches
        return share, share >= self._lookahead

    def note(self, share: float, seconds: float) -> None:
        """A patch that was to take ``share`` has taken ``seconds``."""
        if 0 < share < seconds:
            self._lookahead = max(self._lookahead, seconds)
