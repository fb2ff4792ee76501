"""Start one program, wait for it, and say on a pipe how it went.

    python -S -E launcher.py PIPE TIMEOUT_S PROGRAM [ARGUMENT…]

A process of its own, kept small: on Linux the largest size that a child is said to have had is at least that of the
process that started it.
"""

import json
import os
import resource
import signal
import sys
import time


def main() -> None:
    pipe, timeout_s, program = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    os.set_inheritable(pipe, False)
    began = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.execvp(program[0], program)  # noqa: S606 - a benchmark's own program
    if timeout_s:
        signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, timeout_s)
    _, status = os.waitpid(child, 0)
    wall_s = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    size = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    said = {
        "wall_s": wall_s,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_mb": size / 1e6,
        "code": os.waitstatus_to_exitcode(status),
    }
    os.write(pipe, json.dumps(said).encode())


if __name__ == "__main__":
    main()
