"""Files that are damaged, by their bytes or by what they say, and the commands that read them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from fuzzing.case import Case, Edit
from fuzzing.expressions import command, either

DEEP: Any = 0
for _ in range(100):
    DEEP = [DEEP]
PAYLOADS = (
    *(
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\r\n",
        b"\n",
        b"\x1b[2J",
        b'"',
        b"'",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
    ),
    *(b"null", b"true", b"NaN", b"Infinity", b"-1", b"1e999", b"9" * 5000, b"[" * 100_000, b'{"a":' * 20_000),
    *(
        b"\\u0000",
        b"\\ud800",
        b"..",
        b"../../x",
        b"x" * 100_000,
        b"\xe2\x81\x87",
        b"?",
        b"&",
        b" ",
        b"^ a P 9 9 9",
    ),
)
ODD = (
    *(None, True, False, 0, 1, -1, 2, 7, 1 << 31, 1 << 63, 10**400, 0.5, -0.0, 1e308, 1e-320, 10**12),
    *(
        float("nan"),
        float("inf"),
        -float("inf"),
        "",
        " ",
        "x",
        "\x00",
        "\x1b[2J",
        "../x",
        "/tmp/x",
        "x" * 100_000,
    ),
    *(
        "nan",
        "1e999",
        "é\u202e",
        "\ud800",
        "x^",
        "(" * 3000,
        [],
        {},
        [[]],
        [None],
        [1, 2],
        {"": 0},
        ["x"] * 1000,
        DEEP,
    ),
    *(
        "cpu",
        "univariate",
        "homogeneous",
        "prefix",
        "terms",
        "step",
        "run",
        "end",
        "running",
        3.0,
        64,
        1000,
        -5,
    ),
)
fractions = st.floats(0, 1, exclude_max=True)
byte_operations = st.lists(
    st.tuples(
        st.sampled_from(["insert", "insert", "replace", "delete", "cut", "repeat", "flip", "flip"]),
        fractions,
        fractions,
        st.one_of(st.sampled_from(PAYLOADS), st.binary(min_size=1, max_size=8)),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
value_operations = st.lists(
    st.tuples(
        st.sampled_from(["set", "set", "set", "set", "remove", "rename", "nest"]),
        fractions,
        st.sampled_from(ODD),
    ),
    min_size=1,
    max_size=3,
).map(tuple)


def edits(where: str, how: str = "bytes") -> st.SearchStrategy[Edit]:
    """A file damaged by its bytes, or by what it says if it has a format."""
    by_bytes = st.builds(Edit, st.just(where), st.just("bytes"), byte_operations)
    if how == "bytes":
        return by_bytes
    by_value = st.builds(Edit, st.just(where), st.just(how), value_operations)
    return either(by_value, by_value, by_value, by_bytes)


def damaged(
    edit: st.SearchStrategy[Edit], *commands: str, calls: tuple[str, ...] = ()
) -> st.SearchStrategy[Case]:
    """A folder with one damaged file, and one of the commands, or of the readers to call."""
    ways = [
        st.builds(Case, st.just(tuple(one.split())), edits=st.tuples(edit), needs=st.just(True))
        for one in commands
    ]
    ways += [st.builds(Case, edits=st.tuples(edit), call=st.just(one), needs=st.just(True)) for one in calls]
    return either(*ways)


RUN = "runs/smoke/20260101-000000"
EVAL = "eval smoke --limit 1 --beam 2 --no-baseline"
TRAIN = "train smoke --steps 1"
RESUME = "train --resume smoke --steps 3"

# -- experiments and settings ----------------------------------------------------------------------

REGISTRY = b"""\
[defaults.train]
steps = 100
lr = 1e-3

[experiment.base]
description = "a parent"
data.family = "univariate"
data.outer_degrees = [2, 3]
model = { layers = 2, width = 64 }

[experiment.child]
extends = "base"
train.optimizer = "muon"
rl.algorithm = "bgrpo"

[experiment."grid_{v}_{w}"]
extends = "base"
grid.v = [1, 2]
grid.w = ["a", "b"]
description = "a template of {v} and {w}"
data.inner_variables = "{v}"
paper = "Table {v}"

