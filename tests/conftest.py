"""What all tests share: a terminal's signals, and in CI the same random examples every time."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

os.environ["POLYCTL_SHIPPED"] = "none"  # tests make the models they need

# nohup and shells in the background ignore some signals, and processes inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
