"""Optimiser, schedule and first weights. Knows no data."""

import math

import torch
from torch import nn

from got_ocr.model.got import GotModel
from got_ocr.train.objective import Learner
from got_ocr.train.recipe import PARTS, Stage


def initialise(model: GotModel, seed: int) -> None:
    """Draw first weights: normal 0.02, residual outputs smaller by depth, biases and relative positions zero."""
    rng = torch.Generator().manual_seed(seed)
    depth = {"vision": model.config.vision.layers, "decoder": model.config.decoder.layers}
    for name, value in model.named_parameters():
        if "rel_pos" in name or name.endswith("bias"):
            nn.init.zeros_(value)
        elif value.dim() == 1:
            nn.init.ones_(value)
        elif value.dim() == 4 and "pos_embed" not in name:
            fan = value[0].numel()
            nn.init.normal_(value, 0.0, fan**-0.5, generator=rng)
        else:
            ends = name.endswith(("proj.weight", "lin2.weight")) and "q_proj" not in name and "k_proj" not in name
            layers = depth.get(name.split(".")[0], 1)
            residual = ends and not name.endswith(("v_proj.weight", "gate_proj.weight", "up_proj.weight"))
            std = 0.02 / math.sqrt(2 * layers) if residual else max(0.02, value.shape[-1] ** -0.5 * 0.7)
            nn.init.normal_(value, 0.0, 0.02 if "embed" in name else std, generator=rng)


def initialise_head(learner: Learner, seed: int) -> None:
    """Draw the auxiliary head's first weights, so that a seed alone decides how a run begins."""
    rng = torch.Generator().manual_seed(seed)
    reach = learner.ctc.in_features**-0.5
    for value in learner.ctc.parameters():
        nn.init.uniform_(value, -reach, reach, generator=rng)


def compile_layers(learner: Learner, backend: str) -> None:
    """Let torch.compile write kernels for every layer of encoder and decoder, once for all shapes; "" leaves them as they are.

    Names and values of the weights stay. A compiled step rounds in other places: it is no bit for bit copy of the plain one.
    """
    if not backend:
        return
    torch._dynamo.config.recompile_limit = 64  # windows, whole grids and text of a page are some shapes each
    for part in (learner.model.vision.layers, learner.model.decoder.layers):
        for layer in part:
            layer.compile(backend=backend, dynamic=True)


def freeze(learner: Learner, stage: Stage) -> None:
    """Let only the stage's parts learn; the auxiliary head learns whenever its loss counts."""
    learner.zero_grad(set_to_none=True)  # or the last gradients of a part that froze would count in every norm to come
    for part in PARTS:
        getattr(learner.model, part).requires_grad_(part in stage.learns)
    learner.ctc.requires_grad_(stage.ctc > 0)


def make_optimizers(learner: Learner, stage: Stage) -> list[torch.optim.Optimizer]:
    """Share parameters out: matrices decay; norms, biases, embeddings and positions do not, and never go to Muon."""
    matrices: list[nn.Parameter] = []
    decay: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for name, value in learner.named_parameters():
        if value.requires_grad:
            still = value.dim() < 2 or "embed" in name or "rel_pos" in name
            matrix = stage.optimizer == "muon" and value.dim() == 2 and not name.startswith("ctc")
            (plain if still else matrices if matrix else decay).append(value)
    groups = [{"params": decay, "weight_decay": stage.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    fused = any(value.is_cuda for value in (*matrices, *decay, *plain))  # one kernel for all parameters
    how = {"fused": True} if fused else {"foreach": True}
    made: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, lr=stage.lr, betas=(0.9, 0.98), eps=1e-8, **how)]
    if matrices:
        fit = "match_rms_adamw"  # Muon's steps get AdamW's size, so that one learning rate serves both
        made.append(torch.optim.Muon(matrices, lr=stage.lr, weight_decay=stage.weight_decay, adjust_lr_fn=fit))
    return made


def rate(stage: Stage, step: int) -> float:
    """Give the learning rate of a step (counted from 0 inside the stage): linear warm-up, then a cosine."""
    if step < stage.warmup:
        return stage.lr * (step + 1) / stage.warmup
    done = (step - stage.warmup) / max(1, stage.steps - stage.warmup)
    return stage.lr_end + (stage.lr - stage.lr_end) * 0.5 * (1 + math.cos(math.pi * done))
