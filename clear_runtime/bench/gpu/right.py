"""Right: the tests marked gpu, on the device."""

from .part import begin
from .tests import run_tests

if __name__ == "__main__":
    run = begin()
    run_tests(run, ["gpu/test_pixels.py" if run.tiny else "gpu"], "-m", "gpu")
