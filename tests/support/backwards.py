"""Workers that make a film's segments, without another process."""

from tiny_film import Noisy, white

from clear_runtime.film.elsewhere import Parcel, make_segment


class Backwards:
    """Workers of this process, which begin with the film's end."""

    parts, threads = staticmethod(lambda: (Noisy(), white)), None

    def __init__(self, short_at=None, refused_at=None):
        self.made, self.short_at, self.refused_at = [], short_at, refused_at

    def require(self, source):
        self.required = source

    def make(self, order, cuts):
        for first, stop in reversed(cuts):
            yield None  # a while without anything
            if first == self.short_at and order.options.windows.window > 9:
                yield Parcel(memory=True)
            elif first == self.refused_at:
                yield Parcel(refused="no room on a worker")
            else:
                self.made.append((first, stop))
                yield make_segment(order, first, stop)
