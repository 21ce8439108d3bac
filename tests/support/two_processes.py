"""One of two processes, without the other."""

from clear_runtime.train.processes import Processes


class Two(Processes):
    """What train() asks of one of two processes."""

    def __init__(self, rank=0):
        super().__init__("cpu", alone=True)
        self.count, self.rank, self.main = 2, rank, rank == 0
