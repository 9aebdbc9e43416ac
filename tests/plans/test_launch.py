"""Tasks in several processes and as jobs of submitit's local executor, preemption included."""

import json
import os
import signal
import sys
import types
from pathlib import Path

import pytest

from polyctl.errors import UsageError
from polyctl.plans.launch import JOBS, Cluster, Job, make_executor, meeting_port, perform_here, run_jobs, wait
from polyctl.plans.runner import Options, perform
from polyctl.plans.stages import Task, make_plan
from polyctl.store.event_kinds import End, RunStarted, Step
from polyctl.store.events import EventReader
from polyctl.store.runs import list_runs
from polyctl.training import checkpoint
from tests.processes import ending, start_polyctl, wait_for

OPTIONS = Options(device="cpu")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _importable_elsewhere(monkeypatch):
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def evaluated(directories):
    (run,) = list_runs(directories.runs)
    (report,) = run.reports.glob("eval-*.json")
    (lines,) = run.predictions.glob("eval-*.jsonl")
    return run, json.loads(report.read_text()), lines.read_text().splitlines(), report, lines


@pytest.mark.slow
def test_two_processes_train_and_evaluate_like_one(make, directories):
    experiment = make(steps=30, batch=8, lr=1e-2, eval_every=30)
    tasks = make_plan([experiment], [experiment], directories)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    for task in tasks:
        outcome = perform_here(task, directories, OPTIONS, devices=2)
        assert outcome.state == "done", outcome
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
    run, shared, lines, report, predictions = evaluated(directories)
    assert shared["processes"] == 2
    assert [e.processes for e in EventReader(run.events) if isinstance(e, RunStarted)] == [2]
    assert [json.loads(line)["index"] for line in lines] == list(range(5))

    report.unlink()
    predictions.unlink()
    assert perform(tasks[1], directories, OPTIONS).state == "done"
    _, single, own_lines, *_ = evaluated(directories)
    for changing in ("seconds", "processes"):
        shared.pop(changing)
        single.pop(changing)
    assert shared == single

    def verdicts(found):
        return [[(b["status"], b["outer"], b["inner"]) for b in json.loads(line)["beam"]] for line in found]

    assert verdicts(lines) == verdicts(own_lines)


def test_jobs_meet_at_ports_of_their_own_that_no_connection_is_given():
    ports = [meeting_port(str(job)) for job in range(200)]
    assert ports == [meeting_port(str(job)) for job in range(200)]
    assert len(set(ports)) > 190
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(given.read_text().split()[0]) if given.exists() else 32_768
    assert all(1024 < port < min(32_768, lowest) for port in ports)


@pytest.mark.slow
def test_a_plan_as_local_jobs(make, directories):
    experiments = [make("files", source="files"), make("bad", accumulate=9)]
    tasks = make_plan(experiments, experiments, directories)
    cluster = Cluster("local", devices=2)
    outcomes = list(run_jobs(tasks, cluster, directories, OPTIONS))
    assert [(o.stage, o.experiment, o.state) for o in outcomes] == [
        ("gen", "files", "done"),
        ("train", "files", "done"),
        ("eval", "files", "done"),
        ("train", "bad", "failed"),
        ("eval", "bad", "blocked"),
    ]
    assert "too small for 2 processes" in outcomes[3].message
    assert list((directories.runs / JOBS).glob("*_log.out"))


def begun(directories, process=None):
    """Wait until a training has begun its steps; its run."""

    def stepped():
        for run in list_runs(directories.runs):
            if run.events.is_file() and any(isinstance(e, Step) for e in EventReader(run.events)):
                return run
        return None

    return wait_for(stepped, "a step of the training", process)


