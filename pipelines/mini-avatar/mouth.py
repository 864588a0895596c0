"""The world's law of speech: mouth openness from loudness, two visemes from the spectrum, at video frames.

Frame k looks at the normalised wave around the time k / 25 s.
"""
import torch
import torch.nn.functional as F

RATE = 16000
HOP = RATE // 25
WINDOW = 1024
LOUDNESS_WINDOW = 960


def windows(wave, frames, length):
    """Hann-weighted windows centred on k / 25 s, [N, frames, length]; zero outside the sound."""
    need = (frames - 1) * HOP + length
    padded = F.pad(wave, (length // 2, max(0, need - wave.shape[-1] - length // 2)))
    return padded.unfold(-1, length, HOP)[:, :frames] * torch.hann_window(length, device=wave.device)


def loudness(wave, frames):
    """RMS under a 60 ms Hann window, [N, frames]; a steady sine of RMS 1 gives 1."""
    return (windows(wave, frames, LOUDNESS_WINDOW).square().sum(-1) / (0.375 * LOUDNESS_WINDOW)).sqrt()


def mouth_of(wave, frames):
    """Normalised wave [N, samples] to open, wide, teeth [N, frames]."""
    level = loudness(wave, frames)
    opened = (1.1 * (level / 2.2) ** 0.75 - 0.08).clamp(0, 1)
    power = torch.fft.rfft(windows(wave, frames, WINDOW)).abs().square()
    hertz = torch.arange(power.shape[-1], device=wave.device) * (RATE / WINDOW)
    band = lambda low, high: (power * ((hertz >= low) & (hertz < high))).sum(-1)
    voiced = power.sqrt() * ((hertz >= 250) & (hertz < 3200))
    centroid = (voiced * hertz).sum(-1) / (voiced.sum(-1) + 1e-3)
    gate = (level / 0.4).clamp(max=1)
    wide = torch.tanh((centroid - 1050) / 320) * gate
    hiss = band(3800, 8000) / (band(150, 8000) + 1e-3)
    teeth = torch.maximum(((hiss - 0.15) * 4).clamp(0, 1), 0.7 * ((wide - 0.2) * 2).clamp(0, 1)) * gate
    return {"open": opened, "wide": wide, "teeth": teeth}
