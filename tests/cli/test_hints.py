"""Every command that a hint or a `next:` line prints works as it is printed."""

import os
import re
import shlex
import shutil

import pytest

from polyctl.cli import app
from polyctl.cli.app import COMMANDS
from polyctl.config.registry import PACKAGED, load_experiment
from polyctl.store.owner import FILE_NAME, Owner
from polyctl.store.runs import create_run, default_run

PLACEHOLDER = re.compile(r"^[A-Z]+$|\.\.\.$")  # RUN, FILE: for the reader to fill in
CHEAP = {  # what a command that would work for minutes is given, so that it does its checks alone
    "experiments": ["--dry-run", "--smoke"],
    "train": ["--dry-run"],
    "rl": ["--dry-run"],
    "gen": ["--smoke", "--workers", "1"],
    "eval": ["--limit", "1", "--no-baseline", "--device", "cpu"],
    "decompose": ["--method", "exact"],
}
SCENARIOS = [  # command lines, and the exit codes they end with
    ("train smoke --steps 1", 0),
    ("train smoke --max-minutes 0", 0),
    ("train smoke --steps 1 --runs other", 0),
    ("train smoke --max-minutes 0 --runs other", 0),
    ("train mine --registry own.toml --smoke --steps 1", 0),
    ("train mine --registry own.toml --runs 'a folder' --steps 1", 0),
    ("gen smoke --workers 1 --out 'the data'", 0),
    ("gen mine --registry own.toml --workers 1 --out mine", 0),
    ("gen quick --smoke --workers 1", 0),
    ("gen quick --smoke --workers 1 --set data.inner_bound=9 --out 'the data'", 0),
    ("rl smoke --smoke --steps 1", 0),
    ("rl smoke --smoke --steps 1 --max-minutes 0 --runs other", 0),
    ("import exported --runs other", 0),
    ("import exported", 0),
    ("export gpt2 again", 0),
    ("export gpt2 once_more --runs runs", 0),
    ("runs --runs empty", 0),
    ("train smok", 2),
    ("train min --registry own.toml", 2),
    ("train", 2),
    ("train quick_smoke", 2),
    ("gen quick_smoke", 2),
    ("train quick_bgrpo", 2),
    ("report quick_smoke", 2),
    ("experiments run quick_smoke_bgrpo", 2),
    ("train quick --resume smoke/STAMP", 2),
    ("train smoke --resume --runs empty", 3),
    ("train smoke --data nowhere", 3),
    ("train smoke --set train.lrr=1", 2),
    ("train smoke --set learning_rate=1", 2),
    ("gen smoke --out data/smoke --seed 3", 3),
    ("eval nothing", 3),
    ("eval smok", 3),
    ("eval --runs empty", 3),
    ("eval quick", 3),
    ("eval smoke --beem 3", 2),
    ("eval --polish", 2),
    ("rl quick", 3),
    ("rl untrained --registry own.toml", 3),
    ("rl quick --algo x", 2),
    ("runs show nothing", 3),
    ("runs show nothing --runs other", 3),
    ("runs shwo smoke", 2),
    ("runs rm smoke --yes", 2),
    ("runs rm smoke/STAMP", 2),
    ("runs rm smoke/nope --yes", 3),
    ("eval smoke/nope", 3),
    ("eval crashed --registry own.toml", 3),
    ("export crashed out", 3),
    ("eval crashed_bgrpo --registry own.toml", 3),
    ("eval --runs killed --registry own.toml", 3),
    ("train --resume --runs killed --registry own.toml --dry-run", 0),
    ("runs compare smoke", 2),
    ("runs list --jsno", 2),
    ("experiments show quik", 2),
    ("experiments list quik", 2),
    ("experiments run smok", 2),
    ("experiments run d3_finetune_monic_1280", 3),
    ("experiments run d3_finetune_monic_1280 --runs other", 3),
    ("experiments run d3_finetune_monic_1280 --data 'the data'", 3),
    ("experimets", 2),
    ("report quik", 2),
    ("doctor --runs runs", 0),
    ("verify 'x^4' --outer b^2", 2),
    ("decompose 'x^4' --method neural --model nothing", 3),
    ("decompose 'x^4' --method neural --runs empty", 3),
    ("decompose 'x^4' y", 2),
    ("tui --plain 'x^4 + x^2'", 2),
    ("verify nothing", 3),
]

DEAD = Owner(2**22 + 1, "1", os.uname().nodename, 1_700_000_000.0)


