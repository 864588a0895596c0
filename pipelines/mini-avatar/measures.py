"""How well a video follows its sound and keeps its reference; all on frames [T, 3, H, W] in [-1, 1]."""
import torch

import world


def openness(frames, box):
    """How much of the mouth's inside colour is seen in box (top, bottom, left, right), [T]."""
    top, bottom, left, right = box
    inside = torch.tensor(world.MOUTH_INSIDE, device=frames.device).view(1, 3, 1, 1)
    part = (frames[:, :, top:bottom, left:right] + 1) / 2
    return (-(part - inside).square().sum(1) / (2 * 0.12 ** 2)).exp().sum((1, 2))


def mouth_box(identity, n, size=world.SIZE):
    """The rectangle that a mouth of this head can reach."""
    r, x = float(identity["scale"][n]), float(identity["x"][n])
    y = float(identity["y"][n] + identity["mouth_y"][n] * identity["scale"][n])
    clip = lambda v: int(min(max(v, 0), size))
    return clip(y - 0.5 * r), clip(y + 0.65 * r), clip(x - 0.75 * r), clip(x + 0.75 * r)


def correlation(a, b):
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (a.norm() * b.norm() + 1e-9))


def best_lag(opened, loudness, reach=6):
    """(correlation at lag 0, best correlation, its lag); a positive lag means the mouth is late."""
    values = {}
    for lag in range(-reach, reach + 1):
        shifted, sound = (opened[lag:], loudness[:len(loudness) - lag]) if lag >= 0 else (opened[:lag], loudness[-lag:])
        length = min(len(shifted), len(sound))
        values[lag] = correlation(shifted[:length], sound[:length])
    lag = max(values, key=values.get)
    return values[0], values[lag], lag


def region_colours(frames, identity, n):
    """Mean colour of background corner, cheek, hair and clothes in grey levels, [T, 4, 3]."""
    r, x, y = (float(identity[k][n]) for k in ("scale", "x", "y"))
    tall = float(identity["height"][n])
    far = 6 if x > world.SIZE / 2 else world.SIZE - 6
    spots = {"background": (far, 6, 4), "skin": (x + 0.5 * r, y + 0.42 * r, 2), "hair": (x, y - (tall + 0.02 if int(identity["kinds"]["style"][n]) != 3 else 0.6) * r + 4, 2),
             "clothes": (x + 0.9 * r, min(y + 2.3 * r, world.SIZE - 4), 3)}
    values = []
    for cx, cy, reach in spots.values():
        top, left = int(max(0, cy - reach)), int(max(0, min(cx - reach, world.SIZE - 2 * reach)))
        values.append(frames[:, :, top:top + 2 * reach, left:left + 2 * reach].mean((2, 3)))
    return (torch.stack(values, 1) + 1) * 127.5


def sharpness(frames):
    """Mean absolute difference of neighbouring pixels."""
    return (frames[..., 1:] - frames[..., :-1]).abs().mean((1, 2, 3)) + (frames[..., 1:, :] - frames[..., :-1, :]).abs().mean((1, 2, 3))
