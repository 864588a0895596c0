"""What moves, as a function of sound, words and noise drivers.

Chance enters only through drivers, four standard normals per latent frame. Training couples them to the sampler's
noise (see `couple`), so that blinks and head motion are decided by the seed and few steps suffice.
"""
import math

import torch
import torch.nn.functional as F

DRIVERS = 4
LATENT_FRAMES = 4
POSE_LENGTH = 32
BLINK = (0.35, 0.9, 1.0, 0.85, 0.5, 0.2)
MOOD_FRAMES = 12


def spread_kernel(drivers, kernel):
    """Sum of a kernel started at each latent frame; [N, F] to [N, 4 F]."""
    impulses = F.pad(drivers[:, :, None], (0, LATENT_FRAMES - 1)).flatten(1)
    taps = torch.as_tensor(kernel, dtype=drivers.dtype, device=drivers.device).flip(0)
    padded = F.pad(impulses, (len(taps) - 1, 0))
    return F.conv1d(padded[:, None], taps.view(1, 1, -1))[:, 0]


def pose_kernel():
    """A smooth bump over eight latent frames that makes unit variance."""
    return [math.sin(math.pi * (k + 0.5) / POSE_LENGTH) ** 2 / math.sqrt(3) for k in range(POSE_LENGTH)]


def act(drivers, mouth, mood):
    """drivers [N, F, 4]; mouth: open, wide, teeth [N, 4 F]; mood: smile, raise, frown, lively [N]. Returns [N, 4 F] each."""
    frames = drivers.shape[1] * LATENT_FRAMES
    onset = ((torch.arange(frames, device=drivers.device) + 1) / MOOD_FRAMES).clamp(max=1)
    onset = onset * onset * (3 - 2 * onset)
    moves = [spread_kernel(drivers[..., c], pose_kernel()) * mood["lively"][:, None] for c in (1, 2, 3)]
    nod = F.avg_pool1d(F.pad(mouth["open"], (9, 0))[:, None], 10, 1)[:, 0] * mood["lively"][:, None]
    blink = spread_kernel(torch.sigmoid((drivers[..., 0] - 1.5) * 10), BLINK).clamp(0, 1)
    motion = {"dx": moves[0] * 0.1, "dy": moves[1] * 0.05 + nod * 0.1, "tilt": moves[2] * 0.07, "blink": blink}
    for name in ("smile", "raise", "frown"):
        motion[name] = mood[name][:, None] * onset
    return motion | mouth


def still(count, device, mouth=None):
    """The act of a reference frame, [N]: neutral, at rest, the given or a closed mouth."""
    zero = torch.zeros(count, device=device)
    rest = {k: zero for k in ("dx", "dy", "tilt", "blink", "smile", "raise", "frown", "open", "wide", "teeth")}
    return rest | (mouth or {})


def couple(noise, drivers):
    """Noise [B, 16, F, h, w] whose scaled spatial mean in channels 0..3 is the drivers [B, F, 4]; still standard normal."""
    positions = noise.shape[3] * noise.shape[4]
    head = noise[:, :DRIVERS]
    wanted = drivers.transpose(1, 2)[..., None, None] / positions ** 0.5
    return torch.cat([head - head.mean((3, 4), keepdim=True) + wanted, noise[:, DRIVERS:]], 1)


def drivers_of(noise):
    """The drivers that a noise tensor carries, [B, F, 4]."""
    return (noise[:, :DRIVERS].mean((3, 4)) * (noise.shape[3] * noise.shape[4]) ** 0.5).transpose(1, 2)
