"""The registry: templates, inheritance, errors; and every experiment that we ship."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from polyctl.config.registry import (
    PACKAGED,
    Registry,
    find_registry,
    load_experiment,
    load_registry,
    override,
    packaged_registry,
    smoke,
    to_toml,
)
from polyctl.config.schema import Experiment
from polyctl.errors import FileError, PolyctlError, UsageError
from polyctl.store.runs import create_run

SHIPPED = load_registry(PACKAGED)


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str) -> Registry:
        path = tmp_path / "experiments.toml"
        path.write_text(text)
        return load_registry(path)

    return write


def own_names(registry: Registry) -> list[str]:
    """The names of the experiments that the registry's own file defines."""
    return [name for name, path in registry.files.items() if path == registry.path]


# -- reading -------------------------------------------------------------------------------------


def test_defaults_parents_and_own_values_are_laid_over_each_other(write):
    registry = write("""
        [defaults]
        train = { lr = 1e-3, batch = 8 }
        [experiment._parent]
        train = { batch = 16, max_grad_norm = 0.5 }
        [experiment.child]
        extends = "_parent"
        seed = 3
        train.max_grad_norm = 0.25
    """)
    assert own_names(registry) == ["child"]
    child = registry.get("child")
    assert (child.name, child.seed) == ("child", 3)
    assert (child.train.lr, child.train.batch, child.train.max_grad_norm) == (1e-3, 16, 0.25)
    assert child.train.steps == Experiment(name="x").train.steps


def test_a_list_replaces_its_parents_list(write):
    registry = write("""
        [defaults]
        data.outer_degrees = [2, 3]
        [experiment.a]
        data.outer_degrees = [4]
    """)
    assert registry.get("a").data.outer_degrees == (4,)


def test_a_grid_of_lists_is_their_product_and_keeps_types(write):
    registry = write("""
        [experiment."w{width}_l{layers}_{architecture}"]
        description = "{layers} layers of {width}"
        grid = { width = [64, 128], layers = [1, 2], architecture = "gpt2" }
        model = { width = "{width}", layers = "{layers}", architecture = "{architecture}" }
        data.outer_degrees = ["{layers}", 7]
        data.inners = 2
    """)
    assert own_names(registry) == [
        "w64_l1_gpt2",
        "w64_l2_gpt2",
        "w128_l1_gpt2",
        "w128_l2_gpt2",
    ]
    experiment = registry.get("w128_l2_gpt2")
    assert (experiment.model.width, experiment.model.layers) == (128, 2)
    assert experiment.description == "2 layers of 128"
    assert experiment.data.outer_degrees == (2, 7)


def test_a_grid_may_be_an_array_of_tables_and_a_template_may_extend_a_template(write):
    registry = write("""
        [experiment."base_{n}"]
        grid = [{ n = 1, batch = 100 }, { n = [2, 3], batch = 50 }]
        train.batch = "{batch}"
        [experiment."child_{n}"]
        extends = "base_{n}"
        grid.n = [1, 3]
    """)
    assert [registry.get(f"base_{n}").train.batch for n in (1, 2, 3)] == [100, 50, 50]
    assert [registry.get(f"child_{n}").train.batch for n in (1, 3)] == [100, 50]


def test_matching_takes_patterns_and_refuses_one_that_fits_nothing(write):
    registry = write("[experiment.a1]\n[experiment.a2]\n[experiment.b1]\n")
    assert [e.name for e in registry.matching(["b1", "a2"])] == ["a2", "b1"]
    assert [e.name for e in registry.matching([])] == ["a1", "a2", "b1", *SHIPPED.names()]
    with pytest.raises(UsageError, match=r"'c\*'"):
        registry.matching(["a*", "c*"])


def test_search_order(tmp_path, monkeypatch):
    outer, inner = tmp_path / "experiments.toml", tmp_path / "deep" / "er"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    monkeypatch.delenv("POLYCTL_REGISTRY", raising=False)
    assert find_registry() == PACKAGED
    outer.write_text("[experiment.outer]")
    assert find_registry() == outer
    monkeypatch.setenv("POLYCTL_REGISTRY", "env.toml")
    assert find_registry() == Path("env.toml")
    assert find_registry(Path("flag.toml")) == Path("flag.toml")