@pytest.fixture(scope="module")
def _prepared(_trained, tmp_path_factory):
    """The trained place with another registry, a GPT-2 model and its export."""
    directory = shutil.copytree(_trained, tmp_path_factory.mktemp("hints") / "place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.delenv("POLYCTL_RUNS", raising=False)
        (directory / "empty").mkdir()
        (directory / "own.toml").write_text(
            '[experiment.mine]\nextends = "smoke"\n\n[experiment.untrained]\nextends = "smoke"\n\n'
            '[experiment.crashed]\nextends = "smoke"\n\n'
            '[experiment.gpt2]\nextends = "smoke"\ndata.tokenizer = "prefix"\nmodel.architecture = "gpt2"\n'
            "model.context_length = 128\n"
        )
        create_run(load_experiment("quick", registry=PACKAGED))
        assert app.run(["train", "gpt2", "--registry", "own.toml", "--steps", "1", "--device", "cpu"]) == 0
        assert app.run(["train", "smoke", "--steps", "1", "--runs", "other", "--device", "cpu"]) == 0
        assert app.run(["export", "gpt2", "exported"]) == 0
        for root in ("runs", "killed"):  # trainings that were killed before their first checkpoint
            for command in ("train crashed", "rl crashed --algo bgrpo --from runs/smoke"):
                words = f"{command} --registry own.toml --runs {root} --steps 1 --device cpu"
                assert app.run(words.split()) == 0
            for path in (directory / root).glob("crashed*/*/checkpoints/*t.safetensors"):
                path.unlink()
            for path in (directory / root).glob("crashed*/*/events.jsonl"):
                path.write_text("".join(path.read_text().splitlines(keepends=True)[:1]))
                path.with_name(FILE_NAME).write_text(DEAD.text())
    return directory


@pytest.fixture
def prepared(_prepared, tmp_path, monkeypatch, capsys):
    directory = shutil.copytree(_prepared, tmp_path / "place")
    monkeypatch.chdir(directory)
    for name in ("POLYCTL_RUNS", "POLYCTL_REGISTRY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    capsys.readouterr()
    return directory


def commands_in(words: str) -> list[str]:
    """The commands in the hints and next steps of what was printed, without those to be filled in."""
    found = []
    for line in words.splitlines():
        quoted = re.findall(r"`(polyctl [^`]+)`", line)
        label, _, text = line.partition(": ")
        if label in ("hint", "next") or "again: polyctl" in line:
            text = re.sub(r"`[^`]*`", "", text)
            quoted += [part.strip() for part in re.findall(r"polyctl (?:'[^']*'|[^;,'])+", text)]
        found += quoted
    return [one for one in found if not any(PLACEHOLDER.search(word) for word in shlex.split(one))]


def corrected(line: str, words: str) -> str | None:
    """The command line with the word that a hint suggests in the place of the one most like it."""
    meant = re.search(r"did you mean ([^ ?]+)\?", words)
    if meant is None or meant[1].startswith("polyctl"):
        return None
    parts = shlex.split(line)
    wrong = re.findall(r"'([^']+)'|such option: (\S+)", words)
    for found in ("".join(pair) for pair in wrong):
        for i, part in enumerate(parts):
            key, equals, value = part.partition("=")
            if key == found.partition("=")[0]:
                return shlex.join([*parts[:i], f"{meant[1]}{equals}{value}", *parts[i + 1 :]])
    return None


def test_at_least_thirty_scenarios_print_a_command_or_a_correction():
    assert len(SCENARIOS) >= 30


@pytest.mark.parametrize(("line", "code"), SCENARIOS, ids=[line for line, _ in SCENARIOS])
def test_what_is_printed_works_as_printed(prepared, capsys, line, code):
    stamp = next(path.name for path in (prepared / "runs" / "smoke").iterdir())
    arguments = shlex.split(line.replace("STAMP", stamp))
    if arguments[0] in ("train", "rl", "eval"):
        arguments += ["--device", "cpu"]
    assert app.run(arguments) == code
    _, words = capsys.readouterr()
    printed = [command.removeprefix("polyctl ") for command in commands_in(words)]
    if (better := corrected(shlex.join(arguments), words)) is not None:
        printed.append(better)
    hinted = [row for row in words.splitlines() if row.startswith(("hint: ", "next: "))]
    for command in printed:
        again = shlex.split(command)
        assert again[0] in COMMANDS, command
        extra = CHEAP.get(again[0], [])
        if again[:2] == ["runs", "rm"]:
            extra = ["--yes"]
        elif "--help" in again or (again[0] == "experiments" and again[1:2] != ["run"]):
            extra = []
        ended = app.run([*again, *(word for word in extra if word not in again)])
        after = capsys.readouterr().err
        assert ended in (0, 1), f"{line}\n{words}\n{command}\n{after}"
    if code and not printed:  # then the hint says what to do in words
        assert hinted


def test_a_training_that_died_before_its_first_checkpoint_is_resumed(prepared, capsys):
    (crashed,) = (path.name for path in (prepared / "runs" / "crashed").iterdir())
    for name in ("crashed", f"crashed/{crashed}"):
        assert app.run(["eval", name, "--device", "cpu"]) == 3
        assert f"`polyctl train --resume crashed/{crashed}` continues it" in capsys.readouterr().err
    assert app.run(["eval", "--runs", "killed", "--device", "cpu"]) == 3
    assert "the training ended before its first one: `polyctl" in capsys.readouterr().err
    words = "rl crashed --algo bgrpo --resume --registry own.toml --steps 1 --device cpu"
    assert app.run(words.split()) == 0


def test_a_smoke_run_is_never_the_default_model(prepared, capsys):
    assert app.run(["train", "quick", "--smoke", "--steps", "1", "--device", "cpu"]) == 0
    assert app.run(["rl", "smoke", "--smoke", "--steps", "1", "--device", "cpu"]) == 0
    assert not re.search("_smoke", default_run().experiment)
    assert app.run(["train", "quick", "--smoke", "--steps", "1", "--runs", "another", "--device", "cpu"]) == 0
    capsys.readouterr()
    assert app.run(["eval", "--runs", "another"]) == 3
    assert "has a checkpoint, only smoke runs have" in capsys.readouterr().err
    assert app.run(["eval", "quick_smoke", "--runs", "another", "--limit", "1", "--device", "cpu"]) == 0


def test_commands_in_hints_get_the_places_that_were_given(prepared, capsys):
    assert app.run(["train", "smoke", "--steps", "1", "--runs", "a folder", "--device", "cpu"]) == 0
    assert "next: polyctl eval --runs 'a folder' smoke/" in capsys.readouterr().err
    assert app.run(["experiments", "show", "zzz", "--registry", str(PACKAGED)]) == 2
    assert f"`polyctl experiments list --registry {PACKAGED}`" in capsys.readouterr().err
    assert app.run(["experiments", "show", "zzz"]) == 2
    assert "`polyctl experiments list` shows all" in capsys.readouterr().err
