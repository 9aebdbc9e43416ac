"""Where the tasks of a plan run: in this process, in several by torchrun, or as jobs by submitit.

Nothing here schedules: torchrun starts processes on this machine, SLURM queues jobs and brings preempted ones
back, submitit's local executor stands in for it. A task knows by its runs what is done, so a job that comes
back simply performs its task again and resumes.
"""

from __future__ import annotations

import hashlib
import os
import signal
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal

from polyctl.errors import EXIT_INTERRUPTED, UsageError
from polyctl.plans.progress import OnEvent
from polyctl.plans.runner import Options, Outcome, perform, run_plan
from polyctl.plans.stages import Directories, Task
from polyctl.store.places import refuse_links

if TYPE_CHECKING:
    import submitit

JOBS = ".jobs"  # below the runs: what submitit keeps of its jobs, and their logs
GPU_DATA_WORKERS = 7  # processor cores to ask for beside a GPU's process, if train.workers is unset
FIRST_PORT, PORTS = 20_000, 12_000  # below those that systems give to outgoing connections
REQUEUES = 1000  # a training may be longer than many time limits
MakeListener = Callable[[Task], OnEvent | None]


# -- this machine ----------------------------------------------------------------------------------


def perform_here(
    task: Task, directories: Directories, options: Options, on_event: OnEvent | None = None, devices: int = 1
) -> Outcome:
    """Carry out a task with `devices` processes of this machine; making data starts its own.

    `on_event` is called in another process if there are several, and must be picklable.
    """
    if devices == 1 or task.stage == "gen":
        return perform(task, directories, options, on_event)
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=devices,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
    )
    # as torchrun does: the processes would otherwise take all cores each
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // devices)))
    try:
        with _restored_handlers():  # the launcher leaves its own behind
            outcomes: dict[int, Outcome] = elastic_launch(config, _perform_in_group)(
                task, directories, options, on_event
            )
    except (SignalException, KeyboardInterrupt):
        return Outcome(*task.key, "interrupted")
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode == EXIT_INTERRUPTED:
            return Outcome(*task.key, "interrupted")
        return Outcome(*task.key, "failed", message=f"process {rank} ended with {failure.exitcode}")
    return outcomes[0]


@contextmanager
def _restored_handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)


def _perform_in_group(
    task: Task, directories: Directories, options: Options, on_event: OnEvent | None
) -> Outcome:
    outcome = perform(task, directories, options, on_event)
    if outcome.state == "interrupted":
        # A process that returns waits for the launcher to take its answer, which after Ctrl-C it does not do.
        raise SystemExit(EXIT_INTERRUPTED)
    return outcome


# -- jobs ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cluster:
    """Where jobs go and how large they are: `gpus` a node (none: `devices` processes on its processors).

    `minutes` is the time limit of one job; one that reaches it is queued again and continues.
    """

    kind: Literal["slurm", "local"]
    nodes: int = 1
    gpus: int = 0
    devices: int = 1
    minutes: int = 60
    partition: str | None = None


class Job:
    """A task as submitit runs it, in every process of a job."""

    def __init__(
        self, task: Task, directories: Directories, options: Options, on_event: OnEvent | None
    ) -> None:
        self.task, self.directories, self.options, self.on_event = task, directories, options, on_event

    def __call__(self) -> Outcome:
        from submitit.core.job_environment import JobEnvironment
        from submitit.helpers import TorchDistributedEnvironment

        TorchDistributedEnvironment().export(set_cuda_visible_devices=False, overwrite=True)
        os.environ["MASTER_PORT"] = str(meeting_port(JobEnvironment().job_id))
        warning = JobEnvironment._usr_sig()
        with _Warned(warning) as warned:
            outcome = perform(self.task, self.directories, self.options, self.on_event)
        if warned.came and outcome.state == "interrupted":
            # All is saved: now submitit's own handler, which queues the job again and leaves.
            signal.raise_signal(warning)
            raise SystemExit(0)  # of several processes only the first does that
        return outcome

    def checkpoint(self) -> submitit.helpers.DelayedSubmission:
        """What is queued again: the same."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(Job(self.task, self.directories, self.options, self.on_event))


def meeting_port(job: str) -> int:
    """The port at which the processes of a job meet: the same for all of them, another for each job.

    submitit's may be one that the system gives to outgoing connections; if one is in use, the first process
    fails and the others wait for it for half an hour.
    """
    return FIRST_PORT + int.from_bytes(hashlib.sha256(job.encode()).digest()[:4], "big") % PORTS


class _Warned:
    """Turns the warning before a preemption or time limit into a gentle Ctrl-C; `came` says that it came.

    SIGTERM comes beside the warning and must not be taken for a wish to end without being queued again.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._before: dict[int, Any] = {}
        self.came = False

    def __enter__(self) -> _Warned:
        self._before[signal.SIGTERM] = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._before[self._number] = signal.signal(self._number, self._warn)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _warn(self, _number: int, _frame: FrameType | None) -> None:
        if not self.came:
            self.came = True
            signal.raise_signal(signal.SIGINT)


