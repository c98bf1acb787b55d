"""Closed-loop length control: what came back so far -> what to ask for next.

The required length is the one dial. After every reply the controller re-budgets what remains over
the sections that remain, learns what the model writes for what it is asked (its bias) and where
its replies end whatever they are asked (its cap), and says what to do with the section at hand:
ask for more, keep it, trim it, or write it once again.

Knows lengths only; knows nothing of texts, prompts or models. All lengths are in the plan's unit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from longchain.document import Unit
from longchain.errors import LengthError

LONGEST = 2_000_000
"""The longest document that may be asked for, in words or characters."""

SPREAD = 0.25
"""Log-normal scatter of a reply's length around what the model writes on average; an assumption,
the same that `benchmarks/length.py` simulates."""

STEADY = 0.03
"""The scatter of a model that hits its mean: the other one that is thought possible."""

PRIOR = 0.4
"""Standard deviation of the log-bias before any reply: 95 % of models are taken to write between
0.45 and 2.2 times what they are asked."""

CAP_PRIOR = 0.2
"""How likely a cap on the length of a reply is before any reply."""

WINDOW = 24
"""How many of the latest replies the estimate looks at: enough to be firm, few enough to be quick
and to follow a model that drifts."""

FAR_UNDER = 0.6
"""A section below this share of its budget is extended at once, though the rest could absorb it.

With a scatter of 0.25 an unbiased model falls below it in 2 % of its replies, which keeps the
calls per section near 1.05."""

ABSORB = 0.3
"""The share of the remaining budgets by which one section's miss may bend them."""

TOLERANCE = 0.03
"""The miss of the whole document that the last sections leave alone: S_l loses 1.5 points."""

ALONE = 0.1
"""The miss of a section that is left alone where sections are written without each other: misses
of many sections average out."""

CUT = 0.25
"""The largest share of a section that may be trimmed away."""

HOPELESS = 2.5
"""A reply this many times over what may be kept is written once again; trimming cannot mend it."""

GRAIN = 12
"""Half a sentence, in words: what trimming at a sentence's edge cannot resolve."""

WORTH_A_CALL = 2.0
"""Half sentences that must be missing at a document's end before one more request is made."""

CAUTION = 1.6
"""How much less is asked for while the bias is unknown, where there is no rest to absorb too much:
a document of one section is first asked for 53 % of its length."""

MOST_CALLS = 12
"""Requests that one section may take; a model that caps its replies needs several."""

Action = Literal["ask", "keep", "trim", "rewrite"]


@dataclass(frozen=True)
class Step:
    """What to do next with a section."""

    action: Action
    """`ask` for more prose, `keep` what is there, `trim` it, or `rewrite` it from nothing."""

    length: int = 0
    """Of prose: to ask for (`ask`, `rewrite`) or to come close to (`trim`)."""

    least: int = 0
    """For `trim`: the least prose to keep."""


@dataclass
class Bias:
    """What a model writes over what it is asked, learnt from its replies.

    A posterior on a grid of log-biases, without a cap and with one just above the longest reply.
    """

    replies: list[tuple[int, int]] = field(default_factory=list)
    """Asked and written lengths of whole replies (not those cut by a token limit)."""

    _estimate: tuple[float, float | None] | None = None

    def learn(self, asked: int, written: int) -> None:
        """Take in one whole reply: what was asked for and what came."""
        if asked > 0 and written > 0:
            self.replies.append((asked, written))
            self._estimate = None

    def with_reply(self, asked: int, written: int) -> Bias:
        """Return a copy that has taken in one more reply."""
        other = Bias(self.replies[-WINDOW:])
        other.learn(asked, written)
        return other

    def estimate(self) -> tuple[float, float | None]:
        """Return the bias (1.0: writes what it is asked) and the cap, or None for no cap."""
        if self._estimate is None:
            self._estimate = self._infer()
        return self._estimate

    def _infer(self) -> tuple[float, float | None]:
        recent = self.replies[-WINDOW:]
        if not recent:
            return 1.0, None
        free, free_mean = _posterior(recent, None)
        cap = max(written for _, written in self.replies) * 1.01
        capped, capped_mean = _posterior(recent, cap)
        if math.log(CAP_PRIOR) + capped > math.log(1 - CAP_PRIOR) + free:
            return math.exp(capped_mean), cap
        return math.exp(free_mean), None


