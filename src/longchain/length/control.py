"""Closed-loop length control: how much to ask a model for, section by section.

lengths of the replies so far -> `LengthDecision` (ask for more, keep, trim or rewrite)

After every reply the controller shares the length that remains among the sections that remain. It
estimates how much the model writes per unit asked (its bias) and the longest reply that it gives
(its cap), and corrects the next request by them.

Knows lengths only, all in the plan's unit; does not know texts, prompts or models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from longchain.document import Unit
from longchain.errors import LengthError

MAX_LENGTH = 2_000_000
"""The longest document that can be requested, in words or characters."""

SPREAD = 0.25
"""Assumed log-normal spread of reply lengths around the model's mean.

`benchmarks/length.py` simulates the same spread.
"""

STEADY_SPREAD = 0.03
"""Spread of a model that always hits its mean: the second hypothesis of the bias estimate."""

BIAS_PRIOR_SPREAD = 0.4
"""Standard deviation of the log-bias before any reply.

It expects 95 % of models to write between 0.45 and 2.2 times the length that they are asked for.
"""

CAP_PRIOR = 0.2
"""Prior probability that the model caps the length of its replies."""

MAX_RECENT_REPLIES = 24
"""Replies that the bias estimate uses.

Enough for a stable estimate, few enough to be fast and to follow a model that drifts.
"""

MIN_SECTION_SHARE = 0.6
"""A section shorter than this share of its target is extended, even if later ones could absorb it.

With a spread of 0.25, 2 % of an unbiased model's replies are shorter, which keeps the calls per
section near 1.05.
"""

ABSORBABLE_SHARE = 0.3
"""Share of the remaining planned length by which one section's error may change it."""

DOCUMENT_TOLERANCE = 0.03
"""Relative error of the whole document that the last sections do not correct: 1.5 points of S_l."""

INDEPENDENT_TOLERANCE = 0.1
"""Relative error of a section that is not corrected where sections are written independently.

The errors of many sections average out.
"""

MAX_TRIM_SHARE = 0.25
"""Largest share of a section that may be trimmed away."""

REWRITE_RATIO = 2.5
"""A reply this many times longer than the usable length is rewritten instead of trimmed."""

HALF_SENTENCE = 12
"""Half a sentence in words: the resolution of trimming, which cuts at sentence boundaries."""

END_TOLERANCE = 2.0
"""Half sentences that may be missing at a document's end before another request is made."""

CAUTION = 1.6
"""Strength of the reduction of a request while the bias is unknown and errors cannot be absorbed.

The first request for a document of one section asks for 53 % of its length.
"""

MAX_CALLS = 12
"""Requests per section; a model with a cap on its replies needs several."""

Action = Literal["ask", "keep", "trim", "rewrite"]
"""Next action for a section: ask for more text, keep it, trim it, or rewrite it from scratch."""


@dataclass(frozen=True)
class LengthDecision:
    """The controller's decision about a section.

    Runs store the fields under these names in the log of a document.
    """

    action: Action
    """Next action for the section."""

    length: int = 0
    """Length of prose to ask for (`ask`, `rewrite`) or to trim to (`trim`)."""

    least: int = 0
    """Minimum length of prose that `trim` must keep."""


@dataclass
class Bias:
    """Estimates how much a model writes per unit asked, from its replies.

    Bayesian: a posterior over a grid of log-biases, for two hypotheses: the model has no cap, or a
    cap just above its longest reply.
    """

    replies: list[tuple[int, int]] = field(default_factory=list)
    """Requested and written lengths of complete replies (not those cut by a token limit)."""

    _estimate: tuple[float, float | None] | None = None

    def learn(self, asked: int, written: int) -> None:
        """Add a complete reply.

        Args:
            asked: The requested length.
            written: The length of the reply.
        """
        if asked > 0 and written > 0:
            self.replies.append((asked, written))
            self._estimate = None

    def with_reply(self, asked: int, written: int) -> Bias:
        """Return a copy with one more reply."""
        other = Bias(self.replies[-MAX_RECENT_REPLIES:])
        other.learn(asked, written)
        return other

    def estimate(self) -> tuple[float, float | None]:
        """Return the bias (1.0: replies have the requested length) and the cap; None: no cap."""
        if self._estimate is None:
            self._estimate = self._infer()
        return self._estimate

    def _infer(self) -> tuple[float, float | None]:
        recent = self.replies[-MAX_RECENT_REPLIES:]
        if not recent:
            return 1.0, None
        cap = max(written for _, written in self.replies) * 1.01
        free_evidence, free_mean = _posterior(recent, None)
        capped_evidence, capped_mean = _posterior(recent, cap)
        if math.log(CAP_PRIOR) + capped_evidence > math.log(1 - CAP_PRIOR) + free_evidence:
            return math.exp(capped_mean), cap
        return math.exp(free_mean), None


_GRID = [-1.5 + 0.075 * step for step in range(37)]
_ERFC_SCALE = SPREAD * math.sqrt(2)
_CAP_WIDTH = 0.05
"""Relative distance to the cap within which a reply is taken to be limited by it."""


