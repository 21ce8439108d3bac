"""The graphs of the template browser: a set for each language."""

import sys

from paths import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from graph_words import NAMES

GRAPHS = ROOT / "workflows"
ENGLISH = [GRAPHS / f"{name}.json" for name in NAMES]
CHINESE = [GRAPHS / f"{name}.json" for name in NAMES.values()]
