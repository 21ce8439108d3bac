"""Every kind of subtitle that people burn in is found to the last letter, and lettering that is none stays whole."""

import pytest

from clear_runtime.bench.rows import figures, marks_on
from clear_runtime.data.synthetic import system_fonts
from clear_runtime.data.synthetic.specimens import RECIPES
from clear_runtime.errors import ClearError
from clear_runtime.find.priors.checkpoints import load_prior

LEAST, TOUCHED, OUTSIDE = 0.97, 0.005, 0.002
NAMES = (
    "two characters",
    "8 pixels",
    "fast words",
    "short words in turn",
    "flush left",
    "replaced at once",
    "column",
    "six rows",
    "typed",
    "slow fade",
    "score and line",
    "sign and line",
    "corner name",
    "credits",
    "studio",
    "railing",
)
"""Those that are looked at here; all kinds, and how much of each is found, are `bench rows`."""


@pytest.fixture(scope="module")
def prior():
    return load_prior()


def drawn(recipe, monkeypatch):
    """In the font inside Pillow, so that every machine looks at the same letters; in installed ones where it lacks
    some."""
    with monkeypatch.context() as alone:
        alone.setattr(system_fonts, "folders", list)
        try:
            return recipe.make(recipe.for_tests)
        except ClearError:
            pass
    try:
        return recipe.make(recipe.for_tests)
    except ClearError as lacking:
        pytest.skip(str(lacking))


@pytest.mark.parametrize("recipe", [pytest.param(RECIPES[name], id=name) for name in NAMES])
def test_the_subtitle_goes_and_nothing_else(recipe, prior, monkeypatch):
    specimen = drawn(recipe, monkeypatch)
    found = figures(specimen, marks_on(specimen, prior))
    assert (found.worst is None) == (not specimen.rows) and (found.stays is None) == (not specimen.stays.any())
    assert found.worst is None or found.worst >= LEAST
    assert found.stays is None or found.stays <= TOUCHED
    assert found.outside <= OUTSIDE