def _posterior(replies: Sequence[tuple[int, int]], cap: float | None) -> tuple[float, float]:
    """Return the log evidence for the replies and the posterior mean of the log-bias."""
    if cap is None:
        points = _log_posterior([math.log(written / asked) for asked, written in replies], [])
        cap_evidence = 0.0
    else:
        limit = cap * (1 - _CAP_WIDTH)
        ratios = [math.log(written / asked) for asked, written in replies if written < limit]
        # A reply at the cap only tells that the model would have written at least as much.
        bounds = [math.log(cap / asked) for asked, written in replies if written >= limit]
        points = _log_posterior(ratios, bounds)
        # Replies at a cap scatter as little as those of a steady model; otherwise ten equal
        # replies to ten equal requests would be taken for a cap. The cap itself has a flat prior.
        cap_evidence = -len(bounds) * math.log(STEADY_SPREAD) + math.log(_CAP_WIDTH / 3)
    highest = max(value for value, _ in points)
    weights = [(math.exp(value - highest), mean) for value, mean in points]
    mass = sum(weight for weight, _ in weights)
    mean = sum(weight * mean for weight, mean in weights) / mass
    return highest + cap_evidence + math.log(mass), mean


def _log_posterior(ratios: Sequence[float], bounds: Sequence[float]) -> list[tuple[float, float]]:
    """Return the log posterior at each log-bias of the grid, once for each spread.

    Args:
        ratios: Log of written over requested length of the replies below the cap.
        bounds: Log of cap over requested length of the replies at the cap.

    Returns:
        Pairs of log posterior (not normalized) and log-bias.
    """
    count, total, squares = len(ratios), sum(ratios), sum(ratio * ratio for ratio in ratios)
    points = []
    for mean in _GRID:
        deviation = squares - 2 * mean * total + count * mean * mean
        at_cap = sum(_log_tail(bound - mean) for bound in bounds)
        for spread in (SPREAD, STEADY_SPREAD):
            fit = -0.5 * deviation / spread**2 - count * math.log(spread)
            points.append((fit + at_cap - 0.5 * (mean / BIAS_PRIOR_SPREAD) ** 2, mean))
    return points


def _log_tail(distance: float) -> float:
    """Return the log probability that a reply is this far above the mean, or farther."""
    return math.log(max(0.5 * math.erfc(distance / _ERFC_SCALE), 1e-12))