[experiment.mixture]
extends = "smoke"
data.family = "mixture"
data.parts = [{ family = "univariate", weight = 2.0 }, { family = "monic" }]
"""


@st.composite
def registries(draw: st.DrawFn) -> Case:
    """A registry of our own after changes, beside the packaged one."""
    how = draw(st.sampled_from(["toml", "toml", "bytes"]))
    operations = draw(value_operations if how == "toml" else byte_operations)
    files = (Edit("own.toml", "write", data=REGISTRY), Edit("own.toml", how, operations))
    words = draw(
        st.sampled_from(
            [
                "experiments list --registry own.toml",
                "experiments list --json --registry own.toml",
                "experiments show child --registry own.toml",
                "experiments show grid_1_a --registry own.toml --json",
                "experiments show mixture --registry own.toml",
                "experiments run child --dry-run --registry own.toml --stage train",
                "train mixture --dry-run --registry own.toml",
                "tui --plain --screen experiments --registry own.toml",
            ]
        )
    )
    return Case(tuple(words.split()), edits=files)


LITERALS = (
    *(
        "0",
        "1",
        "-1",
        "2",
        "3",
        "64",
        "1e3",
        "1e-3",
        "1e400",
        "nan",
        "inf",
        "-inf",
        "1_000",
        "0x10",
        "1.0",
        ".5",
    ),
    *(
        "true",
        "True",
        "none",
        "None",
        "null",
        '""',
        "''",
        '"x"',
        "x",
        "[]",
        "[1]",
        "[1,2]",
        "[[1]]",
        "(1, 2)",
        "{}",
    ),
    *(
        "[" * 3000,
        "(" * 300,
        "9" * 5000,
        "1" + "0" * 20,
        "{a=1}",
        "1979-05-27",
        "07:32:00",
        "\x1b[2J",
        "é",
        "../x",
    ),
    *(
        "[9]",
        "[2,3]",
        "[100]",
        "10000000",
        "adamw",
        "muon",
        "wsd",
        "homogeneous",
        "monic",
        "separable",
        "mixture",
    ),
    *(
        "prefix",
        "terms",
        "compact",
        "gpt2",
        "modern",
        "stream",
        "files",
        "outer_inner",
        '["x"]',
        "[{}]",
        "lambda: 0",
    ),
)


def setting_cases() -> st.SearchStrategy[Case]:
    """Keys of experiments with values that may not fit, as --set, and the size of what comes out."""
    from polyctl.config.registry import keys

    key = st.one_of(
        st.sampled_from(keys()),
        st.sampled_from(keys()),
        st.sampled_from(
            ["", "train", "train.", ".lr", "train.lr.x", "learning_rate", "train.lr ", "é", "data.parts.0"]
        ),
    )
    value = st.one_of(
        st.sampled_from(LITERALS), st.text(max_size=10), st.integers().map(str), st.floats().map(str)
    )
    setting = st.tuples(key, st.sampled_from(["=", "=", "=", "=", " = ", "==", "", ":"]), value).map("".join)
    listed = st.lists(setting, min_size=1, max_size=3).map(lambda one: tuple(f"--set={text}" for text in one))
    smokes = st.sampled_from([("train", "smoke", "--dry-run"), ("rl", "smoke", "--smoke", "--dry-run")])
    evaluation = st.sampled_from([tuple(EVAL.split())])
    return either(
        st.builds(Case, command(st.one_of(smokes), listed)),
        st.builds(Case, command(smokes, listed)),
        st.builds(Case, command(evaluation, listed), needs=st.just(True)),
    )


# -- data ------------------------------------------------------------------------------------------

DATA = "data/smoke/train.txt"
SOLVER = "eval --solver exact --limit 2 --time-limit 0.1 --data"


def data_cases() -> st.SearchStrategy[Case]:
    """Problems in the published format, with predictions, digests, counts and manifests beside them."""
    some = edits("problems/*.txt")
    lines = "verify problems/some.txt"
    tokens = st.lists(
        st.sampled_from(
            [
                "+",
                "*",
                "^",
                "P",
                "N",
                "0",
                "1",
                "2",
                "9",
                "a",
                "a1",
                "a2",
                "b",
                "b0",
                "⁇",
                "?",
                "&",
                "x",
                "-1",
                "11",
                "9999",
                "1_0",
            ]
        ),
        max_size=30,
    ).map(" ".join)
    piped = st.builds(
        Case,
        st.sampled_from([("verify", "-"), ("verify", "-", "--without-f")]),
        st.lists(tokens, max_size=3).map("\n".join),
    )
    return either(
        damaged(some, lines, f"{lines} --without-f", f"{lines} --json", f"{SOLVER} problems/some.txt"),
        damaged(some, f"{EVAL} --data problems/some.txt", f"{TRAIN} --data problems/some.txt"),
        piped,
        damaged(edits(DATA), f"{TRAIN} --data data/smoke", "verify smoke"),
        damaged(
            edits("data/smoke/manifest.json", "json"), "gen smoke --workers 1", f"{TRAIN} --data data/smoke"
        ),
        damaged(
            edits("problems/*.tsv"),
            "report complexity --counts problems",
            f"{SOLVER} problems/homogeneous_3_2.txt --peers",
        ),
        damaged(edits("problems/solver.json", "json"), "report complexity --solver problems/solver.json"),
    )


# -- runs ------------------------------------------------------------------------------------------

SHOWN = (
    "runs list",
    "runs list --json",
    "runs show smoke",
    "runs show smoke --json",
    "tui --plain",
    "report smoke",
)


def checkpoint_cases() -> st.SearchStrategy[Case]:
    """Model files, trainer states, checkpoints of the published system, directories of Hugging Face."""
    best, trainer = (
        edits(f"{RUN}/checkpoints/best.*", "safetensors"),
        edits(f"{RUN}/checkpoints/trainer.*", "safetensors"),
    )
    asked = "decompose --method neural --model smoke --time-limit 1 x^4+2x^2+3"
    start = "train smoke --steps 1 --set train.init_from=smoke"
    return either(
        damaged(best, EVAL, EVAL, asked, start, "export gpt2 out", "doctor"),
        damaged(trainer, RESUME),
        damaged(
            edits("runs/smoke_bgrpo/*/checkpoints/rl.*", "safetensors"), "rl smoke --smoke --resume --steps 2"
        ),
        damaged(edits("model.pt", "pickle"), "import model.pt --experiment smoke --set model.heads=2"),
        damaged(edits("hf/model.safetensors", "safetensors"), "import hf"),
        damaged(edits("hf/*.json", "json"), "import hf"),
        damaged(edits("hf/config.json", "json"), "import hf"),
        damaged(edits("hf/vocab.json", "json"), "import hf"),
        damaged(
            edits("tokens.txt"),
            "import model.pt --experiment smoke --set model.heads=2 --vocabulary tokens.txt",
        ),
    )


def event_cases() -> st.SearchStrategy[Case]:
    """events.jsonl: a step, a beam, a verdict, an evaluation and so on, damaged."""
    found = edits(f"{RUN}/events.jsonl", "lines")
    return damaged(
        found,
        *SHOWN,
        "runs compare smoke smoke",
        "tui --plain --screen run",
        "tui --plain --screen beam",
        RESUME,
    )


def config_cases() -> st.SearchStrategy[Case]:
    """config.toml of a run."""
    return damaged(
        edits(f"{RUN}/config.toml", "toml"), *SHOWN, EVAL, RESUME, "runs compare smoke smoke_bgrpo", "doctor"
    )


def report_cases() -> st.SearchStrategy[Case]:
    """Reports, predictions, notes, the process that writes; keys and history of the dashboard."""
    report = edits(f"{RUN}/reports/eval-*.json", "json")
    predictions = edits(f"{RUN}/predictions/*.jsonl", "lines")
    counted = edits("runs/d1_var_3_2/*/predictions/*.jsonl", "lines")
    return either(
        damaged(report, *SHOWN),
        damaged(predictions, "verify smoke", "verify smoke --json", "tui --plain --screen beam"),
        damaged(counted, "report complexity --counts problems"),
        damaged(edits(f"{RUN}/writer.json", "json"), *SHOWN, RESUME, "runs rm smoke --yes"),
        damaged(edits(f"{RUN}/note.txt"), "tui --plain", "runs show smoke"),
        damaged(edits("runs/.started/job.json", "json"), "tui --plain", calls=("jobs",)),
        damaged(edits("tui.toml", "toml"), calls=("keys",)),
        damaged(edits("tui_history", "lines"), calls=("history",)),
    )


PLACES = (
    "config.toml",
    "events.jsonl",
    "checkpoints",
    "checkpoints/best.*",
    "checkpoints/trainer.*",
    "reports",
)
MORE = (
    "predictions",
    "reports/eval-*",
    "predictions/eval-*",
    "writer.json",
    "note.txt",
    ".lock",
    "",
)
LINKS = (
    b"nowhere",
    b".",
    b"..",
    b"/dev/null",
    b"/dev/zero",
    b"/proc/self/mem",
    b"/etc/passwd",
    b"config.toml",
)


def folder_cases() -> st.SearchStrategy[Case]:
    """Runs in which files are missing, directories, links or pipes."""
    place = st.sampled_from(PLACES + MORE).map(lambda name: f"{RUN}/{name}".rstrip("/"))
    odd = st.one_of(
        st.builds(Edit, place, st.sampled_from(["remove", "folder", "pipe"])),
        st.builds(Edit, place, st.just("link"), data=st.sampled_from(LINKS)),
    )
    return damaged(
        odd,
        *SHOWN,
        EVAL,
        RESUME,
        "verify smoke",
        "doctor",
        "runs compare smoke smoke_bgrpo",
        "export gpt2 out",
        "runs rm smoke --yes",
    )
