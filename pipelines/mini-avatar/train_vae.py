"""Train the video VAE on the world.

    torchrun --nproc-per-node 8 train_vae.py --speech corpus.npz --output DIR [--resume DIR/vae.pt] [--decoder-only]

First as an image model (every clip's first frame is one), then on clips.
"""
import argparse
from pathlib import Path

import torch
from PIL import Image

import layout
import scene
import training
import video_vae

LATENT_NOISE = 0.08


def fast_kernels(device):
    """Channels-last convolutions and compiled norms for training on a GPU."""
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
        torch._dynamo.config.cache_size_limit = 64
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        video_vae.RMS_norm.kernel = staticmethod(torch.compile(video_vae.normalise, dynamic=True))


def channels_last(model):
    """Lay the convolutions' weights out as the pixels are."""
    for p in model.parameters():
        if p.dim() == 5:
            p.data = p.data.contiguous(memory_format=torch.channels_last_3d)
        elif p.dim() == 4:
            p.data = p.data.contiguous(memory_format=torch.channels_last)


def clips(voices, dice, generator, count, frames):
    """Pixels [count, 3, frames, ., .] from random places of random scenes, lead included, and their error maps."""
    drawn = scene.draw(count, 96, voices, None, dice, generator)
    first = dice.randrange(scene.LEAD + 97 - frames)
    video = scene.pixels(drawn, first, frames)
    return video, scene.attention_map(drawn["identity"], video.shape[-1], 8, 4)[:, None, None]


def edges(video):
    """Differences to the right and down."""
    return video[..., 1:] - video[..., :-1], video[..., 1:, :] - video[..., :-1, :]


def reconstruction(guess, video, weight):
    """Weighted absolute error plus that of the edges."""
    loss = (weight * (guess - video).abs()).mean()
    for got, want in zip(edges(guess), edges(video)):
        loss = loss + 0.5 * (weight[..., :got.shape[-2], :got.shape[-1]] * (got - want).abs()).mean()
    return loss


def unit_latents(z):
    """Zero when every channel of the normalised latents has mean 0 and variance 1."""
    mean, variance = z.mean((0, 2, 3, 4)), z.var((0, 2, 3, 4))
    return mean.square().mean() + variance.clamp(min=1e-4).log().square().mean()


def train(options, ranks):
    device = ranks.device
    voices, (dice, generator) = scene.Voices(options.speech, device), scene.seeds(options.seed + 1000 * ranks.rank, device)
    model = video_vae.VideoVAE(options.width).inflate().to(device)
    if options.resume:
        model.load_state_dict(layout.part(options.resume, "vae"))
    fast_kernels(device)
    channels_last(model)
    ranks.same_weights(model)
    log = training.Log(options.output / f"{options.name}.jsonl", ranks)
    average = None
    for phase, (seconds, batch, frames) in enumerate(zip(options.seconds, options.batch, options.frames)):
        if seconds:
            average = train_phase(options, ranks, model, voices, dice, generator, log, phase, seconds, batch, frames)
            model.load_state_dict(average.state_dict())
    return model, voices


def train_phase(options, ranks, model, voices, dice, generator, log, phase, seconds, batch, frames):
    """Images (frames = 1) or clips, with a fresh optimiser; returns the averaged model."""
    trained = list(model.decoder.parameters()) + list(model.conv2.parameters()) if options.decoder_only else list(model.parameters())
    rate = options.rate[phase]
    optimizer = torch.optim.AdamW(trained, lr=rate, betas=(0.9, 0.98), weight_decay=0.0)
    average = training.Average(model, 0.995)
    budget = training.Budget(seconds, options.steps, ranks)
    for step in budget:
        training.set_rate(optimizer, rate, step, budget.progress, warm=100)
        video, weight = clips(voices, dice, generator, batch, frames)
        video = video.contiguous(memory_format=torch.channels_last_3d)
        with torch.autocast(ranks.device.type, torch.bfloat16):
            with torch.set_grad_enabled(not options.decoder_only):
                z = model.encode(video)
            guess = model.decode(z + LATENT_NOISE * torch.randn_like(z), clamp=False).float()
        unit = unit_latents(z)
        loss = reconstruction(guess, video, weight) + (0 if options.decoder_only else 0.01 * unit)
        loss.backward()
        ranks.average_gradients(trained)
        norm = torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        average.update()
        if step % 100 == 0:
            log.write(phase=phase, step=step, loss=loss.item(), unit=unit.item(), grad=norm.item(), psnr=psnr(guess, video),
                      last=psnr(guess[:, :, -1], video[:, :, -1]))
    return average.copy


def psnr(guess, video):
    return (10 * torch.log10(4 / (guess.clamp(-1, 1) - video).square().mean())).item()


@torch.no_grad()
def sheet(model, voices, path, device, frames=121):
    """Originals above reconstructions at two times of a long stream, and held-out numbers."""
    dice, generator = scene.seeds(12345, device)
    video, weight = clips(voices, dice, generator, 8, frames)
    with torch.autocast(device.type, torch.bfloat16):
        z = model.encode(video)
        guess = model.decode(z).float()
    print("held-out psnr", psnr(guess, video), "by time", [round(psnr(guess[:, :, t], video[:, :, t]), 2) for t in (0, 1, 10, 24, 30, 60, 90, 120)],
          "latent std", [round(v, 2) for v in z.std((0, 2, 3, 4)).tolist()], flush=True)
    rows = [v[:, :, t].clamp(-1, 1) for t in (frames // 2, frames - 1) for v in (video, guess)]
    picture = torch.stack(rows).permute(0, 3, 1, 4, 2).reshape(4 * 128, 8 * 128, 3)
    Image.fromarray(((picture + 1) * 127.5).byte().cpu().numpy()).save(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--speech", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seconds", type=float, nargs=2, default=(110, 200), help="for images, then for clips")
    parser.add_argument("--steps", type=int, default=10 ** 9)
    parser.add_argument("--batch", type=int, nargs=2, default=(64, 4))
    parser.add_argument("--frames", type=int, nargs=2, default=(1, 49))
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--rate", type=float, nargs=2, default=(2e-3, 1.5e-3))
    parser.add_argument("--resume", help="vae.pt, or a weights folder")
    parser.add_argument("--decoder-only", action="store_true")
    parser.add_argument("--name", default="vae")
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args()
    ranks = training.Ranks()
    torch.manual_seed(options.seed + ranks.rank)
    options.output.mkdir(parents=True, exist_ok=True)
    model, voices = train(options, ranks)
    if ranks.rank == 0:
        training.save(options.output / f"{options.name}.pt", model=training.half(model.state_dict()))
        sheet(model, voices, options.output / f"{options.name}.png", ranks.device)
    ranks.close()


if __name__ == "__main__":
    main()
