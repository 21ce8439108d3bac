"""The runtime's options as inputs of a node: default, bounds, step and tooltip come from where the option is."""

from __future__ import annotations

from comfy_api.latest import io

from ...clear_runtime.catalogue import ShownOption, Surface


class OptionInputs:
    """The options of a surface, each handed out once: those that a node has long had in the order that saved workflows
    rely on, and any newer one behind them."""

    def __init__(self, surface: Surface):
        self._left = {one.name: one for one in surface.on_nodes()}

    def take(self, *names: str, optional: bool = False) -> list[io.Input]:
        """The inputs of these names, in this order."""
        return [_input(self._left.pop(name), optional) for name in names]

    def rest(self, *newest: str) -> list[io.Input]:
        """Those that were not taken, `newest` behind all others in the order in which they came: saved values go by
        their place. Optional, so that a workflow that was saved before keeps working."""
        return self.take(*(name for name in self._left if name not in newest), *newest, optional=True)


def _input(one: ShownOption, optional: bool) -> io.Input:
    about = one.about
    if isinstance(one.default, tuple):  # one text, with commas between
        return io.String.Input(one.name, default=",".join(one.default), tooltip=about.help, optional=optional)
    common = dict(default=one.default, tooltip=about.help, optional=optional)
    if about.choices:
        return io.Combo.Input(one.name, options=list(about.choices), **common)
    if isinstance(one.default, bool):
        return io.Boolean.Input(one.name, **common)
    if one.kind is str:
        return io.String.Input(one.name, **common)
    common |= dict(
        min=about.low if about.least is None else about.least,
        max=about.high if about.most is None else about.most,
        step=about.step,
    )
    if isinstance(one.default, float):
        return io.Float.Input(one.name, round=False if about.fine else None, **common)
    # the frontend would change a seed by itself after each run
    own = dict(control_after_generate=False) if one.name == "seed" else {}
    return io.Int.Input(one.name, **common, **own)
