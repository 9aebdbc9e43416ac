"""Workers end with the process that started them, even if it is killed."""

import os
import signal
import subprocess
import sys

import pytest

from polyctl.store.owner import process_start
from tests.processes import ROOT, wait_for

BEGIN = """
import os, sys, time
from polyctl.runtime.parent import Parent
"""
POOL = f"""{BEGIN}
from polyctl.runtime.pool import worker_pool

if __name__ == "__main__":
    with worker_pool(2) as pool:
        for found in [pool.submit(os.getpid) for _ in range(20)]:
            print(found.result())
        print("all", flush=True)
        pool.submit(time.sleep, 600).result()
"""
LOADER = f"""{BEGIN}
from polyctl.data.stream import open_source
from polyctl.training.loader import batches
from tests.training.helpers import tiny

if __name__ == "__main__":
    made = batches(open_source(tiny()), 0, 10_000, 2)
    next(made)
    import multiprocessing
    for child in multiprocessing.active_children():
        print(child.pid)
    print("all", flush=True)
    time.sleep(600)
"""
WATCHED = f"""{BEGIN}
me = os.getpid()
if (child := os.fork()) == 0:
    Parent(me, steady=False).end_together()
    time.sleep(600)
print(child)
print("all", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("program", [POOL, LOADER, WATCHED], ids=["pool", "loader", "without a signal"])
def test_workers_end_with_a_parent_that_is_killed(program, tmp_path):
    script = tmp_path / "program.py"
    script.write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        workers = {int(line) for line in iter(parent.stdout.readline, "all\n")}
        assert workers
        assert all(process_start(worker) for worker in workers)
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        parent.stdout.close()
    wait_for(lambda: not any(process_start(worker) for worker in workers), "the end of all workers")


def test_a_worker_whose_parent_is_gone_already_does_not_begin():
    code = "from polyctl.runtime.parent import Parent; Parent(1_000_000, True).end_together(); print('began')"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
