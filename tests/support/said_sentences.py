"""What reads the pack's sentences out of its code, scripts/sentences.py."""

import sys

from paths import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

import sentences

__all__ = ["sentences"]
