"""The attention functions against plain formulas, and the way to flash-attn."""

import types

import pytest
import torch
from torch.nn import functional as F

from polyctl.model import attention


def test_causal_attention_is_a_masked_softmax():
    q, k, v = torch.randn(3, 2, 4, 7, 8).unbind(0)
    scores = (q @ k.transpose(-1, -2) / 8**0.5).masked_fill(~torch.ones(7, 7).tril().bool(), -torch.inf)
    torch.testing.assert_close(attention.causal_attention(q, k, v), scores.softmax(-1) @ v)


def test_decode_attention_is_one_softmax_over_prompt_and_suffix():
    problems, width, heads, prompt, suffix, size = 2, 3, 2, 5, 4, 8
    lengths = [5, 3]
    query = torch.randn(problems, heads, width, size)
    prompt_pair = (torch.randn(problems, heads, prompt, size), torch.randn(problems, heads, prompt, size))
    shape = (problems, width, heads, suffix, size)
    suffix_pair = (torch.randn(shape), torch.randn(shape))
    ended = torch.arange(min(lengths), prompt) >= torch.tensor(lengths)[:, None]
    padding = torch.where(ended, -torch.inf, 0.0)[:, None, None]
    out = attention.decode_attention(query, prompt_pair, suffix_pair, padding)
    for b in range(problems):
        for w in range(width):
            for h in range(heads):
                keys, values = (
                    torch.cat((p[b, h, : lengths[b]], s[b, w, h]))
                    for p, s in zip(prompt_pair, suffix_pair, strict=True)
                )
                weights = (keys @ query[b, h, w] / size**0.5).softmax(-1)
                torch.testing.assert_close(out[b, h, w], weights @ values)


# -- flash-attn ------------------------------------------------------------------------------------

CARD = torch.device("cuda", 0)


class Flash2:
    """A stand-in for flash_attn_func of flash-attn 2: tokens before heads, takes dropout."""

    def __init__(self) -> None:
        self.calls: list[float] = []

    def __call__(self, q, k, v, dropout_p, causal):
        assert causal
        self.calls.append(dropout_p)
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2)


class Flash4(Flash2):
    """The one of flash-attn-4: no dropout, the log-sum-exp comes back as well."""

    def __call__(self, q, k, v, causal):
        return super().__call__(q, k, v, 0.0, causal), None


def missing_symbol(*_, **__):
    raise RuntimeError("CUDA error: no kernel image is available for execution on the device")


@pytest.fixture
def install(monkeypatch):
    """Put stand-ins for flash_attn and flash_attn.cute into a machine with a card; nothing was found out yet.

    An exception instead of a function is what the import raises.
    """

    def install(flash2=None, flash4=None, capability=(9, 0)):
        def import_module(name):
            function = {"flash_attn": flash2, "flash_attn.cute": flash4}[name]
            imports.append(name)
            if isinstance(function, Exception):
                raise function
            if function is None and name == "flash_attn.cute":
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            # flash-attn-4 alone leaves a name space without any function
            return types.SimpleNamespace(**({} if function is None else {"flash_attn_func": function}))

        imports: list[str] = []
        there = flash2 is not None or flash4 is not None
        monkeypatch.setattr(attention.importlib, "import_module", import_module)
        monkeypatch.setattr(attention.importlib.util, "find_spec", lambda name: object() if there else None)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
        # the trial runs on the processor, since there is no card
        ones = torch.ones
        monkeypatch.setattr(torch, "ones", lambda *shape, device, **o: ones(*shape, **{**o, "device": "cpu"}))
        for name in ("_functions", "_versions"):
            monkeypatch.setattr(attention, name, {})
        monkeypatch.setattr(attention, "_warned", False)
        return imports

    return install


def version(dtype=torch.bfloat16, size=8) -> int:
    return attention.flash_version(CARD, dtype, size)


@pytest.mark.filterwarnings("error")
def test_flash_attn_2_is_taken_first(install):
    imports = install(Flash2(), Flash4())
    assert [version(), version(), version(size=16), version(torch.float16)] == [2, 2, 2, 2]
    assert imports == ["flash_attn"]


