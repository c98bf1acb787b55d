"""How good a text is, as a chat model sees it: S_q in six dimensions.

`Prediction`s + a model -> `Judgement`s; `Score`s + `Judgement`s -> `Score`s with S_q

A reply that cannot be read, or never comes, leaves its text unscored, with the reason: it is
counted, and neither a zero nor dropped. Knows models and how often one asks again; what is asked
and how answers are read stands in `rubric`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from langchain_core import exceptions
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.runnables import Runnable
from pydantic import BaseModel, ConfigDict, Field

from longchain.bench import rubric
from longchain.bench.agreement import agreement, spearman
from longchain.bench.loop import finish
from longchain.bench.rubric import DIMENSIONS, HIGHEST, LOWEST, Rating, Template
from longchain.bench.shapes import Prediction, Score
from longchain.bench.writers import label
from longchain.calls import reply
from longchain.calls.monitor import CallMonitor, arun
from longchain.calls.retry import Retry
from longchain.document import Usage
from longchain.errors import InputError, LongchainError
from longchain.models.profile import half_answers, structured
from longchain.models.resolve import explain

_EVERYBODYS = (
    exceptions.ModelAuthenticationError,
    exceptions.ModelPermissionDeniedError,
    exceptions.ModelNotFoundError,
)
"""Errors that no text could pass: they end the work."""


class Judgement(BaseModel):
    """What a judge says of one prediction; JSON-plain by `model_dump`."""

    model_config = ConfigDict(extra="forbid")

    id: str
    task: str
    judge: str
    """The model's name, without secrets."""

    prompt_hash: str
    """SHA-256 of the prompt without its texts, the first 16 hexadecimal digits."""

    temperature: float | None = None
    """None: the model's own, since it takes no other or none was wanted."""

    seed: int = 0
    """Of the order in which the texts were judged."""

    places: list[int] = Field(default_factory=list)
    """Where in that order each of its ratings was asked for, from 1."""

    ratings: list[dict[str, float]] = Field(default_factory=list)
    """From 1 to 5 by dimension, one for each time that could be read."""

    analyses: list[str] = Field(default_factory=list)
    """The judge's reasons, one for each rating; empty where it gave none."""

    unscored: list[str] = Field(default_factory=list)
    """Why there is no rating, for each time that there is none."""

    repaired: int = 0
    """Ratings that took a second request."""

    quality: dict[str, float] = Field(default_factory=dict)
    """The mean rating by dimension, 0 to 100; empty where there is none."""

    s_q: float | None = None
    """S_q, 0 to 100: the mean of the dimensions."""

    usage: Usage = Field(default_factory=Usage)
    seconds: float = 0.0
    """Of all its requests together."""


def judge(
    predictions: Sequence[Prediction],
    model: BaseChatModel,
    *,
    prompt: Path | str | None = None,
    temperature: float | None = 0.0,
    repeats: int = 1,
    concurrency: int = 8,
    timeout: float | None = 300.0,
    seed: int = 0,
    retries: Retry | None = None,
    tell: Callable[[Judgement], None] | None = None,
) -> list[Judgement]:
    """Return what a model says of texts, in their order.

    S_q is the mean of six ratings from 1 to 5, each taken to 0 to 100: (rating - 1) x 25. A text
    that is empty has the lowest ones and is not shown to the judge.

    Args:
        predictions: The texts, each with what was asked.
        model: The judge.
        prompt: A file with another prompt, as the published `judge.txt`; None: ours. See
            `rubric.template`.
        temperature: Of the judge; None: its own. A model that refuses it is asked without.
        repeats: How often each text is judged; the ratings' mean counts.
        concurrency: Requests at once.
        timeout: Seconds that a request may take; None: for ever.
        seed: Texts are judged in a shuffled order, so that none profits from its place.
        retries: How often a request is sent again that may pass later; None: twice.
        tell: Called after each text.

    Raises:
        InputError: An option that cannot be, predictions that share an id, or a prompt that
            cannot be read.
        ModelError: The model refuses everybody: its name or key is wrong.

    Source: arXiv 2408.07055, section 2.2; `evaluation/eval_quality.py` of THUDM/LongWriter.
    """
    return finish(
        ajudge(
            predictions,
            model,
            prompt=prompt,
            temperature=temperature,
            repeats=repeats,
            concurrency=concurrency,
            timeout=timeout,
            seed=seed,
            retries=retries,
            tell=tell,
        )
    )


async def ajudge(
    predictions: Sequence[Prediction],
    model: BaseChatModel,
    *,
    prompt: Path | str | None = None,
    temperature: float | None = 0.0,
    repeats: int = 1,
    concurrency: int = 8,
    timeout: float | None = 300.0,  # noqa: ASYNC109  (of one request, not of the whole)
    seed: int = 0,
    retries: Retry | None = None,
    tell: Callable[[Judgement], None] | None = None,
) -> list[Judgement]:
    """Do the same asynchronously."""
    if repeats < 1 or concurrency < 1:
        raise InputError(f"repeats is {repeats!r}, concurrency {concurrency!r}: both are 1 or more")
    keys = [(one.task, one.id) for one in predictions]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InputError(f"two predictions of {twice[0]!r} have the id {twice[1]!r}")
    asker = _Asker(
        model, rubric.template(prompt), temperature, timeout, retries or Retry(max_retries=2)
    )
    work = _Work(predictions, asker, seed, repeats, tell)
    await work.all(concurrency)
    return [_finished(made, asker) for made in work.made]