@pytest.mark.slow
def test_a_preempted_job_comes_back_and_goes_on_where_it_was(make, directories):
    experiment = make(steps=1000, eval_every=1000)
    task = Task("train", experiment)
    executor = make_executor(task, Cluster("local"), directories, OPTIONS)
    job = executor.submit(Job(task, directories, OPTIONS, None))
    run = begun(directories)
    pids = Path(f"/proc/{job.job_id}/task/{job.job_id}/children")
    if not pids.exists():
        pytest.skip("needs /proc to find the job's process")
    (pid,) = pids.read_text().split()
    os.kill(int(pid), executor_signal())
    wait_for(job.done, "the job that was put back to end")
    outcome = wait(job, task)
    assert (outcome.state, outcome.figures["step"]) == ("done", 1000), (outcome, job.stderr())
    assert list_runs(directories.runs) == [run]
    began = [e for e in EventReader(run.events) if isinstance(e, RunStarted)]
    ended = [e for e in EventReader(run.events) if isinstance(e, End)]
    assert [e.state for e in began] == ["started", "resumed"]
    assert ended[0].state == "interrupted"
    assert began[1].step == ended[0].step > 0
    assert checkpoint.read_facts(run.checkpoints / "trainer.safetensors")["step"] == 1000


def executor_signal():
    from submitit.core.job_environment import JobEnvironment

    return JobEnvironment._usr_sig()


class FakeSlurm:
    """submitit's executor, which needs srun to be made; keeps what it is asked for."""

    made: list[dict] = []  # noqa: RUF012

    def __init__(self, folder, cluster, **_):
        self.cluster = cluster

    def update_parameters(self, **parameters):
        self.made.append(parameters)

    def submit(self, job):
        job_id = str(100 + len(self.made))
        outcome = perform(job.task, job.directories, job.options)
        return types.SimpleNamespace(job_id=job_id, results=lambda: [outcome])


def test_slurm_gets_all_jobs_with_what_each_waits_for(make, directories, monkeypatch):
    import submitit

    FakeSlurm.made.clear()
    monkeypatch.setattr(submitit, "AutoExecutor", FakeSlurm)
    experiment = make("files", source="files")
    tasks = make_plan([experiment], [experiment], directories)
    cluster = Cluster("slurm", nodes=2, gpus=8, minutes=90, partition="long")
    outcomes = list(run_jobs(tasks, cluster, directories, Options(device="cpu", workers=3)))
    assert [o.state for o in outcomes] == ["done"] * 3
    gen, train, evaluation = FakeSlurm.made
    assert (gen["nodes"], gen["tasks_per_node"], gen["gpus_per_node"], gen["cpus_per_task"]) == (1, 1, 0, 3)
    assert (train["nodes"], train["tasks_per_node"], train["gpus_per_node"]) == (2, 8, 8)
    assert (train["timeout_min"], train["slurm_partition"], train["name"]) == (90, "long", "train_files")
    assert train["slurm_additional_parameters"] == {"dependency": "afterany:101"}
    assert evaluation["slurm_additional_parameters"] == {"dependency": "afterany:102"}


def test_without_submitit_or_slurm_the_error_says_what_to_do(make, directories, monkeypatch):
    task = Task("train", make())
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="no SLURM here") as error:
        make_executor(task, Cluster("slurm"), directories, OPTIONS)
    assert "--launch local" in error.value.hint
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(UsageError) as error:
        make_executor(task, Cluster("local"), directories, OPTIONS)
    assert error.value.hint == "pip install 'polyctl[slurm]'"


@pytest.mark.slow
def test_ctrl_c_saves_in_two_processes_and_exits_130(tmp_path, directories):
    words = ["experiments", "run", "smoke", "--stage", "train", "--devices", "2", "--device", "cpu"]
    settings = ["--set", "train.steps=1000000", "--set", "train.eval_every=1000000"]
    process = start_polyctl(*words, *settings, "--runs", str(directories.runs), cwd=tmp_path)
    run = begun(directories, process)
    process.send_signal(signal.SIGINT)
    _, said = ending(process)
    assert process.returncode == 130, said
    assert "forcefully" not in said
    assert run.summary().state == "interrupted"
    step = checkpoint.read_facts(run.checkpoints / "trainer.safetensors")["step"]
    assert step == run.summary().step > 0