@pytest.mark.filterwarnings("error")
def test_flash_attn_4_alone_is_found_in_its_name_space(install):
    imports = install(None, Flash4())
    assert [version(), version()] == [4, 4]
    assert imports == ["flash_attn", "flash_attn.cute"]


@pytest.mark.filterwarnings("error")
def test_without_flash_attn_nothing_is_imported_or_reported(install):
    imports = install()
    assert version() == 0
    assert imports == []


@pytest.mark.filterwarnings("error")
def test_single_precision_and_processors_never_ask(install):
    imports = install(Flash2())
    assert version(torch.float32) == 0
    assert attention.flash_version(torch.device("cpu"), torch.bfloat16, 8) == 0
    assert imports == []


@pytest.mark.parametrize(
    ("flash2", "flash4", "capability", "reason"),
    [
        (Flash2(), None, (7, 5), "cuda:0 has compute capability 7.5, below 8.0"),
        (ImportError("undefined symbol: _ZN3c10"), None, (9, 0), "ImportError: undefined symbol"),
        (OSError("libcudart.so.12: cannot open"), None, (9, 0), "OSError: libcudart"),
        (missing_symbol, None, (8, 0), "RuntimeError: CUDA error: no kernel image"),
        (None, AssertionError("Unsupported compute capability"), (8, 6), "flash_attn.cute: AssertionError"),
    ],
)
def test_what_cannot_be_used_is_reported_once(install, flash2, flash4, capability, reason):
    imports = install(flash2, flash4, capability)
    with pytest.warns(RuntimeWarning, match="scaled_dot_product_attention") as caught:
        assert [version(), version(), version(size=16)] == [0, 0, 0]
    (warning,) = caught
    assert reason in str(warning.message)
    assert imports.count("flash_attn") == (0 if capability < (8, 0) else 1)


@pytest.mark.filterwarnings("error")
def test_a_broken_flash_attn_2_leaves_4(install):
    install(OSError("missing symbol"), Flash4())
    assert version() == 4


@pytest.mark.parametrize(("found", "function", "calls"), [(2, Flash2(), [0.25, 0.0]), (4, Flash4(), [0.0])])
def test_flash_gets_tokens_before_heads_and_dropout_if_it_can(monkeypatch, found, function, calls):
    monkeypatch.setattr(attention, "_functions", {found: function})
    monkeypatch.setattr(attention, "flash_version", lambda device, dtype, size: found)
    q, k, v = torch.randn(3, 2, 4, 7, 8).unbind(0)
    attention.causal_attention(q, k, v, dropout=0.25)
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(attention.causal_attention(q, k, v), expected)
    assert function.calls == calls


@pytest.mark.parametrize("found", [0, 2])
def test_the_version_is_a_constant_to_the_compiler(monkeypatch, found):
    def stand_in(q, k, v, dropout_p, causal):
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2)

    monkeypatch.setattr(attention, "_functions", {2: stand_in})
    monkeypatch.setattr(attention, "flash_version", lambda device, dtype, size: found)
    attention.mark_constants()
    q, k, v = torch.randn(3, 2, 4, 7, 8).unbind(0)
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    compiled = torch.compile(attention.causal_attention, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(q, k, v), expected)


def test_the_trial_draws_no_random_numbers(install):
    install(Flash2())
    before = torch.get_rng_state()
    with torch.inference_mode():
        assert version() == 2
    assert torch.equal(torch.get_rng_state(), before)


def test_bfloat16_on_a_processor_is_float32_rounded_once():
    q, k, v = (torch.randn(2, 3, 5, 8).bfloat16().requires_grad_() for _ in range(3))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        read = attention.causal_attention(q, k, v)
    exact = attention.causal_attention(q.float(), k.float(), v.float())
    assert read.dtype == torch.bfloat16
    assert torch.equal(read, exact.bfloat16())
    read.sum().backward()
    assert all(x.grad is not None and x.grad.isfinite().all() for x in (q, k, v))