def run_jobs(
    tasks: Sequence[Task],
    cluster: Cluster,
    directories: Directories,
    options: Options,
    on_start: Callable[[int, Task], None] | None = None,
    listener: MakeListener = lambda _task: None,
    *,
    fail_fast: bool = False,
) -> Iterator[Outcome]:
    """The outcome of each task, each a job of its own.

    SLURM gets all jobs in one go, each after those that it needs; the local executor one after the other.
    Ctrl-C leaves SLURM's jobs as they are. Raises UsageError if submitit or SLURM is not there.
    """

    def submit(task: Task, after: Sequence[str] = ()) -> submitit.Job[Outcome]:
        executor = make_executor(task, cluster, directories, options, after)
        return executor.submit(Job(task, directories, options, listener(task)))

    if cluster.kind == "local":
        yield from run_plan(tasks, lambda task: wait(submit(task), task), on_start, fail_fast=fail_fast)
        return
    jobs: dict[tuple[str, str], submitit.Job[Outcome]] = {}
    for number, task in enumerate(tasks, 1):
        if on_start is not None:
            on_start(number, task)
        jobs[task.key] = submit(task, [jobs[key].job_id for key in task.needs])
    for task in tasks:
        outcome = wait(jobs[task.key], task)
        yield outcome
        if outcome.state == "interrupted":
            return


def wait(job: submitit.Job[Outcome], task: Task) -> Outcome:
    """The outcome of a job, once it has ended."""
    from submitit.core.utils import FailedJobError, UncompletedJobError

    try:
        return job.results()[0]
    except KeyboardInterrupt:
        return Outcome(
            *task.key, "interrupted", hint=f"job {job.job_id} may still run: squeue shows it, scancel ends it"
        )
    except (FailedJobError, UncompletedJobError) as error:
        last = str(error).strip().splitlines()[-1]
        return Outcome(
            *task.key, "failed", message=f"job {job.job_id}: {last}", hint=f"see {job.paths.stderr}"
        )


def make_executor(
    task: Task, cluster: Cluster, directories: Directories, options: Options, after: Sequence[str] = ()
) -> submitit.AutoExecutor:
    """An executor for jobs of the task's kind. Raises UsageError if submitit or SLURM is not there."""
    try:
        import submitit
    except ImportError:
        raise UsageError("--launch needs submitit", "pip install 'polyctl[slurm]'") from None
    refuse_links(directories.runs / JOBS)
    try:
        executor = submitit.AutoExecutor(
            folder=directories.runs / JOBS,
            cluster=cluster.kind,
            **{f"{cluster.kind}_max_num_timeout": REQUEUES},
        )
    except RuntimeError as error:
        raise UsageError(
            f"there is no SLURM here: {error}", "start this where sbatch is, or use --launch local"
        ) from None
    single = task.stage == "gen"
    gpus = 0 if single else cluster.gpus
    parameters: dict[str, Any] = {
        "name": f"{task.stage}_{task.experiment.name}",
        "timeout_min": cluster.minutes,
        "nodes": 1 if single else cluster.nodes,
        "tasks_per_node": 1 if single else gpus or cluster.devices,
        "gpus_per_node": gpus,
    }
    if cluster.kind == "slurm":
        data = task.experiment.train.workers
        if data is None:
            data = GPU_DATA_WORKERS if gpus else 0
        parameters["cpus_per_task"] = options.workers if single else data + 1
        if cluster.partition is not None:
            parameters["slurm_partition"] = cluster.partition
        if after:
            # whether they succeeded the task sees by itself
            parameters["slurm_additional_parameters"] = {"dependency": "afterany:" + ":".join(after)}
    executor.update_parameters(**parameters)
    return executor