def apply(scores: Iterable[Score], judgements: Iterable[Judgement]) -> list[Score]:
    """Return the scores with S_q; those that the judge left unscored have the flag `unjudged`.

    Raises:
        InputError: A judgement is about a text that has no score.
    """
    found = {(one.task, one.id): one for one in judgements}
    judged = []
    for score in scores:
        one = found.pop((score.task, score.id), None)
        if one is None:
            judged.append(score)
            continue
        flags = [flag for flag in score.flags if flag != "unjudged"]
        flags += ["unjudged"] * (one.s_q is None)
        update = {"quality": dict(one.quality), "s_q": one.s_q, "flags": flags}
        judged.append(score.model_copy(update=update))
    if found:
        task, name = next(iter(found))
        raise InputError(
            f"{len(found)} judgements are about texts that have no score, such as {name!r} of "
            f"{task!r}: score the file that was judged"
        )
    return judged


def describe(judgements: Sequence[Judgement], scores: Iterable[Score] = ()) -> dict[str, Any]:
    """Return what to know of a judge's work, JSON-plain.

    Args:
        judgements: Of one judge.
        scores: Of the same texts, for their lengths.

    Returns:
        `judge`, `prompt_hash`, `temperature`, `seed`; `n`, `scored`, `repaired` and `unscored`
        (task, id and reasons of each); `s_q`, the mean; `agreement` over repeats, by dimension
        and of the mean rating (see `agreement.Agreement`; empty without repeats); `length_bias`,
        Spearman's correlation of S_q with the length, and `order_bias`, with the place in which
        it was asked for: near 0 where neither plays a part, though long texts may be better.
    """
    first = judgements[0] if judgements else None
    scored = [one for one in judgements if one.s_q is not None]
    lengths = {(score.task, score.id): score.length for score in scores}
    sized = [one for one in scored if one.ratings and (one.task, one.id) in lengths]
    shown = [one for one in scored if one.ratings and one.places]
    agreed: dict[str, dict[str, Any]] = {}
    for name in (*DIMENSIONS, "mean"):
        found = agreement(
            [fmean(r.values()) if name == "mean" else r[name] for r in one.ratings]
            for one in judgements
        )
        agreed |= {name: found._asdict()} if found else {}
    return {
        **({key: getattr(first, key) for key in _HOW} if first else {}),
        "n": len(judgements),
        "scored": len(scored),
        "repaired": sum(one.repaired for one in judgements),
        "unscored": [
            {"task": one.task, "id": one.id, "reasons": one.unscored}
            for one in judgements
            if one.unscored
        ],
        "s_q": fmean(one.s_q or 0.0 for one in scored) if scored else None,
        "agreement": agreed,
        "length_bias": spearman(
            [one.s_q or 0.0 for one in sized], [lengths[one.task, one.id] for one in sized]
        ),
        "order_bias": spearman(
            [one.s_q or 0.0 for one in shown], [fmean(one.places) for one in shown]
        ),
    }


_HOW = ("judge", "prompt_hash", "temperature", "seed")


def _finished(made: Judgement, asker: _Asker) -> Judgement:
    """Return a judgement with its means."""
    ratings = made.ratings
    if not ratings and not made.unscored:
        ratings = [dict.fromkeys(DIMENSIONS, float(LOWEST))]  # an empty text
    if not ratings:
        return made
    scale = 100 / (HIGHEST - LOWEST)
    quality = {name: scale * (fmean(r[name] for r in ratings) - LOWEST) for name in DIMENSIONS}
    return made.model_copy(update={"quality": quality, "s_q": fmean(quality.values())})


class _Answer(NamedTuple):
    """What came of asking once."""

    rating: Rating | None
    reason: str
    repaired: bool


