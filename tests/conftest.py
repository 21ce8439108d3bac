"""For every test: one thread. The tensors here are small, and waiting for a second busy core costs more than it brings."""
import torch

torch.set_num_threads(1)