_GRID = [-1.5 + 0.075 * step for step in range(37)]
_WIDTH = 0.05
"""How close to the longest reply another one ends that is held by the same cap."""


def _posterior(replies: Sequence[tuple[int, int]], cap: float | None) -> tuple[float, float]:
    """Return the evidence for the replies and the posterior mean of the log-bias."""
    capped = [asked for asked, written in replies if cap and written >= cap * (1 - _WIDTH)]
    ratios = [math.log(w / a) for a, w in replies if not cap or w < cap * (1 - _WIDTH)]
    # At the cap: all that is known is that it would have written at least so much.
    beyond = [math.log((cap or 1) / asked) for asked in capped]
    count, first, second = len(ratios), sum(ratios), sum(ratio * ratio for ratio in ratios)
    logs = []
    for mean in _GRID:
        scatter = second - 2 * mean * first + count * mean * mean
        held = sum(
            math.log(max(0.5 * math.erfc((far - mean) / (SPREAD * math.sqrt(2))), 1e-12))
            for far in beyond
        )
        for spread in (SPREAD, STEADY):
            fit = -0.5 * scatter / spread**2 - count * math.log(spread)
            logs.append((fit + held - 0.5 * (mean / PRIOR) ** 2, mean))
    top = max(value for value, _ in logs)
    weights = [(math.exp(value - top), mean) for value, mean in logs]
    mass = sum(weight for weight, _ in weights)
    # Replies at a cap scatter as little as those of a steady model, or else ten equal answers to
    # ten equal requests would be taken for a cap; the cap itself could have been anywhere.
    tight = -len(capped) * math.log(STEADY) + (math.log(_WIDTH / 3) if cap else 0.0)
    mean = sum(weight * mean for weight, mean in weights) / mass
    return top + tight + math.log(mass), mean


