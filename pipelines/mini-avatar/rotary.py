"""Rotary positions over (frame, row, column), with cos and sin rounded to float16 as in the released model."""
import functools

import torch


def split_pairs(head_dim):
    """Complex pairs per axis."""
    sixth = head_dim // 6
    return (head_dim - 4 * sixth) // 2, sixth, sixth


@functools.lru_cache
def frequencies(pairs, device):
    """Radians per position, float64 [pairs]."""
    return 10000.0 ** (-torch.arange(pairs, dtype=torch.float64, device=device) / pairs)


def axis_table(positions, pairs):
    """Angles to rounded (cos, sin), each [..., pairs]; positions may be negative."""
    angle = positions.double()[..., None] * frequencies(pairs, positions.device)
    return angle.cos().float().half().float(), angle.sin().float().half().float()


def table(frames, rows, columns, head_dim):
    """Broadcastable integer positions to (cos, sin) [..., head_dim / 2]."""
    frames, rows, columns = torch.broadcast_tensors(frames, rows, columns)
    parts = [axis_table(p, n) for p, n in zip((frames, rows, columns), split_pairs(head_dim))]
    return torch.cat([c for c, _ in parts], -1), torch.cat([s for _, s in parts], -1)


def rotate(x, cos, sin):
    """x [..., tokens, heads, head_dim]; cos, sin [..., tokens, head_dim / 2]."""
    wide = x.float().unflatten(-1, (-1, 2))
    a, b = wide[..., 0], wide[..., 1]
    cos, sin = cos[..., None, :], sin[..., None, :]
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2).to(x.dtype)


def spread(count, size):
    """trunc(linspace(0, size - 1, count)) as integers."""
    if count == 1:
        return torch.zeros(1, dtype=torch.long)
    points = torch.arange(count, dtype=torch.float64) * ((size - 1) / (count - 1))
    points[-1] = size - 1
    return points.long()


def grid(rows, columns):
    """Row and column of each token of a frame, flattened."""
    r, c = torch.meshgrid(rows, columns, indexing="ij")
    return r.flatten(), c.flatten()


@functools.lru_cache
def noisy_grid(frames, gh, gw, device):
    """Frame offset, row and column of the tokens of `frames` frames. Kept on the device: a captured graph cannot copy them there."""
    r, c = grid(torch.arange(gh), torch.arange(gw))
    offset = torch.arange(frames).repeat_interleave(gh * gw)
    return tuple(v.to(device) for v in (offset, r.repeat(frames), c.repeat(frames)))


def noisy_positions(first, frames, gh, gw):
    """Positions of the tokens of `frames` frames from `first` (any leading shape [...])."""
    offset, rows, columns = noisy_grid(frames, gh, gw, first.device)
    return first[..., None] + offset, rows, columns


@functools.lru_cache
def condition_grid(gh, gw, device):
    """Frame, whether it rolls, row and column of [reference | 1x | 2x | 4x]."""
    h, w = gh * 2, gw * 2
    full = grid(torch.arange(gh), torch.arange(gw))
    half = grid(spread(h // 4, gh), spread(w // 4, gw))
    eighth = grid(spread(h // 8, gh), spread(w // 8, gw))
    count4 = len(eighth[0])
    frames = [torch.full((len(full[0]),), 30), torch.full((len(full[0]),), -1), torch.full((len(half[0]),), -3)]
    frames = torch.cat(frames + [torch.full((count4,), f) for f in (-19, -14, -9, -4)])
    rolls = (torch.arange(len(frames)) < len(full[0])).long()
    rows, columns = (torch.cat([full[a], full[a], half[a]] + [eighth[a]] * 4) for a in (0, 1))
    return tuple(v.to(device) for v in (frames, rolls, rows, columns))


def condition_positions(rollout, gh, gw):
    """Positions of [reference | 1x | 2x | 4x]; only the reference rolls. rollout [...]."""
    frames, rolls, rows, columns = condition_grid(gh, gw, rollout.device)
    return frames + rolls * rollout[..., None], rows, columns