class LengthController:
    """Decides, section by section, how much to ask for and how to treat the reply.

    Args:
        planned: Planned lengths of the sections, headings included.
        required: Required length of the whole document; None: the sum of the planned lengths.
        overhead: Length of the text outside sections (the title, chapter headings).
        reserve: Planned length of chapters whose sections are not planned yet.
        unit: Unit of all lengths.
        closed: False for the paper's open loop: ask once for each planned length, keep the reply.
        cautious: False to ask for the whole length at once, however uncertain the bias is.
        max_calls: Maximum number of requests per section.
        together: False where sections are written independently: each keeps its own target.
        budgets: The former name of `planned`.
        most_calls: The former name of `max_calls`.
    """

    def __init__(
        self,
        planned: Sequence[int] | None = None,
        required: int | None = None,
        *,
        overhead: int = 0,
        reserve: int = 0,
        unit: Unit = "words",
        closed: bool = True,
        cautious: bool = True,
        max_calls: int = MAX_CALLS,
        together: bool = True,
        budgets: Sequence[int] | None = None,
        most_calls: int | None = None,
    ) -> None:
        lengths = budgets if planned is None else planned
        if lengths is None:
            raise TypeError("LengthController() is missing the argument 'planned'")
        self.planned = list(lengths)
        self.overhead = overhead
        self.reserve = reserve
        self.required = required or sum(self.planned) + reserve
        self.closed = closed
        self.cautious = cautious
        self.max_calls = max_calls if most_calls is None else most_calls
        self.together = together
        self.half_sentence = HALF_SENTENCE if unit == "words" else 2 * HALF_SENTENCE
        self.bias = Bias()
        self.written: dict[int, int] = {}
        """Lengths of the finished sections, by index."""
        self.fixed: dict[int, int] = {}
        """Sections whose target does not depend on the other sections, by index."""

    def finish(self, section: int, length: int) -> None:
        """Record the length of a finished section, heading included."""
        self.written[section] = length

    def unwritten(self, section: int) -> int:
        """Return the planned length of all unwritten sections but this one."""
        if not self.together or section in self.fixed:
            return 0
        if not self.fixed:  # nearly always; sums in C, since a book asks this thousands of times
            done = sum(map(self.planned.__getitem__, {*self.written, section}))
            return sum(self.planned) - done + self.reserve
        waiting = sum(
            self.fixed.get(index, length)
            for index, length in enumerate(self.planned)
            if index != section and index not in self.written
        )
        return waiting + self.reserve

    def target(self, section: int) -> int:
        """Return the section's share of the length that remains to be written, with heading."""
        planned = self.fixed.get(section, self.planned[section])
        if not self.closed or section in self.fixed:
            return planned
        if not self.together:
            whole = sum(self.planned) + self.reserve
            return max(round(planned * (self.required - self.overhead) / whole), 1)
        done = sum(self.written.values()) - self.written.get(section, 0)
        remaining = self.required - self.overhead - done
        share = remaining * planned / (planned + self.unwritten(section))
        # Even if the earlier sections are far too long, a planned section gets a usable length.
        return max(round(share), planned // 4, 1)

    def budget(self, section: int) -> int:
        """Return `target(section)`, by its former name."""
        return self.target(section)

    def rest(self, section: int) -> int:
        """Return `unwritten(section)`, by its former name."""
        return self.unwritten(section)

    def remaining(self, planned: int, waiting: int) -> int:
        """Return the remaining length for a part of the reserve, before it is planned in detail.

        Args:
            planned: The part's planned length.
            waiting: The planned length of the whole reserve, this part included.
        """
        if not (self.closed and self.together):
            return planned
        left = self.required - self.overhead - sum(self.written.values())
        return max(round(left * planned / waiting), planned // 4, 1)

    def first(self, section: int, heading: int = 0) -> LengthDecision:
        """Decide how much to ask for when the section has no text yet."""
        goal = max(self.target(section) - heading, self.half_sentence)
        if not (self.closed and self.cautious):
            return LengthDecision("ask", goal)
        return LengthDecision("ask", self._request(goal, self.unwritten(section), self.bias))

    def next(
        self,
        section: int,
        length: int,
        *,
        heading: int = 0,
        calls: int = 1,
        bias: Bias | None = None,
    ) -> LengthDecision:
        """Decide how to go on with a section that has text.

        Args:
            section: Its index.
            length: Its length so far, heading included.
            heading: The length of its heading alone.
            calls: Requests made for it so far.
            bias: The bias to assume; None: the controller's own.
        """
        if not self.closed:
            return LengthDecision("keep")
        bias = bias or self.bias
        goal, rest = self.target(section), self.unwritten(section)
        missing = goal - length
        max_missing, max_excess = self._tolerated(section, goal, rest)
        if missing > max_missing:
            if calls >= self.max_calls:
                return LengthDecision("keep")
            return LengthDecision("ask", self._request(missing, rest, bias))
        if -missing > max_excess:
            return self._shorten(length, goal, rest, heading, calls, bias)
        return LengthDecision("keep")

    def _tolerated(self, section: int, goal: int, rest: int) -> tuple[float, float]:
        """Return how much too short and how much too long a section may remain."""
        if not self.together or section in self.fixed:
            tolerance = max(INDEPENDENT_TOLERANCE * goal, self.half_sentence)
            return tolerance, tolerance
        tolerance = max(DOCUMENT_TOLERANCE * self.required, self.half_sentence)
        if not rest:
            return max(tolerance, END_TOLERANCE * self.half_sentence), tolerance
        absorbed = max(ABSORBABLE_SHARE * rest, tolerance)
        return min((1 - MIN_SECTION_SHARE) * goal, absorbed), absorbed

    def _shorten(
        self, length: int, goal: int, rest: int, heading: int, calls: int, bias: Bias
    ) -> LengthDecision:
        """Decide between trimming up to a quarter of the section and rewriting it."""
        prose = length - heading
        usable = goal + round(ABSORBABLE_SHARE * rest) - heading
        minimum = math.ceil(prose * (1 - MAX_TRIM_SHARE))
        if calls == 1 and prose > REWRITE_RATIO * usable and self.cautious:
            request = self._request(max(goal - heading, self.half_sentence), rest, bias)
            return LengthDecision("rewrite", request)
        return LengthDecision("trim", max(usable, minimum), minimum)

    def _request(self, goal: int, rest: int, learned: Bias) -> int:
        """Return the length to ask for, so that the reply has about the length `goal`."""
        bias, cap = learned.estimate()
        pieces = 1
        if cap is not None:
            pieces = max(1, math.ceil(goal / (0.95 * cap)))
        caution = self._caution(goal, rest, len(learned.replies))
        return max(round(goal / pieces / bias * caution), 5)

    def _caution(self, goal: int, rest: int, replies: int) -> float:
        """Return the factor that reduces a request where an excess could not be absorbed.

        It is smaller the less is known of the bias: a shortage costs one more call, an excess is
        thrown away.
        """
        uncertainty = SPREAD + (BIAS_PRIOR_SPREAD - SPREAD) / (1 + replies)
        exposure = goal / (goal + ABSORBABLE_SHARE * rest)
        # One section of a long document risks little of its length.
        stake = goal / self.required
        return math.exp(-CAUTION * uncertainty * exposure * stake)


def check(required: int) -> int:
    """Return a required length if a document of this length can be written.

    Raises:
        LengthError: It is below 1 or above 2,000,000.
    """
    if isinstance(required, bool) or not isinstance(required, int):
        raise LengthError(f"a length is a whole number, not {required!r}")
    if not 1 <= required <= MAX_LENGTH:
        raise LengthError(
            f"a length of {required:,} cannot be written: give one from 1 to {MAX_LENGTH:,}"
        )
    return required
