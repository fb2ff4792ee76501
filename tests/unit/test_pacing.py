"""Many workers against a service that limits its rate, in virtual time: how long it takes, who is refused how often."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from asstops.errors import Throttled, Unavailable
from asstops.providers import limiter as module
from asstops.providers.limiter import MAX_THROTTLED, Limiter, Pause
from tests.support.virtual import World

WORKERS, LATENCY_S = 10, 0.05

Asked = Callable[[float], "float | None"]
WHOLE_SECONDS: Asked = lambda wait_s: float(max(1, math.ceil(wait_s)))  # noqa: E731
MILLISECONDS: Asked = lambda wait_s: math.ceil(wait_s * 1000) / 1000  # noqa: E731
ZERO: Asked = lambda _: 0.0  # noqa: E731
NOTHING: Asked = lambda _: None  # noqa: E731


@pytest.fixture(autouse=True)
def no_scatter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_backoff", lambda attempt, most_s=8.0: min(most_s, 0.25 * 2.0**attempt))


class Bucket:
    """A token bucket: `rate` requests a second, and what a second holds at once."""

    def __init__(self, rate: float) -> None:
        self.rate, self._tokens, self._at = rate, rate, 0.0

    def take(self, now: float) -> float | None:
        """None when the request is let through, else the seconds until the next one would be."""
        self._tokens = min(self.rate, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < 1 - 1e-9:
            return (1 - self._tokens) / self.rate
        self._tokens -= 1
        return None

    def bound_s(self, number: int) -> float:
        return (number - self.rate) / self.rate


class Windows:
    """As many requests in each second, however they are spread over it."""

    def __init__(self, rate: int) -> None:
        self.rate, self._second, self._count = rate, 0, 0

    def take(self, now: float) -> float | None:
        if math.floor(now) != self._second:
            self._second, self._count = math.floor(now), 0
        if self._count == self.rate:
            return self._second + 1 - now
        self._count += 1
        return None

    def bound_s(self, number: int) -> float:
        whole = (number - 1) // self.rate
        return whole + (number - whole * self.rate) * LATENCY_S / WORKERS


@dataclass
class Service:
    """Answers after LATENCY_S what `gate` lets through; tells the others to wait as `asked` says it."""

    world: World
    gate: Bucket | Windows
    asked: Asked
    refusals: list[int] = field(default_factory=list)  # of each request
    took: list[float] = field(default_factory=list)  # seconds from a request's first attempt to its answer

    def request(self, number: int) -> None:
        wait_s = self.gate.take(self.world.now)
        self.world.sleep(LATENCY_S)
        if wait_s is not None:
            self.refusals[number] += 1
            raise Throttled("", status=429, retry_after_s=self.asked(wait_s))

    def serve(self, number: int, limiter: Limiter) -> float:
        """Have WORKERS send so many requests; returns the seconds that took."""
        self.refusals = [0] * number
        left = iter(range(number))

        def work() -> None:
            for each in left:
                began = self.world.now
                limiter.call(lambda: self.request(each), repeatable=False, writing=True, paced=True)  # noqa: B023
                self.took.append(self.world.now - began)

        return self.world.run([work] * WORKERS)


@pytest.mark.parametrize("asked", [WHOLE_SECONDS, MILLISECONDS, ZERO, NOTHING], ids=["s", "ms", "zero", "nothing"])
@pytest.mark.parametrize("rate", [20, 60, 120, 130, 400])
def test_work_goes_on_at_the_rate_of_the_service(rate: int, asked: Asked) -> None:
    """However the service says when to come again; nobody is refused often, and nobody waits long."""
    world = World()
    service, number = Service(world, Bucket(rate), asked), 1000
    took = service.serve(number, world.limiter())
    bound = max(service.gate.bound_s(number), number * LATENCY_S / WORKERS)
    assert took <= 1.15 * bound
    assert sum(service.refusals) <= number / 10
    assert max(service.refusals) <= 4
    assert max(service.took) <= 3 * WORKERS / rate + 3


@pytest.mark.parametrize("rate", [20, 60, 120, 170, 400])
def test_a_limit_for_each_second(rate: int) -> None:
    """As Azure documents it, with the time until the next second in milliseconds."""
    world = World()
    service, number = Service(world, Windows(rate), MILLISECONDS), 1000
    took = service.serve(number, world.limiter())
    bound = max(service.gate.bound_s(number), number * LATENCY_S / WORKERS)
    assert took <= 1.15 * bound
    assert max(service.refusals) <= 2


def test_nothing_is_held_back_where_nothing_is_refused() -> None:
    world = World()
    service = Service(world, Bucket(400), NOTHING)
    assert service.serve(1000, world.limiter()) == pytest.approx(1000 * LATENCY_S / WORKERS)
    assert sum(service.refusals) == 0


def test_after_a_pause_they_leave_one_by_one() -> None:
    """Were all let out at once, most of them would be refused again."""
    world = World()
    limiter, sent = world.limiter(), list[float]()
    service = Service(world, Bucket(20), WHOLE_SECONDS)

    def request(number: int) -> None:
        sent.append(world.now)
        service.request(number)

    service.refusals = [0] * 200
    left = iter(range(200))

    def work() -> None:
        for each in left:
            limiter.call(lambda: request(each), repeatable=False, writing=True, paced=True)  # noqa: B023

    world.run([work] * WORKERS)
    paced = [at for at in sent if at > 1.0]
    assert len(paced) > 150
    assert all(later > earlier for earlier, later in itertools.pairwise(paced))


def test_what_is_not_paced_only_pauses() -> None:
    """As the few requests of Azure Resource Manager: their 429 says nothing of how fast a data plane is."""
    world = World()
    limiter, sent = world.limiter(), list[float]()
    refusals = iter([Throttled("", status=429, retry_after_s=2.0)])

    def request() -> None:
        sent.append(world.now)
        world.sleep(LATENCY_S)
        if (error := next(refusals, None)) is not None:
            raise error

    def work() -> None:
        for _ in range(5):
            limiter.call(request, repeatable=True, writing=False)

    world.run([work] * 4)
    assert sent[:4] == [0.0] * 4
    assert sent[4:8] == pytest.approx([2.05] * 4)
    assert sent[-1] == pytest.approx(2.05 + 4 * LATENCY_S)


def test_what_is_not_paced_does_not_slow_down_what_is() -> None:
    """A data plane goes on after the pause as it did before."""
    world = World()
    limiter, sent = world.limiter(), list[float]()

    def request() -> None:
        sent.append(world.now)
        world.sleep(LATENCY_S)

    def data() -> None:
        for _ in range(20):
            limiter.call(request, repeatable=True, writing=False, paced=True)

    def arm() -> None:
        answers = iter([None, Throttled("", status=429, retry_after_s=2.0), None])

        def answer() -> None:
            world.sleep(LATENCY_S)
            if (error := next(answers)) is not None:
                raise error

        for _ in range(2):
            limiter.call(answer, repeatable=True, writing=False)

    world.run([data] * 4 + [arm])
    assert sent[-1] < 3.0  # 3 of each before the pause of 2 s, 17 after it, one every LATENCY_S


@pytest.mark.parametrize("slow_s", [1.0, 10.0])
def test_one_slow_request_that_is_refused_slows_nobody_down(slow_s: float) -> None:
    """A large upload, whose size is too much for now, say: it tells nothing of how many small requests may leave."""
    world = World()
    limiter, number, served = world.limiter(), 3000, list[float]()
    refusals, left = iter([Throttled("", status=429, retry_after_s=10.0)]), iter(range(number))

    def small() -> None:
        world.sleep(LATENCY_S)
        served.append(world.now)

    def large() -> None:
        world.sleep(slow_s)
        _raise(next(refusals, None))

    def work() -> None:
        for _ in left:
            limiter.call(small, repeatable=True, writing=True, paced=True)

    others = WORKERS - 1
    world.run([work] * others + [lambda: limiter.call(large, repeatable=False, writing=True, paced=True)])
    assert len(served) == number
    assert served[-1] <= 1.25 * (10.0 + number * LATENCY_S / others)


def test_a_refusal_of_what_is_not_paced_costs_no_turns() -> None:
    """Those who wait for one do not queue up behind the turns that they had; and still leave one by one."""
    world = World()
    limiter, sent = world.limiter(), list[float]()
    refusals = iter([None] * WORKERS + [Throttled("", status=429, retry_after_s=1.0)])

    def request() -> None:
        sent.append(world.now)
        world.sleep(1.0)
        _raise(next(refusals, None))

    def data() -> None:
        for _ in range(4):
            limiter.call(request, repeatable=True, writing=False, paced=True)

    def arm() -> None:
        world.sleep(3.0)  # until they wait for their turns
        for _ in range(5):
            world.sleep(0.2)
            answers = iter([Throttled("", status=429, retry_after_s=0.1), None])
            limiter.call(lambda: _raise(next(answers)), repeatable=True, writing=False)  # noqa: B023

    world.run([data] * WORKERS + [arm])
    gaps = [later - earlier for earlier, later in itertools.pairwise(at for at in sent if at >= 3.0)]
    assert len(gaps) > 2 * WORKERS - 2
    assert min(gaps) > 0.1
    assert max(gaps) < 0.3  # a pause of 0.1 and a turn


def test_what_must_be_written_down_before_the_end_is_not_paced() -> None:
    """After a stop others may end us soon."""
    world = World()
    limiter, sent = world.limiter(), list[float]()
    service = Service(world, Bucket(2), MILLISECONDS)
    service.serve(10, limiter)

    def close() -> None:
        limiter.stop()
        with limiter.closing():
            for _ in range(5):
                sent.append(world.now)
                limiter.call(lambda: None, repeatable=True, writing=True, paced=True)

    world.run([close])
    assert sent == [sent[0]] * 5


def test_a_request_that_is_always_refused_ends_while_others_succeed() -> None:
    """A quota of its own, say. It is not sent for ever, and the others are done long before it is given up."""
    world = World()
    limiter, attempts, others = world.limiter(), list[float](), list[float]()

    def refused() -> None:
        attempts.append(world.now)
        world.sleep(LATENCY_S)
        raise Throttled("", status=429)

    def served() -> None:
        world.sleep(LATENCY_S)
        others.append(world.now)

    def unlucky() -> None:
        with pytest.raises(Throttled):
            limiter.call(refused, repeatable=False, writing=True, paced=True)

    def lucky() -> None:
        for _ in range(100):
            limiter.call(served, repeatable=False, writing=True, paced=True)

    ended = world.run([unlucky] + [lucky] * (WORKERS - 1))
    assert len(attempts) == MAX_THROTTLED + 1
    assert ended < 120
    assert len(others) == 100 * (WORKERS - 1)
    assert others[-1] < ended / 2


def test_a_service_that_refuses_everything_is_given_up_by_all() -> None:
    """Not by each of a hundred in turn, which would take hours."""
    world = World()
    limiter, attempts, failed = world.limiter(), list[float](), list[float]()
    left = iter(range(100))

    def refused() -> None:
        attempts.append(world.now)
        world.sleep(LATENCY_S)
        raise Throttled("", status=429)

    def work() -> None:
        for _ in left:
            with pytest.raises(Throttled):
                limiter.call(refused, repeatable=False, writing=True, paced=True)
            failed.append(world.now)

    ended = world.run([work] * WORKERS)
    assert len(failed) == 100
    assert len(attempts) == WORKERS * (MAX_THROTTLED + 1) + 100 - WORKERS
    assert 60 < failed[0] < 90
    assert ended < 180


def test_one_answer_makes_all_patient_again() -> None:
    world = World()
    limiter = world.limiter()

    def refused() -> None:
        raise Throttled("", status=429)

    def work() -> None:
        with pytest.raises(Throttled):
            limiter.call(refused, repeatable=True, writing=False)
        began = world.now
        limiter.call(lambda: None, repeatable=True, writing=False)
        with pytest.raises(Throttled):
            limiter.call(refused, repeatable=True, writing=False)
        assert world.now - began > 60

    world.run([work])


def test_a_long_pause_is_told_once() -> None:
    """By the first who meets it, however many do; what is short is not worth a word."""
    world = World()
    limiter, told = world.limiter(), list[tuple[float, Pause]]()
    limiter.on_pause = lambda pause: told.append((world.now, pause))
    waits = {0.0: 30.0, 30.05: 5.0, 35.1: None}  # when it is sent -> what the service asks for

    def request() -> None:
        sent = round(world.now, 2)
        world.sleep(LATENCY_S)
        if sent in waits:
            raise Throttled("", status=429, retry_after_s=waits[sent])

    world.run([lambda: limiter.call(request, repeatable=True, writing=False)] * 5)
    assert told == [(LATENCY_S, Pause(30.0, 429, asked=True))]


def test_a_pause_of_our_own_is_told_as_such() -> None:
    """Where the service names no time, and goes on refusing until we wait for long."""
    world = World()
    limiter, told = world.limiter(), list[Pause]()
    limiter.on_pause = told.append

    def work() -> None:
        with pytest.raises(Throttled):
            limiter.call(lambda: _raise(Throttled("", status=429)), repeatable=True, writing=False)

    world.run([work])
    assert set(told) == {Pause(8.0, 429, asked=False)}


def test_a_503_that_names_a_long_time_is_told() -> None:
    world = World()
    limiter, told = world.limiter(), list[Pause]()
    limiter.on_pause = told.append
    answers = iter([Unavailable("", status=503, retry_after_s=12.0)])

    def request() -> None:
        if (error := next(answers, None)) is not None:
            raise error

    assert world.run([lambda: limiter.call(request, repeatable=True, writing=False)]) == 12.0
    assert told == [Pause(12.0, 503, asked=True)]


def _raise(error: Exception | None) -> None:
    if error is not None:
        raise error
