"""The sequence of latent blocks: prefill, four Euler steps per block, and the refresh of the reference after clip 0."""
import torch

import denoiser

CLIP_BLOCKS = 4


def pad_context(model, context):
    """Zero rows up to text_len."""
    return torch.nn.functional.pad(context, (0, 0, 0, model.text_len - context.shape[1]))


def stream_blocks(model, context, rows, reference, motion, noise_of, distance_of, blocks):
    """Yields the final latents [B, 16, 3, h, w] of each block.

    noise_of(block) gives [B, 16, 3, h, w]; distance_of(block, step) an integer.
    """
    times, sigmas = denoiser.schedule()
    text = model.text(pad_context(model, context))
    condition = model.prefill(reference, motion, text)
    windows = [[[] for _ in model.blocks] for _ in times]
    first_latent = None
    for n in range(blocks):
        if n == CLIP_BLOCKS:
            condition = model.prefill(first_latent, motion, text)
        x = noise_of(n)
        start = torch.full((x.shape[0],), 3 * n, device=x.device)
        for i in range(len(times)):
            distance = torch.full((x.shape[0], 1), distance_of(n, i), device=x.device)
            v = model.stream(x, times[i], text, condition, rows[:, 12 * n:12 * n + 12], start, distance, windows[i])
            x = x + (sigmas[i + 1] - sigmas[i]).to(x.device) * v.float()
        if n == 0:
            first_latent = x[:, :, :1]
        yield x


def generate(model, context, rows, reference, motion, noise, distance):
    """noise [clips, B, 16, 12, h, w], distance [clips, 4, 4]; all latents [B, 16, 12 clips, h, w]."""
    noise_of = lambda n: noise[n // 4][:, :, 3 * (n % 4):3 * (n % 4) + 3]
    blocks = stream_blocks(model, context, rows, reference, motion, noise_of, lambda n, i: int(distance[n // 4, n % 4, i]),
                           4 * len(noise))
    return torch.cat(list(blocks), 2)


def first_clip_at_once(model, context, rows, reference, motion, noise, distance):
    """The same for clip 0 with all its blocks in one pass per step, as training runs it."""
    times, sigmas = denoiser.schedule()
    padded = context.shape[1] + 8
    text = model.text(torch.nn.functional.pad(context, (0, 0, 0, padded - context.shape[1])))
    condition = model.prefill(reference, motion, text)
    x = noise
    for i in range(len(times)):
        v = model.stream(x, times[i], text, condition, rows[:, :48], torch.zeros(len(x), dtype=torch.long, device=x.device), distance[:, :, i])
        x = x + (sigmas[i + 1] - sigmas[i]).to(x.device) * v
    return x
