"""For the tests marked gpu: the device that they run on, and how far from the CPU's float32 each kind of number may be.

CLEAR_TEST_DEVICE names the device; without it they run where there is a CUDA device, and are skipped elsewhere.
"""

import os

import pytest
import torch

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@pytest.fixture(scope="session")
def device():
    name = os.environ.get("CLEAR_TEST_DEVICE") or ("cuda" if torch.cuda.is_available() else None)
    if name is None:
        pytest.skip("there is no GPU here; CLEAR_TEST_DEVICE=cpu runs these tests all the same")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return torch.device(name)


@pytest.fixture(params=DTYPES)
def dtype(request):
    return DTYPES[request.param]


@pytest.fixture
def near(record_property):
    """near(value, reference, bound): the relative error of a tensor, in the test's row; fails beyond the bound."""

    def check(value, reference, bound, name="error"):
        value, reference = value.detach().float().cpu(), reference.detach().float().cpu()
        assert value.shape == reference.shape and value.isfinite().all()
        error = float((value - reference).norm() / reference.norm().clamp_min(1e-12))
        record_property(name, error)
        assert error <= bound, f"{name}: {error:.2e}, allowed {bound:.2e}"

    return check