class _Work:
    """All that is to be asked, in a shuffled order."""

    def __init__(
        self,
        predictions: Sequence[Prediction],
        asker: _Asker,
        seed: int,
        repeats: int,
        tell: Callable[[Judgement], None] | None,
    ) -> None:
        self.made = [
            Judgement(
                id=one.id,
                task=one.task,
                judge=asker.name,
                prompt_hash=asker.template.hash,
                temperature=asker.temperature,
                seed=seed,
            )
            for one in predictions
        ]
        self._predictions, self._asker = predictions, asker
        self._repeats, self._tell = repeats, tell
        shown = [at for at, one in enumerate(predictions) if any(map(str.isalnum, one.response))]
        self._order = [at for at in shown for _ in range(repeats)]
        random.Random(seed).shuffle(self._order)

    async def all(self, concurrency: int) -> None:
        """Ask everything; an error that all would meet ends it."""
        asked = set(self._order)
        for at, made in enumerate(self.made):
            if at not in asked:
                self._report(made)
        waiting = iter(enumerate(self._order, 1))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(concurrency, len(self._order))):
                    group.create_task(self._some(waiting))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _some(self, waiting: Iterator[tuple[int, int]]) -> None:
        for place, at in waiting:
            made, watch, began = self.made[at], CallMonitor(), time.monotonic()
            answer = await self._asker.rate(self._predictions[at], watch)
            made.places.append(place)
            made.usage = made.usage + watch.usage
            made.seconds = round(made.seconds + time.monotonic() - began, 3)
            made.temperature = self._asker.temperature
            if answer.rating is None:
                made.unscored.append(answer.reason)
            else:
                made.ratings.append(answer.rating.scores)
                made.analyses.append(answer.rating.analysis)
                made.repaired += answer.repaired
            if len(made.places) == self._repeats:
                self._report(made)

    def _report(self, made: Judgement) -> None:
        if self._tell is not None:
            self._tell(_finished(made, self._asker))


class _How(NamedTuple):
    """The way in which a judge is asked."""

    temperature: float | None
    structured: bool
    """By a JSON schema; else the prompt says it all."""


class _Asker:
    """Asks a judge, in the way that it takes."""

    def __init__(
        self,
        model: BaseChatModel,
        template: Template,
        temperature: float | None,
        timeout: float | None,
        retries: Retry,
    ) -> None:
        self.name = label(model)
        self.template = template
        self._model, self._timeout, self._retries = model, timeout, retries
        self._begun = False
        self._has_temperature = "temperature" in type(model).model_fields
        # A prompt of somebody else's says itself in which form it wants its answer.
        by_schema = template.own and structured(model) is not False
        if by_schema and not self._has_temperature:
            temperature = None  # a bound argument gets lost on the way to a schema
        self._how = _How(temperature, by_schema)

    @property
    def temperature(self) -> float | None:
        """The temperature that is asked with; None: the model's own."""
        return self._how.temperature

    async def rate(self, prediction: Prediction, watch: CallMonitor) -> _Answer:
        """Ask for a rating, and once more where it cannot be read."""
        text = self.template.fill(prediction.prompt, prediction.response)
        asked: list[BaseMessage] = [HumanMessage(text)]
        problem = ""
        for attempt in range(2):
            try:
                said = await self._ask(asked, watch)
            except Exception as error:
                if isinstance(error, _EVERYBODYS) or not _of_the_text(error):
                    raise
                return _Answer(None, explain(error), repaired=False)
            try:
                return _Answer(rubric.read(said), "", repaired=attempt > 0)
            except ValueError as error:
                problem = str(error)
                asked += [AIMessage(said or "-"), HumanMessage(rubric.repair(problem))]
        return _Answer(None, f"unreadable, also when asked again: {problem}", repaired=False)

    async def _ask(self, asked: Sequence[BaseMessage], watch: CallMonitor) -> str:
        """Return the reply's text; a request that may pass later is sent again."""
        failed = 0
        while True:
            how = self._how
            try:
                said = await self._call(asked, watch, how)
                self._begun = True
                return said
            except Exception as error:
                if self._gives_way(error, how):
                    continue
                failed += 1
                pause = self._retries.pause(error, failed, server_answered=self._begun)
                if pause is None:
                    raise
            await asyncio.sleep(pause)

    async def _call(self, asked: Sequence[BaseMessage], watch: CallMonitor, how: _How) -> str:
        model, runnable = self._model, None
        if how.temperature is not None and self._has_temperature:
            model = model.model_copy(update={"temperature": how.temperature})
        if how.structured:
            schema = rubric.schema()
            runnable = model.with_structured_output(schema, method="json_schema", include_raw=True)
        elif how.temperature is not None and not self._has_temperature:
            runnable = model.bind(temperature=how.temperature)
        given: Runnable[Any, Any] = runnable or model
        answer = await arun(given, list(asked), {"callbacks": [watch]}, watch, self._timeout)
        return reply.read(answer["raw"] if isinstance(answer, dict) else answer).text

    def _gives_way(self, error: Exception, how: _How) -> bool:
        """Whether to ask again at once, in a plainer way: some take no temperature or no schema."""
        refused = isinstance(error, exceptions.ModelInvalidRequestError)
        unable = isinstance(error, NotImplementedError | AttributeError | TypeError | ValueError)
        unable = unable and not isinstance(error, LongchainError)
        if refused and how.temperature is not None and "temperature" in str(error):
            plainer = how._replace(temperature=None)
        elif how.structured and (refused or unable or isinstance(error, half_answers())):
            plainer = how._replace(structured=False)
        else:
            return False
        if self._how == how:  # else another request has met the same
            self._how = plainer
        return True


def _of_the_text(error: Exception) -> bool:
    """Say whether a model or longchain refused this text; anything else is a bug."""
    known = isinstance(error, LongchainError | exceptions.ModelError | TimeoutError)
    known = known or isinstance(error, ConnectionError)
    return known or getattr(error, "status_code", None) is not None
