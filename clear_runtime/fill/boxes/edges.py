"""Where one edge of a box may be, and how well a box explains what changes there."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from ...frames.region import Region
from .options import BoxOptions


class Side:
    """The moments of pixel pairs across every place where one edge of a box may be."""

    def __init__(self, lines: Tensor, places: range, where, options: BoxOptions):
        """lines [T, n, m, 3]: n lines parallel to the edge, from outside inwards. places: the first inner line of each
        candidate. where: candidate -> coordinate in the frame."""
        self.where, self.places, self.options = where, places, options
        gap = options.gap
        lines = lines[:, places.start - options.skip : places.stop + options.skip - 1].float()
        mean = lines.mean((0, 2), keepdim=True)
        lines = lines - mean
        variance, mean = lines.square().mean((0, 2)), mean[0, :, 0]  # [n, 3]
        self.mean_o, self.mean_i, self.var_o, self.var_i = mean[:-gap], mean[gap:], variance[:-gap], variance[gap:]
        self.cov = (lines[:, :-gap] * lines[:, gap:]).mean((0, 2))
        self.step = (self.var_o + self.var_i - 2 * self.cov + (self.mean_o - self.mean_i).square()).sum(1)

    @classmethod
    def around(cls, frames: Tensor, marked: Region, options: BoxOptions) -> list[Side] | None:
        """Top, bottom, left and right; None where the frame ends too close by."""
        height, width = frames.shape[1:3]
        reach, far = max(6, marked.height // 2), options.skip + options.gap
        deep = {"rows": max(4, marked.height // 3), "columns": max(4, min(marked.height, marked.width // 3))}
        rows = slice(marked.top + marked.height // 6, marked.bottom - marked.height // 6)
        columns = slice(marked.left + marked.width // 8, marked.right - marked.width // 8)
        across, down = frames[:, :, columns], frames[:, rows].transpose(1, 2)
        sides = []
        for lines, size, start, stop, inward in (
            (across, height, marked.top, marked.bottom, deep["rows"]),
            (down, width, marked.left, marked.right, deep["columns"]),
        ):
            for turned in (False, True):
                edge = size - stop if turned else start
                places = range(max(far, edge - reach), min(edge + inward, size - far))
                if len(places) < 3:
                    return None
                sides.append(
                    cls(
                        lines.flip(1) if turned else lines,
                        places,
                        (lambda at, size=size: size - at) if turned else (lambda at: at),
                        options,
                    )
                )
        return sides

    def proposals(self) -> list[tuple[float, Tensor, float]]:
        """(through, added [3], how much better it explains the pairs than no box does) at the places that look like an
        edge.

        The slope is the ratio of the standard deviations (reduced major axis): both pixels of a pair differ from the
        scene at the edge by as much, so that a least squares slope would come out too small.
        """
        options = self.options
        slope = (self.var_i.sum(1) / self.var_o.sum(1).clamp_min(1e-9)).sqrt()
        left = self.var_i.sum(1) + slope**2 * self.var_o.sum(1) - 2 * slope * self.cov.sum(1)
        better = self.step / (left + options.noise**2)
        sure = (
            (slope > options.darkest)
            & (slope < options.clearest)
            & (self.cov.sum(1) > 0.5 * slope * self.var_o.sum(1))
            & (self.var_o.sum(1) > 3 * options.contrast**2)
            & (better > options.step**2)
        )
        order = [int(n) for n in better.argsort(descending=True) if sure[n]][:2]
        return [(float(slope[n]), self.mean_i[n] - slope[n] * self.mean_o[n], float(better[n])) for n in order]

    def best(self, through: float, added: Tensor) -> tuple[int, float]:
        """The place in the frame where such a box's edge fits best, and the step there over what the box leaves of it,
        squared."""
        options = self.options
        left = (
            self.var_i
            + through**2 * self.var_o
            - 2 * through * self.cov
            + (self.mean_i - through * self.mean_o - added).square()
        ).sum(1)
        usual = (
            4 * through**2 * self.step.quantile(0.3) + options.noise**2
        )  # letters make steps too, but nothing explains those
        score = self.step / (left + options.noise**2) / (left / usual).clamp_min(1)
        # a pair spans `gap` pixels, so that an edge shows at as many places in a row: it is the middle one
        total = F.avg_pool1d(score.log()[None], options.gap, 1)[0]
        at = int(total.argmax()) + options.gap // 2
        return self.where(self.places[at]), float(score[at])
