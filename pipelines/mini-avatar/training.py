"""What the trainers share: budgets in seconds, averaged weights, logs."""
import copy
import json
import math
import os
import time
from pathlib import Path

import torch
import torch.distributed as dist


class Ranks:
    """One process per device under torchrun; alone otherwise."""

    def __init__(self):
        self.count, self.rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if self.count > 1:
            dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo")

    @torch.no_grad()
    def same_weights(self, *models):
        """Everyone starts from the first process's weights."""
        if self.count > 1:
            for model in models:
                for p in model.parameters():
                    whole = p.data.contiguous()
                    dist.broadcast(whole, 0)
                    p.data.copy_(whole)

    @torch.no_grad()
    def average_gradients(self, parameters):
        """Mean of everyone's gradients, in one message."""
        if self.count == 1:
            return
        grads = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.flatten() for g in grads])
        dist.all_reduce(flat)
        flat /= self.count
        for g, part in zip(grads, flat.split([g.numel() for g in grads])):
            g.copy_(part.view(g.shape))

    def close(self):
        """Wait for everyone, then leave."""
        if self.count > 1:
            self.agreed(0.0)
            dist.barrier()
            dist.destroy_process_group()

    def agreed(self, value):
        """The first process's number."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        dist.broadcast(shared, 0)
        return shared.item()


class Budget:
    """Progress 0..1 through a number of seconds or steps, whichever ends first; the same for all ranks."""

    AGREE_EVERY = 10

    def __init__(self, seconds, steps=10 ** 9, ranks=None):
        self.start, self.seconds, self.steps, self.step, self.ranks = time.time(), seconds, steps, 0, ranks
        self.progress = 0.0

    def __iter__(self):
        while True:
            if self.step % self.AGREE_EVERY == 0 or self.steps < self.AGREE_EVERY:
                if torch.cuda.is_available():
                    torch.cuda.synchronize()
                now = max((time.time() - self.start) / self.seconds, self.step / self.steps)
                self.progress = min(1.0, self.ranks.agreed(now) if self.ranks else now)
            if self.progress >= 1:
                return
            yield self.step
            self.step += 1


def set_rate(optimizer, peak, step, progress, warm=200, floor=0.02):
    """Linear warm-up by step, cosine decay by progress."""
    scale = min(1, (step + 1) / warm) * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress)))
    for group in optimizer.param_groups:
        group["lr"] = peak * group.get("share", 1.0) * scale


class Average:
    """Exponential moving average of a model's weights."""

    def __init__(self, model, decay):
        self.model, self.decay, self.copy = model, decay, copy.deepcopy(model).requires_grad_(False)
        self.count = 0

    @torch.no_grad()
    def update(self):
        self.count += 1
        weight = 1 - min(self.decay, (1 + self.count) / (10 + self.count))
        torch._foreach_lerp_(list(self.copy.parameters()), [p.detach() for p in self.model.parameters()], weight)


class Log:
    """JSON lines of losses, echoed; silent on all ranks but the first."""

    def __init__(self, path, ranks=None):
        self.silent = ranks is not None and ranks.rank > 0
        self.file, self.start = None if self.silent else open(path, "w"), time.time()

    def write(self, **values):
        if self.silent:
            return
        values = {k: (round(v, 5) if isinstance(v, float) else v) for k, v in values.items()} | {"seconds": round(time.time() - self.start, 1)}
        self.file.write(json.dumps(values) + "\n")
        self.file.flush()
        print(values, flush=True)


def half(state):
    """A state dict in bfloat16 on the CPU, contiguous."""
    return {k: v.detach().to("cpu", torch.bfloat16).contiguous() for k, v in state.items()}


def save(path, **parts):
    """A training state, whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(parts, path.with_suffix(".partial"))
    path.with_suffix(".partial").rename(path)
