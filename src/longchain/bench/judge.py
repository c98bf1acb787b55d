"""A chat model as a judge of texts: S_q in six dimensions.

`Prediction`s + a model -> `Judgement`s; `Score`s + `Judgement`s -> `Score`s with S_q

A reply that cannot be read, or never comes, leaves its text unscored, with the reason: it is
counted, neither as a zero nor dropped. Knows how a judge is called; knows nothing of the prompt and
of how replies are read, which is in `rubric`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple, TypedDict, Unpack

from langchain_core import exceptions
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.runnables import Runnable

from longchain.bench import rubric
from longchain.bench.client import ModelClient
from longchain.bench.event_loop import run_sync
from longchain.bench.failures import ACCESS_ERRORS, is_call_error
from longchain.bench.rubric import DIMENSIONS, MAX_RATING, MIN_RATING, Rating, Template
from longchain.bench.schema import Judgement, Prediction, Score
from longchain.bench.workers import run_jobs
from longchain.bench.writers import label
from longchain.calls import reply
from longchain.calls.ask import CallPolicy
from longchain.calls.budget import Spending
from longchain.calls.retry import Retry
from longchain.document import Usage
from longchain.errors import InputError, LongchainError
from longchain.models.error_hints import explain
from longchain.models.profile import supports_json_schema, truncation_errors


class JudgeOptions(TypedDict, total=False):
    """Options of `judge`; `ajudge` describes them."""

    prompt: Path | str | None
    temperature: float | None
    repeats: int
    concurrency: int
    timeout: float | None
    seed: int
    retries: Retry | None
    on_progress: Callable[[Judgement], None] | None


def judge(
    predictions: Sequence[Prediction], model: BaseChatModel, **options: Unpack[JudgeOptions]
) -> list[Judgement]:
    """Have a model judge texts; return the judgements in their order.

    Arguments, errors and results are those of `ajudge`.
    """
    return run_sync(ajudge(predictions, model, **options))


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
    on_progress: Callable[[Judgement], None] | None = None,
) -> list[Judgement]:
    """Have a model judge texts; return the judgements in their order.

    S_q is the mean of six ratings from 1 to 5, each scaled to 0 to 100: (rating - 1) x 25. An
    empty text gets the lowest ratings and is not shown to the judge.

    Args:
        predictions: The texts, each with its instruction.
        model: The judge.
        prompt: A file with another prompt, such as the published `judge.txt`; None: ours. See
            `rubric.load_template`.
        temperature: Temperature of the judge; None: its default. A model that refuses it is
            asked without.
        repeats: Number of times that each text is judged; the mean of its ratings counts.
        concurrency: Number of requests at a time.
        timeout: Seconds that a request may take; None: no limit.
        seed: Seed of the order in which texts are judged: it is shuffled, so that no text
            profits from its place.
        retries: How often a request is repeated after an error that may pass; None: twice.
        on_progress: Called after each text with its judgement.

    Raises:
        InputError: An option is out of range, predictions share an id, or the prompt cannot be
            read.
        ModelError: The model refuses every call: its name or key is wrong.

    Source: arXiv 2408.07055, section 2.2; `evaluation/eval_quality.py` of THUDM/LongWriter.
    """
    if repeats < 1 or concurrency < 1:
        raise InputError(f"repeats is {repeats!r}, concurrency {concurrency!r}: both are 1 or more")
    _check_unique_ids(predictions)
    client = _JudgeClient(
        model, rubric.load_template(prompt), temperature, timeout, retries or Retry(max_retries=2)
    )
    judging = _Judging(predictions, client, seed, repeats, on_progress)
    await judging.run(concurrency)
    return [_with_means(judgement) for judgement in judging.judgements]


def _check_unique_ids(predictions: Sequence[Prediction]) -> None:
    seen: set[tuple[str, str]] = set()
    for prediction in predictions:
        key = prediction.task, prediction.id
        if key in seen:
            raise InputError(f"two predictions of {key[0]!r} have the id {key[1]!r}")
        seen.add(key)


def apply(scores: Iterable[Score], judgements: Iterable[Judgement]) -> list[Score]:
    """Return scores with S_q; those that the judge left unscored get the flag `unjudged`.

    Raises:
        InputError: A judgement is about a text that has no score.
    """
    unused = {(judgement.task, judgement.id): judgement for judgement in judgements}
    results = []
    for score in scores:
        judgement = unused.pop((score.task, score.id), None)
        results.append(score if judgement is None else _with_quality(score, judgement))
    if unused:
        task, sample = next(iter(unused))
        raise InputError(
            f"{len(unused)} judgements are about texts that have no score, such as {sample!r} of "
            f"{task!r}: score the file that was judged"
        )
    return results


def _with_quality(score: Score, judgement: Judgement) -> Score:
    """Return a score with the results of a judgement, in place of those of an earlier one."""
    flags = [flag for flag in score.flags if flag != "unjudged"]
    if judgement.s_q is None:
        flags.append("unjudged")
    update = {"quality": dict(judgement.quality), "s_q": judgement.s_q, "flags": flags}
    return score.model_copy(update=update)


def _with_means(judgement: Judgement) -> Judgement:
    """Return a judgement with the means of its ratings: `quality` and S_q."""
    ratings = judgement.ratings
    if not ratings and not judgement.unscored:
        ratings = [dict.fromkeys(DIMENSIONS, float(MIN_RATING))]  # an empty text
    if not ratings:
        return judgement
    scale = 100 / (MAX_RATING - MIN_RATING)
    quality = {
        name: scale * (fmean(rating[name] for rating in ratings) - MIN_RATING)
        for name in DIMENSIONS
    }
    return judgement.model_copy(update={"quality": quality, "s_q": fmean(quality.values())})


class _Judging:
    """The judging of all texts, in a shuffled order."""

    def __init__(
        self,
        predictions: Sequence[Prediction],
        client: _JudgeClient,
        seed: int,
        repeats: int,
        on_progress: Callable[[Judgement], None] | None,
    ) -> None:
        self.judgements = [
            Judgement(
                id=prediction.id,
                task=prediction.task,
                judge=client.name,
                prompt_hash=client.template.hash,
                temperature=client.temperature,
                seed=seed,
            )
            for prediction in predictions
        ]
        self._predictions, self._client = predictions, client
        self._repeats, self._on_progress = repeats, on_progress
        self._order: list[int] = []
        """Indices of the texts in the order in which they are judged."""
        for index, prediction in enumerate(predictions):
            if not prediction.is_empty:
                self._order += [index] * repeats
        random.Random(seed).shuffle(self._order)

    async def run(self, concurrency: int) -> None:
        """Judge everything; the first error that no text could pass cancels the rest."""
        shown = set(self._order)
        for index, judgement in enumerate(self.judgements):
            if index not in shown:
                self._report(judgement)
        await run_jobs(list(enumerate(self._order, 1)), self._judge, concurrency)

    async def _judge(self, job: tuple[int, int]) -> None:
        """Ask for one rating of one text: its place in the order, and its index."""
        place, index = job
        judgement, spending, began = self.judgements[index], Spending(Usage()), time.monotonic()
        answer = await self._client.rate(self._predictions[index], spending)
        judgement.places.append(place)
        judgement.usage = judgement.usage + spending.spent
        judgement.seconds = round(judgement.seconds + time.monotonic() - began, 3)
        judgement.temperature = self._client.temperature
        if answer.rating is None:
            judgement.unscored.append(answer.reason)
        else:
            judgement.ratings.append(answer.rating.scores)
            judgement.analyses.append(answer.rating.analysis)
            judgement.repaired += answer.repaired
        if len(judgement.places) == self._repeats:
            self._report(judgement)

    def _report(self, judgement: Judgement) -> None:
        if self._on_progress is not None:
            self._on_progress(_with_means(judgement))


class _Answer(NamedTuple):
    """The result of asking for one rating."""

    rating: Rating | None
    reason: str
    """Reason why there is no rating; empty if there is one."""

    repaired: bool
    """Whether it took a second request."""


class _RequestForm(NamedTuple):
    """The form in which a judge is asked."""

    temperature: float | None
    structured: bool
    """Whether a JSON schema is sent; otherwise only the prompt describes the reply."""


class _JudgeClient:
    """Asks a judge, in the form that its model supports."""

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
        self._model = model
        self._client = ModelClient("judge", CallPolicy(retries=retries, timeout=timeout))
        self._has_temperature = "temperature" in type(model).model_fields
        # A prompt from a file says itself in which form it wants the answer.
        by_schema = template.is_default and supports_json_schema(model) is not False
        if by_schema and not self._has_temperature:
            temperature = None  # `with_structured_output` loses a bound argument
        self._form = _RequestForm(temperature, by_schema)

    @property
    def temperature(self) -> float | None:
        """Temperature that requests are sent with; None: the model's default."""
        return self._form.temperature

    async def rate(self, prediction: Prediction, spending: Spending) -> _Answer:
        """Ask for a rating, and once more if the reply cannot be read."""
        text = self.template.fill(prediction.prompt, prediction.response)
        messages: list[BaseMessage] = [HumanMessage(text)]
        problem = ""
        for attempt in range(2):
            try:
                answer = await self._ask(messages, spending)
            except Exception as error:
                if isinstance(error, ACCESS_ERRORS) or not is_call_error(error):
                    raise
                return _Answer(None, explain(error), repaired=False)
            try:
                return _Answer(rubric.read(answer), "", repaired=attempt > 0)
            except ValueError as error:
                problem = str(error)
                # Providers refuse an empty message of the assistant.
                messages += [AIMessage(answer or "-"), HumanMessage(rubric.repair(problem))]
        return _Answer(None, f"unreadable, also when asked again: {problem}", repaired=False)

    async def _ask(self, messages: Sequence[BaseMessage], spending: Spending) -> str:
        """Return the text of the reply, asked for in the form that the model supports."""
        while True:
            form = self._form
            answer = await self._call(messages, spending, form)
            if isinstance(answer, str):
                return answer
            if not self._simplify(answer, form):
                raise answer

    async def _call(
        self, messages: Sequence[BaseMessage], spending: Spending, form: _RequestForm
    ) -> str | Exception:
        """Return the reply to a request, or the error by which the model refuses its form."""
        refusals = _refusals(form)
        try:
            runnable = self._runnable(form)  # which a class without structured output refuses
            answer = await self._client.ask(runnable, messages, spending, expected_errors=refusals)
            if isinstance(answer, Exception):
                return answer
            return reply.read(answer["raw"] if isinstance(answer, dict) else answer).text
        except refusals as error:
            return error

    def _runnable(self, form: _RequestForm) -> Runnable[Any, Any]:
        """Return the model, set up to be asked in a form."""
        model = self._model
        if form.temperature is not None and self._has_temperature:
            model = model.model_copy(update={"temperature": form.temperature})
        if form.structured:
            schema = rubric.json_schema()
            return model.with_structured_output(schema, method="json_schema", include_raw=True)
        if form.temperature is not None and not self._has_temperature:
            return model.bind(temperature=form.temperature)
        return model

    def _simplify(self, error: Exception, form: _RequestForm) -> bool:
        """Drop the temperature or the schema if the model refused it; False: it refused neither."""
        refused = isinstance(error, exceptions.ModelInvalidRequestError)
        if refused and form.temperature is not None and "temperature" in str(error):
            simpler = form._replace(temperature=None)
        elif form.structured and (refused or _lacks_structured_output(error)):
            simpler = form._replace(structured=False)
        else:
            return False
        if self._form == form:  # else a request beside this one has met the same refusal
            self._form = simpler
        return True


_UNSUPPORTED = (NotImplementedError, AttributeError, TypeError, ValueError)
"""Errors of models that take no JSON schema."""


def _refusals(form: _RequestForm) -> tuple[type[Exception], ...]:
    """Return the errors by which a model may refuse the form of a request."""
    if form.structured:
        return (exceptions.ModelInvalidRequestError, *_UNSUPPORTED, *truncation_errors())
    if form.temperature is not None:
        return (exceptions.ModelInvalidRequestError,)
    return ()


def _lacks_structured_output(error: Exception) -> bool:
    """Return whether a model that takes no schema raised this error."""
    if isinstance(error, truncation_errors()):
        return True
    return isinstance(error, _UNSUPPORTED) and not isinstance(error, LongchainError)
