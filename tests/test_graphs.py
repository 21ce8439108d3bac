"""The shipped graphs are what scripts/make_graphs.py writes."""

import subprocess
import sys

from paths import ROOT


def test_graphs_are_up_to_date():
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "make_graphs.py"), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
