"""Several processes, one run: who am I, and the mean of gradients. Started by torchrun; alone without it.

Each process makes its own batches and takes the same step. Knows no data and no model.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Group:
    """This process's place among those of the run."""

    rank: int = 0
    world: int = 1

    @property
    def leads(self) -> bool:
        """Say whether this process writes logs and checkpoints."""
        return self.rank == 0


def own_device(device: str) -> str:
    """Choose this process's device: under torchrun each takes the GPU of its number on this machine."""
    local = os.environ.get("LOCAL_RANK")
    return f"cuda:{local}" if device == "cuda" and local is not None else device


def join(device: str) -> Group:
    """Join the processes that torchrun started; a run without torchrun is a group of one."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return Group()
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    return Group(dist.get_rank(), world)


def mean_gradients(parameters: Iterable[Tensor], group: Group) -> None:
    """Replace every gradient by its mean over the processes, in one exchange."""
    if group.world == 1:
        return
    # A part that took no part in this process's batch still has to take part in the exchange.
    learning = [p for p in parameters if p.requires_grad]
    for p in learning:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
    grads = [p.grad for p in learning if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in grads])
    dist.all_reduce(flat)
    flat /= group.world
    at = 0
    for grad in grads:
        grad.copy_(flat[at : at + grad.numel()].view_as(grad))
        at += grad.numel()


def mean(values: Tensor, group: Group) -> Tensor:
    """Average some figures over the processes."""
    if group.world > 1:
        dist.all_reduce(values)
        values = values / group.world
    return values


def leave(group: Group) -> None:
    """Wait for the others and part."""
    if group.world > 1 and dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()