def test_the_packaged_registry_lies_beside_a_clones_package_and_inside_an_installed_one(tmp_path):
    package = tmp_path / "polyctl"
    package.mkdir()
    assert packaged_registry(package) == tmp_path / "experiments.toml"
    (tmp_path / "experiments.toml").touch()
    (package / "experiments.toml").touch()
    assert packaged_registry(package) == package / "experiments.toml"
    assert Path(__file__).parents[2] / "experiments.toml" == PACKAGED


def test_a_local_file_extends_the_packaged_one(write):
    registry = write("""
        [defaults]
        seed = 7
        train.lr = 0.5
        [experiment.mine]
        extends = "d1_degree"
        train.batch = 16
        [experiment.quick]
        extends = "quick"
        train.steps = 3
        [experiment.alone]
        [experiment.small]
        extends = "quick"
    """)
    assert registry.names()[:4] == ["mine", "quick", "alone", "small"]
    assert registry.names()[4:] == [name for name in SHIPPED.names() if name != "quick"]
    assert registry.paths == [registry.path, PACKAGED]
    assert (registry.files["quick"], registry.files["smoke"]) == (registry.path, PACKAGED)
    mine, published = registry.get("mine"), SHIPPED.get("d1_degree")
    assert (mine.train.batch, mine.train.lr, mine.model) == (16, published.train.lr, published.model)
    assert mine.seed == registry.get("alone").seed == 7
    assert mine.eval.max_tokens == 150  # of the packaged defaults
    assert registry.get("alone").eval.max_tokens == Experiment(name="x").eval.max_tokens
    assert registry.get("quick").train.steps == registry.get("small").train.steps == 3
    assert registry.get("quick").model == SHIPPED.get("quick").model
    assert registry.get("smoke") == SHIPPED.get("smoke")  # packaged ones stay as they are


def test_the_packaged_registry_extends_none():
    assert SHIPPED.paths == [PACKAGED]


def test_a_wrong_key_is_reported_where_it_stands(write, tmp_path):
    with pytest.raises(UsageError) as caught:
        write("[experiment.mine]\nextends = 'd2_heads_8'\nmodel.heads = 7")
    assert f"{tmp_path / 'experiments.toml'}: [experiment.mine] model" in caught.value.message
    with pytest.raises(UsageError) as caught:
        write("[experiment.mine]\nextends = 'd2_heads_9'")
    assert "did you mean d2_heads_" in (caught.value.hint or "")


# -- errors --------------------------------------------------------------------------------------

