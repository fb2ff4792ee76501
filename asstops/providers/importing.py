"""Imports of the SDKs inside functions: one thread at a time.

Two threads that enter a package at different modules, `azure.core` and `azure.core.exceptions` say, wait for each
other, and Python ends that with an error in one of them. Objects are read by several threads, and each may be the first
that needs an SDK.
"""

from __future__ import annotations

import threading

one_at_a_time = threading.RLock()
