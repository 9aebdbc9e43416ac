"""The typed configuration of an experiment; registry.py reads it from experiments.toml.

Every class is frozen and refuses unknown keys, so that a misspelt option is an error
and never a silent default.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from polyctl.config.names import check_name

FamilyName = Literal[
    "univariate", "separable", "on_singlet", "monic", "split", "homogeneous", "sparse", "mixed"
]
TargetKind = Literal["inner", "outer_inner"]
TokenizerName = Literal["prefix", "compact", "terms"]
AlgorithmName = Literal["bgrpo", "grpo", "boost"]
RewardName = Literal["simple", "rank", "reverse_rank"]
KLName = Literal["exact", "k3"]


# Bounds far above what anybody trains, so that a slip of the hand is an error and no endless run.
COUNT = 10**9  # steps, problems
ROWS = 10**6  # problems held at once
TOKENS = 2**16
DEGREE = 64
RATE = 100.0

Degrees = Annotated[tuple[Annotated[int, Field(ge=0, le=DEGREE)], ...], Field(min_length=1)]


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataConfig(_Config):
    """Which problems: a family with its parameters, its token format and its set sizes."""

    family: FamilyName = "univariate"
    tokenizer: TokenizerName = "compact"
    base: int = Field(
        1000, ge=2, le=10_000, description="compact and terms: base in which numbers are written"
    )
    canonical: bool = Field(
        False, description="compact and terms: variables of f in canonical order, with canonical signs"
    )
    target: TargetKind = "inner"
    inner_variables: int = Field(1, ge=1, le=20, description="variables of f (v_in)")
    inners: int = Field(1, ge=1, le=8, description="number of inner polynomials (v_out)")
    outer_degrees: Degrees = (2, 3, 4)
    inner_degrees: Degrees = (2, 3, 4)
    outer_bound: int = Field(
        20, ge=1, le=COUNT, description="outer coefficients are drawn from [-bound, bound]"
    )
    inner_bound: int = Field(
        20, ge=1, le=COUNT, description="inner coefficients are drawn from [-bound, bound]"
    )
    train_size: int = Field(10_000, ge=1, le=COUNT)
    valid_size: int = Field(128, ge=1, le=ROWS)
    test_size: int = Field(
        300, ge=1, le=ROWS, description="problems in each test set (one set for each pair of degrees)"
    )
    exclude: tuple[str, ...] = Field(
        (),
        description="files whose problems are never trained on; published: the published test problems, "
        "published/homogeneous_3_2: one set of them",
    )
    parts: tuple[DataConfig, ...] = Field((), description="mixed: the families that problems come from")
    weight: float = Field(
        1.0, gt=0, le=COUNT, description="in a mixture: how often problems of this part are drawn"
    )

    @model_validator(mode="after")
    def _mixtures_have_parts(self) -> DataConfig:
        mixed = self.family == "mixed"
        if mixed != bool(self.parts):
            raise ValueError('data.parts is required for family "mixed" and not allowed for any other')
        if any(part.family == "mixed" or part.target != self.target for part in self.parts):
            raise ValueError(
                "each part of a mixture must be a family other than mixed, with the mixture's target"
            )
        if mixed and (self.tokenizer == "prefix" or self.target != "inner"):
            raise ValueError("a mixture needs tokenizer compact or terms, and target inner")
        return self

    @model_validator(mode="after")
    def _targets_can_be_read(self) -> DataConfig:
        if self.canonical and (self.tokenizer == "prefix" or self.target != "inner"):
            raise ValueError("canonical needs tokenizer compact or terms, and target inner")
        if self.tokenizer == "prefix" and self.target == "inner" and self.inners > 1:
            raise ValueError(
                "prefix tokens cannot tell several inner polynomials from an outer one with inners: "
                "set target outer_inner, or another tokenizer"
            )
        return self

    @model_validator(mode="after")
    def _decompositions_are_not_trivial(self) -> DataConfig:
        """Degrees with which every problem would be trivial are refused: none would ever be drawn."""
        if self.family == "mixed":
            return self
        least_outer, least_inner = 1 + (self.inners == 1), 1 + (self.inner_variables == 1)
        for name, degrees, least in (
            ("outer_degrees", self.outer_degrees, least_outer),
            ("inner_degrees", self.inner_degrees, least_inner),
        ):
            if min(degrees) < least:
                raise ValueError(
                    f"{name} {list(degrees)}: degree {min(degrees)} would make every decomposition trivial"
                )
        several = self.family in ("homogeneous", "sparse") and self.inners >= self.inner_variables
        if (several or self.family == "separable") and max(self.inner_degrees) < 2:
            raise ValueError(
                f"inner_degrees {list(self.inner_degrees)}: degree 1 would make every decomposition trivial"
            )
        return self


class ModelConfig(_Config):
    """The transformer: `gpt2` as published, or `modern` (RMSNorm, RoPE, QK-norm, tied head)."""

    architecture: Literal["gpt2", "modern"] = "modern"
    layers: int = Field(6, ge=1, le=1000)
    heads: int = Field(8, ge=1, le=1000)
    width: int = Field(512, ge=8, le=2**17)
    context_length: int = Field(
        350, ge=8, le=TOKENS, description="longest sequence in tokens, prompt and target together"
    )
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    gelu: Literal["erf", "tanh"] = Field(
        "erf", description="gpt2: the exact GELU, as published, or the approximation that GPT-2 uses"
    )
    residues: int = Field(
        0, ge=0, le=200, description="terms: also show numbers modulo primes up to this, and their size"
    )
    ratios: bool = Field(
        False, description="with residues: also show the ratio of each number to the leading one"
    )
    number_init: Literal["random", "fourier"] = Field(
        "random", description="how embeddings of numbers are initialized"
    )

    @model_validator(mode="after")
    def _heads_divide_width(self) -> ModelConfig:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        if self.residues == 1:
            raise ValueError("residues = 1 allows no prime: set 0, or 2 or more")
        if self.ratios and not self.residues:
            raise ValueError("ratios need residues: set residues too, or ratios = false")
        return self


class TrainConfig(_Config):
    """Supervised training; `stream` draws fresh problems, `files` repeats epochs.

    With repeat_size a stream is mixed with a small fixed set that is repeated: two-set training, after
    Charton and Kempe, arXiv 2410.07041.
    """

    source: Literal["stream", "files"] = "stream"
    steps: int = Field(1000, ge=1, le=COUNT, description="optimizer steps (for files: when epochs is 0)")
    epochs: int = Field(0, ge=0, le=ROWS, description="passes over train.txt (files source)")
    repeat_size: int = Field(
        0, ge=0, le=COUNT, description="stream: problems in the set that is repeated; 0 for none"
    )
    repeat_share: float = Field(
        0.25, gt=0, le=1, description="share of each batch drawn from that set, at least one problem"
    )
    echo_factor: int = Field(
        1, ge=1, le=100, description="stream: how often each fresh problem is trained on (data echoing)"
    )
    batch: int = Field(64, ge=1, le=ROWS, description="problems in an optimizer step, over all processes")
    accumulate: int = Field(
        1, ge=1, le=ROWS, description="forward passes that an optimizer step is split into"
    )
    mixed_lengths: bool = Field(
        False,
        description="each step has problems of all lengths; accumulate them, so that little is padded",
    )
    optimizer: Literal["adamw", "muon"] = Field("adamw", description="muon: for the matrices, with AdamW")
    lr: float = Field(6e-4, gt=0, le=RATE)
    schedule: Literal["cosine", "wsd"] = Field(
        "cosine", description="wsd: warm-up, stable, decay over the last decay_fraction of the steps"
    )
    warmup: int = Field(100, ge=0, le=COUNT, description="steps of linear warm-up")
    final_lr_ratio: float = Field(0.1, ge=0, le=1, description="last learning rate as a fraction of lr")
    decay_fraction: float = Field(0.2, gt=0, le=1, description="wsd: share of the steps that decay")
    end_with_clock: bool = Field(
        False,
        description="with --max-minutes: the learning rate reaches its last value when the time is over",
    )
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.95, ge=0, lt=1)
    weight_decay: float = Field(0.1, ge=0, le=RATE)
    ema: float = Field(
        0.0, ge=0, lt=1, description="decay of an exponential average of the weights; 0 for none"
    )
    max_grad_norm: float = Field(1.0, gt=0, le=ROWS, description="the gradient is scaled down to this norm")
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compile: Literal["auto", "on", "off"] = "auto"
    workers: int | None = Field(
        None,
        ge=0,
        le=1000,
        description="data processes; unset: as many as there are idle cores on a GPU, none on a CPU",
    )
    eval_every: int = Field(500, ge=1, le=COUNT, description="steps between validations")
    eval_problems: int = Field(
        64, ge=1, le=ROWS, description="held-out problems decoded greedily in each validation"
    )
    init_from: str | None = Field(None, description="a run or checkpoint whose weights to start from")

    @model_validator(mode="after")
    def _repeats_fit_the_source(self) -> TrainConfig:
        if self.repeat_size and self.source != "stream":
            raise ValueError(
                f"repeat_size {self.repeat_size} needs source = 'stream', because it is mixed into a stream"
            )
        if self.echo_factor > 1 and self.source != "stream":
            raise ValueError(
                f"echo_factor {self.echo_factor} needs source = 'stream'; files are repeated by epochs"
            )
        if self.echo_factor > 1 and self.repeat_size:
            raise ValueError(
                f"echo_factor {self.echo_factor} would also repeat the set of repeat_size "
                f"{self.repeat_size}: set one of them"
            )
        return self


class EvalConfig(_Config):
    """How a checkpoint is evaluated."""

    beam: int = Field(10, ge=1, le=1000)  # a step takes memory for every pair of a hypothesis and a token
    max_tokens: int = Field(150, ge=1, le=TOKENS, description="longest answer in tokens")
    samples: int = Field(0, ge=0, le=1000, description="answers drawn instead of a beam; 0: beam search")
    temperature: float = Field(
        0.7, gt=0, le=RATE, description="with samples: the temperature they are drawn at"
    )
    problems: int = Field(300, ge=1, le=COUNT)
    batch: int = Field(16, ge=1, le=ROWS, description="problems searched in one batch")

    @property
    def width(self) -> int:
        """How many answers a problem gets."""
        return self.samples or self.beam


class RLConfig(_Config):
    """Reinforcement learning after supervised training: groups of hypotheses, verified (docs/rl.md)."""

    algorithm: AlgorithmName = "bgrpo"
    init_from: str | None = Field(
        None, description="experiment or run to start from; unset: the experiment's own supervised run"
    )
    questions: str | None = Field(
        None, description="file of problems to learn from, in the published format; unset: drawn ones"
    )
    steps: int = Field(100, ge=1, le=COUNT, description="steps of `groups_per_step` groups each")
    groups_per_step: int = Field(16, ge=1, le=ROWS, description="problems in a step, over all processes")
    group_size: int = Field(10, ge=2, le=1000, description="hypotheses in a group")
    temperature: float = Field(1.0, gt=0, le=RATE, description="grpo: sampling temperature")
    reward: Literal["auto", RewardName] = Field(
        "auto", description="of weighting reward; auto: rank for bgrpo, simple for grpo"
    )
    wrong_reward: float = Field(-0.1, ge=-RATE, le=RATE, description="reward of a wrong hypothesis")
    balance_rewards: bool = Field(
        False, description="the wrong hypotheses of a group share its rewards, with the opposite sign"
    )
    weighting: Literal["probability", "reward"] = Field(
        "probability",
        description="bgrpo: weigh hypotheses by probability, or by reward minus the mean as the paper does",
    )
    probability_baseline: float = Field(
        0.8, ge=0, le=1, description="probability: λ of the weight q - λ p; below 1 it keeps p in the beam"
    )
    completion: bool = Field(
        False, description="judge the inner polynomials alone; the outer one is found by algebra"
    )
    scale_rewards: bool = Field(
        False, description="for comparison: divide advantages by their standard deviation"
    )
    updates_per_step: int = Field(1, ge=1, le=1000, description="optimizer steps on the groups of a step")
    clip_low: float = Field(0.2, gt=0, lt=1, description="the ratio is clipped below 1 - clip_low")
    clip_high: float = Field(0.2, gt=0, le=RATE, description="the ratio is clipped above 1 + clip_high")
    kl_weight: float = Field(
        0.02, ge=0, le=RATE, description="weight of the divergence from the reference model"
    )
    kl_estimator: KLName = Field(
        "exact", description="exact: over the whole vocabulary; k3: from the emitted tokens alone"
    )
    lr: float = Field(1e-4, gt=0, le=RATE, description="1e-4 for up to 64 problems a step, 2e-4 for more")
    warmup: int = Field(5, ge=0, le=COUNT, description="steps of linear warm-up")
    final_lr_ratio: float = Field(0.1, ge=0, le=1, description="last learning rate as a fraction of lr")
    decay_fraction: float = Field(
        0.4, gt=0, le=1, description="share of the steps, the last ones, over which it falls linearly"
    )
    end_with_clock: bool = Field(
        False,
        description="with --max-minutes: the learning rate reaches its last value when the time is over",
    )
    weight_decay: float = Field(0.0, ge=0, le=RATE)
    max_grad_norm: float = Field(0.5, gt=0, le=ROWS, description="the gradient is scaled down to this norm")
    micro_groups: int = Field(16, ge=1, le=ROWS, description="groups in a forward pass of the update")
    families: tuple[FamilyName, ...] = Field((), description="families to mix; empty for data.family")
    max_redraws: int = Field(
        2,
        ge=0,
        le=1000,
        description="fresh problems: how often those without a signal are replaced in a step",
    )
    pool_candidates: int = Field(
        0, ge=0, le=COUNT, description="problems probed for a pool; 0 trains on fresh problems"
    )
    pool_refresh_every: int = Field(25, ge=1, le=COUNT, description="steps between two refreshes of the pool")
    difficulty_band: tuple[float, float] = Field(
        (0.01, 0.99), description="share of correct hypotheses in the probe"
    )
    max_solved_share: float = Field(
        0.5, ge=0, le=1, description="largest share of the pool whose first answer is correct"
    )
    eval_every: int = Field(25, ge=1, le=COUNT, description="steps between validations")
    examples: int = Field(
        1, ge=0, le=ROWS, description="groups shown in the events every `examples_every` steps"
    )
    examples_every: int = Field(5, ge=1, le=COUNT)
    solver_seconds: float = Field(
        1.0, ge=0, le=86_400, description="boost: seconds of the solver for a problem without an answer"
    )
    solver: Literal["polish", "solve", "off"] = Field(
        "polish", description="boost: polish wrong hypotheses, try exact methods first, or neither"
    )

    @model_validator(mode="after")
    def _band_rises(self) -> RLConfig:
        if not 0 <= self.difficulty_band[0] <= self.difficulty_band[1] <= 1:
            raise ValueError(
                f"difficulty_band {self.difficulty_band} must be two rising numbers between 0 and 1"
            )
        return self


class Experiment(_Config):
    """A named experiment, fully resolved."""

    name: Annotated[str, AfterValidator(check_name)]
    description: str = ""
    paper: str = Field("", description="where the paper describes it")
    seed: int = Field(0, ge=0, lt=2**63)
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()
    eval: EvalConfig = EvalConfig()
    rl: RLConfig = RLConfig()

    @model_validator(mode="after")
    def _terms_are_read_by_the_modern_architecture(self) -> Experiment:
        terms = self.data.tokenizer == "terms"
        if terms and self.model.architecture == "gpt2":
            raise ValueError('data.tokenizer = "terms" needs model.architecture = "modern"')
        if self.model.residues and not terms:
            raise ValueError(
                f'model.residues = {self.model.residues} needs data.tokenizer = "terms", '
                f"not {self.data.tokenizer!r}: set model.residues = 0"
            )
        return self