WRONG = {
    "unknown key": (
        "[experiment.a]\ntrain.lrr = 1.0",
        "[experiment.a] train.lrr: there is no such key",
        "train.lr?",
    ),
    "key of another section": ("[experiment.a]\nlayers = 2", "layers: there is no such key", "model.layers?"),
    "in a parent": (
        "[experiment._p]\nmodel.hads=2\n[experiment.a]\nextends='_p'",
        "[experiment._p] model.hads",
        "model.heads?",
    ),
    "in the defaults": ("[defaults]\nsede = 1", "[defaults] sede: there is no such key", "seed?"),
    "unknown section": ("[experiment.a.trian]\nlr = 1.0", "[experiment.a] trian", None),
    "text for a number": (
        "[experiment.a]\ntrain.steps = '100'",
        "train.steps = '100': must be a whole number",
        None,
    ),
    "truth for a number": ("[experiment.a]\ntrain.steps = true", "train.steps = True", None),
    "out of range": (
        "[experiment.a]\nmodel.dropout = 1.5",
        "model.dropout = 1.5: must be less than 1",
        None,
    ),
    "wrong word": ("[experiment.a]\ndata.family = 'monik'", "data.family = 'monik'", "did you mean monic?"),
    "number for a table": ("[experiment.a]\ndata = 3", "[experiment.a] data = 3", None),
    "contradiction": (
        "[experiment.a]\nmodel = {heads = 3, width = 32}",
        "model: width 32 is not a multiple of heads 3",
        None,
    ),
    "bad value in a list": (
        "[experiment.a]\ndata.outer_degrees = [2, 'x']",
        "data.outer_degrees = 'x'",
        None,
    ),
    "missing parent": (
        "[experiment.abc]\n[experiment.a]\nextends = 'abd'",
        "[experiment.a] extends: there is no experiment 'abd'",
        "abc?",
    ),
    "circle": (
        "[experiment.a]\nextends='b'\n[experiment.b]\nextends='a'",
        "goes in a circle: a -> b -> a",
        "extends",
    ),
    "extends itself": ("[experiment.a]\nextends='a'", "a -> a", None),
    "extends a list": ("[experiment.a]\nextends=['a']", "extends: must be the name", None),
    "name as a key": ("[experiment.a]\nname = 'b'", "[experiment.a] name", "remove the key"),
    "twice": ("[experiment.a1]\n[experiment.'a{n}']\ngrid.n=[1]", "defines a1 a second time", None),
    "grid not in the name": (
        "[experiment.'a{n}']\ngrid.n=[1]\ngrid.m=[1, 2]",
        "defines a1 a second time",
        "placeholder",
    ),
    "no grid": ("[experiment.'a{n}']", "placeholders in its name but no grid", "grid.NAME"),
    "unknown placeholder": (
        "[experiment.'a{n}']\ngrid.n=[1]\nseed='{m}'",
        "uses {m} in '{m}'",
        "the grid has n",
    ),
    "empty grid": ("[experiment.'a{n}']\ngrid.n=[]", "grid: must be", None),
    "grid of numbers": ("[experiment.'a{n}']\ngrid=3", "grid: must be", None),
    "unknown table": ("[experimant.a]", "unknown table [experimant]", "did you mean experiment?"),
    "experiment is no table": ("experiment = 3", "experiment must be a table", "[experiment]"),
    "one experiment is no table": ("experiment.a = 3", "experiment.a must be a table", "[experiment.a]"),
    "syntax": ("[defaults]\nseed = = 3", "line 2", "fix"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_with_file_table_and_key(case, write, tmp_path):
    text, message, hint = WRONG[case]
    with pytest.raises(UsageError) as caught:
        write(text)
    assert str(tmp_path / "experiments.toml") in caught.value.message
    assert message in caught.value.message
    if hint is not None:
        assert hint in (caught.value.hint or "")


def test_a_registry_that_cannot_be_read(tmp_path):
    with pytest.raises(FileError, match="there is no registry"):
        load_registry(tmp_path / "none.toml")
    with pytest.raises(FileError, match="cannot be read"):
        load_registry(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(UsageError, match="not UTF-8"):
        load_registry(tmp_path / "latin.toml")


def test_an_unknown_experiment_gets_the_nearest_name():
    with pytest.raises(UsageError) as caught:
        SHIPPED.get("d2_arch_512_l7")
    assert str(PACKAGED) in caught.value.message
    assert "did you mean d2_arch_512_l" in caught.value.hint


# -- changing an experiment ----------------------------------------------------------------------


def test_override_reads_toml_literals_and_falls_back_to_text():
    quick = SHIPPED.get("quick")
    changed = override(
        quick,
        [
            "train.lr=1e-4",
            "train.steps = 7",
            "data.outer_degrees=[3, 4]",
            "data.family=monic",
            'data.tokenizer="prefix"',
            "train.init_from=quick/20250101-000000",
        ],
    )
    assert (changed.train.lr, changed.train.steps) == (1e-4, 7)
    assert changed.data.outer_degrees == (3, 4)
    assert (changed.data.family, changed.data.tokenizer) == ("monic", "prefix")
    assert changed.train.init_from == "quick/20250101-000000"
    assert changed.model == quick.model


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("train.lr=.5", 0.5),
        ("train.lr=5.", 5.0),
        ("train.lr=1e-05", 1e-5),
        ("train.steps=1e3", 1000),
        ("train.steps=1_000", 1000),
        ("train.end_with_clock=True", True),
        ("train.workers=None", None),
        ("data.outer_degrees=(2, 3)", (2, 3)),
        ("data.exclude=['a', 'b',]", ("a", "b")),
        ("train.init_from=lambda: 0", "lambda: 0"),
        ("train.init_from=((((", "(((("),
    ],
)
def test_values_may_be_written_as_in_python(setting, value):
    section, _, key = setting.partition("=")[0].partition(".")
    assert getattr(getattr(override(SHIPPED.get("quick"), [setting]), section), key) == value


def test_every_number_has_an_upper_bound():
    def unbounded(model):
        for name, field in model.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                yield from unbounded(field.annotation)
            elif field.annotation in (int, float, int | None):
                bounds = [m for m in field.metadata if hasattr(m, "le") or hasattr(m, "lt")]
                if not bounds:
                    yield name

    assert list(unbounded(Experiment)) == []


def test_a_registry_written_on_windows(tmp_path):
    path = tmp_path / "experiments.toml"
    path.write_bytes(b"\xef\xbb\xbf[experiment.mine]\r\ndescription = 'Mine'\r\n")
    assert load_registry(path).get("mine").description == "Mine"


def test_settings_are_checked_together_not_one_by_one():
    changed = override(SHIPPED.get("quick"), ["model.heads=3", "model.width=96"])
    assert (changed.model.heads, changed.model.width) == (3, 96)


@pytest.mark.parametrize(
    ("setting", "message", "hint"),
    [
        ("train.lr", "sets nothing", "KEY=VALUE"),
        ("=3", "sets nothing", "KEY=VALUE"),
        ("train.lrr=1", "no key 'train.lrr'", "train.lr?"),
        ("lr=1", "no key 'lr'", "train.lr?"),
        ("train=1", "no key 'train'", "train is a table"),
        ("name=x", "no key 'name'", ""),
        ("zzz=1", "no key 'zzz'", "experiments show"),
        ("model.zzz=1", "no key 'model.zzz'", "model.width"),
        ("train.lr=fast", "train.lr = 'fast': must be a number", ""),
        ("train.steps=1.5", "train.steps = 1.5: must be a whole number", ""),
        ("train.steps=true", "train.steps = True: must be a whole number", ""),
        ("train.end_with_clock=1", "train.end_with_clock = 1: must be true or false", ""),
        ("train.init_from=1", "train.init_from = 1: must be text", ""),
        ("data.outer_degrees=3", "data.outer_degrees = 3: must be a list", ""),
        ("data.outer_degrees=[]", "data.outer_degrees = []: must have at least 1 entry", ""),
        ("train.lr=0", "train.lr = 0: must be greater than 0", ""),
        ("eval.beam=2000", "eval.beam = 2000: must be at most 1000", ""),
        ("train.lr=nan", "train.lr = nan: must be a finite number", ""),
        ("train.lr=1e400", "train.lr = inf: must be a finite number", ""),
        ("train.steps=10_000_000_000", "must be at most 1,000,000,000", ""),
        ("data.inner_degrees=[2, 65]", "data.inner_degrees = 65: must be at most 64", ""),
        ("model.width=1_000_000", "must be at most 131,072", ""),
        ("seed=-1", "seed = -1: must be at least 0", ""),
        ("train.beta2=1", "must be less than 1", ""),
        ("train.schedule=foo", "train.schedule = 'foo': must be 'cosine' or 'wsd'", ""),
        ("train.learning_rate=1", "no key 'train.learning_rate'", "did you mean train.lr?"),
        ("rl.learning_rate=1", "no key 'rl.learning_rate'", "did you mean rl.lr?"),
        ("learning_rate=1", "no key 'learning_rate'", "did you mean train.lr?"),
        ("train.batch_size=1", "no key 'train.batch_size'", "did you mean train.batch?"),
        ("model.dim=1", "no key 'model.dim'", "did you mean model.width?"),
        ("model.heads=3", "not a multiple of heads", ""),
        ("data.family=monik", "'monik'", "monic?"),
    ],
)
def test_a_wrong_setting_names_the_key_and_the_nearest(setting, message, hint):
    with pytest.raises(UsageError) as caught:
        override(SHIPPED.get("quick"), [setting])
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_setting_cannot_smuggle_in_a_second_one():
    with pytest.raises(PolyctlError):
        override(SHIPPED.get("quick"), ["seed=1\ntrain = 2"])


# -- what we ship --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED.names())
def test_every_shipped_experiment_loads_shrinks_and_survives_its_own_toml(name, tmp_path):
    experiment = SHIPPED.get(name)
    assert experiment.name == name
    assert experiment.description
    assert bool(experiment.paper) == name.startswith(("d1", "d2", "d3", "example"))
    assert len(experiment.description) <= 46  # fits a line of 80 columns in `polyctl experiments`
    assert create_run(experiment, tmp_path).config() == experiment
    text = to_toml(experiment)
    assert f'name = "{name}"' in text
    assert "{" not in text  # no placeholder is left
    small = smoke(experiment)
    assert (small.model.layers, small.model.width, small.model.heads) == (2, 32, 2)
    assert small.train.steps * small.train.batch <= 64
    assert small.model.context_length == experiment.model.context_length
    assert small.train.source == "stream"
    assert small.train.init_from is None
    assert small.name != name or name == "smoke"


def test_the_papers_names_are_all_there():
    expected = ["d1_degree"]
    expected += [f"d1_var_{pair}" for pair in ("3_2", "3_3", "2_3", "4_3", "3_4")]
    expected += [f"d2_arch_{width}_l{layers}" for width in (256, 512, 768, 1024) for layers in (4, 6)]
    expected += [f"d2_heads_{heads}" for heads in (4, 8, 16)]
    expected += ["d3_pretrain_monic", "d3_pretrain_split"]
    expected += [f"d3_finetune_{base}_{1280 * 2**k}" for base in ("monic", "split") for k in range(7)]
    expected += ["example_single", "example_multi", "example_on"]
    assert {e.name for e in SHIPPED.matching() if e.paper} == set(expected)


# name: (family, v_in, v_out, target, layers, heads, width, block, batch, epochs, train_size)
TABLED = {
    "d1_degree": ("univariate", 1, 1, "inner", 6, 8, 512, 300, 256, 15, 1_000_000),
    "d1_var_3_2": ("homogeneous", 3, 2, "outer_inner", 6, 4, 512, 850, 200, 31, 1_000_000),
    "d1_var_4_3": ("homogeneous", 4, 3, "outer_inner", 6, 4, 512, 850, 200, 31, 1_000_000),
    "d2_heads_4": ("homogeneous", 3, 3, "outer_inner", 6, 4, 512, 850, 200, 31, 1_000_000),
    "d3_pretrain_split": ("split", 1, 1, "inner", 4, 8, 512, 256, 256, 15, 1_000_000),
    "d3_finetune_split_5120": ("monic", 1, 1, "inner", 4, 8, 512, 256, 128, 1, 5120),
    "example_single": ("univariate", 1, 1, "inner", 6, 8, 512, 350, 512, 10, 1_000_000),
    "example_multi": ("separable", 3, 3, "outer_inner", 6, 8, 512, 800, 128, 3, 300_000),
    "example_on": ("on_singlet", 20, 1, "inner", 4, 8, 256, 400, 256, 8, 1_000_000),
}


@pytest.mark.parametrize("name", TABLED)
def test_published_sizes(name):
    e = SHIPPED.get(name)
    data, model, train = e.data, e.model, e.train
    facts = (
        data.family,
        data.inner_variables,
        data.inners,
        data.target,
        model.layers,
        model.heads,
        model.width,
    )
    assert (*facts, model.context_length, train.batch, train.epochs, data.train_size) == TABLED[name]


# family: (outer degrees, inner degrees, outer bound, inner bound)
DRAWN = {
    "d1_degree": ((2, 3, 4), (2, 3, 4), 20, 20),
    "d1_var_2_3": ((3,), (3,), 5, 5),
    "d3_pretrain_monic": ((2,), (2, 3, 4), 5, 20),
    "example_multi": ((1, 2), (1, 2), 20, 20),
    "example_on": ((2,), (2,), 10, 5),
}


@pytest.mark.parametrize("name", DRAWN)
def test_published_distributions(name):
    data = SHIPPED.get(name).data
    assert (data.outer_degrees, data.inner_degrees, data.outer_bound, data.inner_bound) == DRAWN[name]


def test_what_all_published_experiments_share():
    for e in SHIPPED.matching(["d[123]_*", "example_*"]):
        assert (e.data.tokenizer, e.model.architecture, e.model.dropout) == ("prefix", "gpt2", 0.1)
        assert (e.train.lr, e.train.source, e.train.schedule) == (6e-4, "files", "cosine")
        assert (e.eval.beam, e.eval.max_tokens) == (30, 150)
    for e in SHIPPED.matching(["d2_*"]):
        assert 32 <= e.train.batch <= 200
        assert 25 <= e.train.epochs <= 60
    finetune = SHIPPED.get("d3_finetune_split_1280")
    pretrain = SHIPPED.get("d3_pretrain_split")
    assert finetune.train.init_from == "d3_pretrain_split"
    assert finetune.model == pretrain.model
    assert finetune.data.inner_bound > pretrain.data.inner_bound


def test_settings_are_applied_after_an_experiment_is_shrunk():
    experiment = load_experiment("quick", ["train.steps=7"], small=True)
    assert (experiment.name, experiment.train.steps) == ("quick_smoke", 7)
    assert experiment.model.width == smoke(load_experiment("quick")).model.width
