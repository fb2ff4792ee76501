"""Working through steps that need each other, several at a time, in threads.

Owns when a step begins and how the work is stopped. What a step does, and what its end means, is the caller's.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

Step = TypeVar("Step", bound=Hashable)
Result = TypeVar("Result")

LISTEN_S = 0.2
AHEAD = 2  # steps handed over for each thread: one at work, and one next so that none waits for its turn


def work_through(
    needs: Mapping[Step, Collection[Step]],
    do: Callable[[Step], Result],
    ended: Callable[[Step, Result], bool],
    *,
    parallelism: int,
    stop: threading.Event,
) -> None:
    """Do each step once all that it needs have succeeded, else in the order of `needs`.

    `do` runs in one of `parallelism` threads; what it raises ends the work and is raised again. `ended` runs in the
    calling thread and returns whether the step succeeded: what needs one that did not is never begun, and after `stop`
    nothing is. A need that is no step itself is met.
    """
    waiting = {step: {need for need in wanted if need in needs} for step, wanted in needs.items()}
    unlocks: dict[Step, list[Step]] = {}
    for step, wanted in waiting.items():
        for need in wanted:
            unlocks.setdefault(need, []).append(step)
    ready = deque(step for step, wanted in waiting.items() if not wanted)
    broken = threading.Event()  # or all is done
    over: SimpleQueue[tuple[Step, Future[tuple[Result] | None]]] = SimpleQueue()

    def begin(step: Step) -> tuple[Result] | None:
        if stop.is_set() or broken.is_set():
            return None
        try:
            return (do(step),)
        except BaseException:
            broken.set()
            raise

    def hand_over(step: Step, pool: ThreadPoolExecutor) -> None:
        pool.submit(begin, step).add_done_callback(lambda future: over.put((step, future)))

    taken = 0
    with ThreadPoolExecutor(max_workers=parallelism) as pool:
        try:
            while ready or taken:
                while ready and taken < AHEAD * parallelism and not stop.is_set():
                    hand_over(ready.popleft(), pool)
                    taken += 1
                if not taken:
                    return
                try:
                    # With a time-out, since Python lets a signal that comes just before a wait lie until it is over.
                    step, future = over.get(timeout=LISTEN_S)
                except Empty:
                    continue
                taken -= 1
                result = future.result()
                if result is None or not ended(step, result[0]):
                    continue
                for after in unlocks.get(step, ()):
                    waiting[after].discard(step)
                    if not waiting[after]:
                        ready.append(after)
        finally:
            broken.set()