class LengthController:
    """Decides, section by section, how much to ask for and what to do with what came.

    Args:
        budgets: Planned lengths of the sections, headings included.
        required: The required length of the whole document; None: the sum of the budgets.
        overhead: Length of what stands outside of the sections (the title, chapter headings).
        reserve: Budget of chapters whose sections are not planned yet.
        unit: What the lengths count.
        closed: False for the paper's open loop: ask for each budget once, keep what comes.
        cautious: False to ask for the whole at once, whatever the model may make of it.
        most_calls: Requests that one section may take.
        together: False where sections do not know of each other: each keeps to its own budget.
    """

    def __init__(
        self,
        budgets: Sequence[int],
        required: int | None = None,
        *,
        overhead: int = 0,
        reserve: int = 0,
        unit: Unit = "words",
        closed: bool = True,
        cautious: bool = True,
        most_calls: int = MOST_CALLS,
        together: bool = True,
    ) -> None:
        self.budgets = list(budgets)
        self.overhead = overhead
        self.reserve = reserve
        self.required = required or sum(self.budgets) + reserve
        self.closed = closed
        self.cautious = cautious
        self.most_calls = most_calls
        self.together = together
        self.grain = GRAIN if unit == "words" else 2 * GRAIN
        self.bias = Bias()
        self.written: dict[int, int] = {}
        self.fixed: dict[int, int] = {}
        """Sections with a length of their own, whatever becomes of the rest."""

    def finish(self, section: int, length: int) -> None:
        """Take note of a finished section's length, heading included."""
        self.written[section] = length

    def rest(self, section: int) -> int:
        """Return the planned length of everything unwritten but this section."""
        if not self.together or section in self.fixed:
            return 0
        waiting = sum(
            self.fixed.get(index, budget)
            for index, budget in enumerate(self.budgets)
            if index != section and index not in self.written
        )
        return waiting + self.reserve

    def budget(self, section: int) -> int:
        """Return the section's share of what remains to be written, heading included."""
        planned = self.fixed.get(section, self.budgets[section])
        if not self.closed or section in self.fixed:
            return planned
        if not self.together:
            whole = sum(self.budgets) + self.reserve
            return max(round(planned * (self.required - self.overhead) / whole), 1)
        done = sum(length for index, length in self.written.items() if index != section)
        remaining = self.required - self.overhead - done
        share = remaining * planned / (planned + self.rest(section))
        # However far the earlier sections ran over, a planned section is written in earnest.
        return max(round(share), planned // 4, 1)

    def remaining(self, planned: int, waiting: int) -> int:
        """Return what is left for a part of the reserve that is about to be planned in detail.

        Args:
            planned: The part's planned length.
            waiting: The planned length of all the reserve, this part included.
        """
        if not (self.closed and self.together):
            return planned
        left = self.required - self.overhead - sum(self.written.values())
        return max(round(left * planned / waiting), planned // 4, 1)

    def first(self, section: int, heading: int = 0) -> Step:
        """Return what to ask for when nothing of the section is written yet."""
        goal = max(self.budget(section) - heading, self.grain)
        if not (self.closed and self.cautious):
            return Step("ask", goal)
        return Step("ask", self._ask(goal, self.rest(section), self.bias))

    def next(
        self,
        section: int,
        length: int,
        *,
        heading: int = 0,
        calls: int = 1,
        bias: Bias | None = None,
    ) -> Step:
        """Return what to do with a section of which `length` is written, heading included.

        Args:
            section: Its index.
            length: What is written of it so far, heading included.
            heading: The length of its heading alone.
            calls: Requests that it has taken.
            bias: What is learnt of the model, where that is more than the controller knows.
        """
        bias = bias or self.bias
        if not self.closed:
            return Step("keep")
        goal, rest = self.budget(section), self.rest(section)
        miss = goal - length
        if miss > self._bearable(section, goal, rest, under=True):
            if calls >= self.most_calls:
                return Step("keep")
            return Step("ask", self._ask(miss, rest, bias))
        if -miss > self._bearable(section, goal, rest, under=False):
            return self._shorten(length, goal, rest, heading, calls, bias)
        return Step("keep")

    def _bearable(self, section: int, goal: int, rest: int, *, under: bool) -> float:
        """Return the miss of a section that the rest absorbs, or that is not worth a call."""
        if not self.together or section in self.fixed:
            return max(ALONE * goal, self.grain)
        floor = max(TOLERANCE * self.required, self.grain)
        if not rest:
            return floor if not under else max(floor, WORTH_A_CALL * self.grain)
        absorbed = max(ABSORB * rest, floor)
        return min((1 - FAR_UNDER) * goal, absorbed) if under else absorbed

    def _shorten(
        self, length: int, goal: int, rest: int, heading: int, calls: int, bias: Bias
    ) -> Step:
        """Trim what is over, as far as a quarter of the section; beyond that write it again."""
        prose = length - heading
        keep = goal + round(ABSORB * rest) - heading
        least = math.ceil(prose * (1 - CUT))
        if calls == 1 and prose > HOPELESS * keep and self.cautious:
            return Step("rewrite", self._ask(max(goal - heading, self.grain), rest, bias))
        return Step("trim", max(keep, least), least)

    def _ask(self, goal: int, rest: int, learnt: Bias) -> int:
        """Return what to ask for so that about `goal` comes back."""
        bias, cap = learnt.estimate()
        pieces = 1 if cap is None else max(1, math.ceil(goal / (0.95 * cap)))
        caution = self._caution(goal, rest, len(learnt.replies))
        return max(round(goal / pieces / bias * caution), 5)

    def _caution(self, goal: int, rest: int, replies: int) -> float:
        """Ask for less where too much could not be absorbed, the more the less is known.

        Too little costs one more call; too much is prose thrown away.
        """
        known = SPREAD + (PRIOR - SPREAD) / (1 + replies)
        exposed = goal / (goal + ABSORB * rest)
        stake = goal / self.required  # of a long document, one section risks little
        return math.exp(-CAUTION * known * exposed * stake)


def check(required: int) -> int:
    """Return a required length that can be written, or say why it cannot.

    Raises:
        LengthError: It is below 1 or beyond 2,000,000.
    """
    if isinstance(required, bool) or not isinstance(required, int):
        raise LengthError(f"a length is a whole number, not {required!r}")
    if not 1 <= required <= LONGEST:
        raise LengthError(
            f"a length of {required:,} cannot be written: give one from 1 to {LONGEST:,}"
        )
    return required
