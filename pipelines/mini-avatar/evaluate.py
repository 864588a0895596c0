"""Measure held-out videos made exactly as inference makes them.

    python evaluate.py --weights WEIGHTS --speech heldout.npz --output DIR [--heads 16] [--seconds 12] [--minutes 10]
"""
import argparse
import json
import time
from pathlib import Path

import torch
from PIL import Image

import audio_encoder
import layout
import measures
import motion
import mouth
import sampler
import scene
import tokenizer
import world

FRAMES_PER_BLOCK = 12


class Studio:
    """The whole pipeline for a batch of heads."""

    def __init__(self, weights, device, precision=torch.float32):
        self.models, self.device, self.precision = layout.load(weights), device, precision
        for name in ("text", "audio", "vae", "denoiser"):
            getattr(self.models, name).to(device)
        self.words = tokenizer.Tokenizer(self.models.folder / layout.TOKENIZER)

    def context(self, texts):
        ids = scene.pad_ids([self.words.encode(t) for t in texts]).to(self.device)
        return self.models.text(ids, ids != 0)

    def rows(self, wave):
        """Audio rows [B, frames, L, C] of files [B, samples]."""
        return torch.stack([audio_encoder.bucket(self.models.audio(w[None])[:, 0]) for w in wave])

    @torch.no_grad()
    def video(self, reference, texts, wave, seed, blocks=None):
        """Yields frames [B, 3, 12, H, W] block by block, the first three of block 0 included."""
        generator = torch.Generator(self.device).manual_seed(seed)
        rows = self.rows(audio_encoder.normalise(wave))
        blocks = blocks or -(-(wave.shape[1] // mouth.HOP) // FRAMES_PER_BLOCK)
        vae, history = self.models.vae, {}
        still = vae.encode(reference[:, :, None].expand(-1, -1, 73, -1, -1)) if len(reference) <= 4 else torch.cat(
            [vae.encode(r[None, :, None].expand(-1, -1, 73, -1, -1)) for r in reference])
        vae.decode(still[:, :, :7], history)
        size = still.shape[3:]
        noise_of = lambda n: torch.randn(len(reference), 16, 3, *size, generator=generator, device=self.device)
        distance_of = lambda n, i: int(torch.randint(4, 31, (1,), generator=generator, device=self.device))
        blocks_of = sampler.stream_blocks(self.models.denoiser, self.context(texts), rows, still[:, :, :1], still, noise_of, distance_of, blocks)
        for latents in blocks_of:
            yield vae.decode(latents, history)


def references(count, seed, device):
    """Held-out heads with closed mouths: identities and pixels [count, 3, H, W]."""
    generator = torch.Generator(device).manual_seed(seed)
    identity = world.draw_identities(count, generator)
    return identity, world.render(identity, motion.still(count, device))


def save_sheet(frames, path, columns):
    """[N, 3, H, W] in [-1, 1] as a grid."""
    rows = -(-len(frames) // columns)
    height, width = frames.shape[2:]
    grid = frames.view(rows, columns, 3, height, width).permute(0, 3, 1, 4, 2).reshape(rows * height, columns * width, 3)
    Image.fromarray(((grid.float().clamp(-1, 1) + 1) * 127.5).byte().cpu().numpy()).save(path, optimize=True)


def drawn_openness(identity, n, spoken, chunk=100):
    """What would be measured of head n if the world drew its mouth itself, the head at rest: the most a model can reach."""
    frames, device = spoken["open"].shape[1], spoken["open"].device
    still = motion.still(1, device)
    parts = []
    for at in range(0, frames, chunk):
        said = {k: v[n, at:at + chunk] for k, v in spoken.items()}
        count = len(said["open"])
        act = {k: v.expand(count) for k, v in still.items()} | said
        parts.append(measures.openness(world.render(world.select(identity, torch.full((count,), n, device=device)), act), measures.mouth_box(identity, n)))
    return torch.cat(parts)


def lip_sync(studio, options, voices):
    """Correlation and lag against the own sound and against another file's; colours; the sheet."""
    identity, pictures = references(options.heads, 777, studio.device)
    _, generator = scene.seeds(99, studio.device)
    wave = voices.draw(options.heads, options.seconds, generator)
    kinds = {k: v.cpu() for k, v in identity["kinds"].items()}
    dice, _ = scene.seeds(98, studio.device)
    drawn, _ = scene.moods(options.heads, dice)
    texts, _ = scene.texts(kinds, drawn, studio.words, dice)
    video = torch.cat([f.cpu() for f in studio.video(pictures, texts, wave, 420)], 2)
    spoken = mouth.mouth_of(wave, video.shape[2])
    ideal = [drawn_openness(identity, n, spoken).cpu() for n in range(options.heads)]
    identity = {k: v.cpu() if torch.is_tensor(v) else kinds for k, v in identity.items()}
    loud = mouth.loudness(wave, video.shape[2]).cpu()
    results, first = [], 3
    for n in range(options.heads):
        frames = video[n].transpose(0, 1)
        opened = measures.openness(frames, measures.mouth_box(identity, n))
        still = measures.region_colours(pictures[n:n + 1].cpu(), identity, n)
        drift = (measures.region_colours(frames, identity, n) - still).abs().mean((0, 2))
        now, best, lag = measures.best_lag(opened[first:], loud[n, first:])
        control = measures.correlation(opened[first:], loud[(n + 1) % options.heads, first:])
        drawn = measures.correlation(ideal[n][first:], loud[n, first:])
        results.append(dict(head=n, prompt=texts[n], correlation=round(now, 3), drawn=round(drawn, 3), best=round(best, 3), lag=lag, control=round(control, 3),
                            colour_error={k: round(float(v), 1) for k, v in zip(("background", "skin", "hair", "clothes"), drift)}))
    step = video.shape[2] // 11
    picks = [torch.cat([pictures[n:n + 1].cpu(), video[n, :, 6::step][:, :11].transpose(0, 1)]) for n in range(min(8, options.heads))]
    save_sheet(torch.cat(picks), options.output / "held-out.png", 12)
    start = 48
    picks = [video[n, :, start:start + 24:2].transpose(0, 1) for n in range(min(6, options.heads))]
    save_sheet(torch.cat(picks), options.output / "held-out-motion.png", 12)
    mean = lambda key: sum(r[key] for r in results) / len(results)
    return dict(heads=results, correlation=mean("correlation"), drawn=mean("drawn"), worst=min(r["correlation"] for r in results), control=mean("control"),
                lags=[r["lag"] for r in results])


MOODS = ["a smiling person", "a sad person", "a surprised person", "an angry person", "a calm person", "a lively person"]


def moods(studio, options, voices):
    """The same face, sound and noise with six prompts: what differs, in which part of the picture."""
    identity, pictures = references(2, 4242, studio.device)
    _, generator = scene.seeds(97, studio.device)
    wave = voices.draw(2, 6.0, generator)
    rows, videos = [], {}
    for text in ["a person"] + MOODS:
        video = torch.cat([f.cpu() for f in studio.video(pictures, [text] * 2, wave, 420)], 2)
        videos[text] = video
        rows.append(torch.cat([video[n, :, 40:140:17].transpose(0, 1) for n in (0, 1)]))
    save_sheet(torch.cat(rows), options.output / "moods.png", len(rows[0]))
    plain = videos["a person"][:, :, 24:]
    spread = lambda v: float((v[:, :, 1:] - v[:, :, :-1]).abs().mean())
    out = {}
    for text in MOODS:
        difference = (videos[text][:, :, 24:] - plain).abs().mean((1, 2)) * 127.5
        parts = {}
        for n in (0, 1):
            r, x, y = (float(identity[k][n]) for k in ("scale", "x", "y"))
            m = y + float(identity["mouth_y"][n]) * r
            band = lambda low, high: float(difference[n, int(max(0, low)):int(high), int(x - 0.7 * r):int(x + 0.7 * r)].mean())
            parts[n] = dict(brows=round(band(y - 0.6 * r, y - 0.25 * r), 1), mouth=round(band(m - 0.3 * r, m + 0.3 * r), 1),
                            corner=round(float(difference[n, 4:20, 4:20].mean()), 1))
        out[text] = dict(change=parts, movement=round(spread(videos[text][:, :, 24:]) / spread(plain), 3))
    return out


def endurance(studio, options, voices):
    """Measures of the first and the last minute of a long video."""
    identity, pictures = references(options.long_heads, 31337, studio.device)
    _, generator = scene.seeds(96, studio.device)
    pieces = voices.wave
    samples = int(options.minutes * 60 * mouth.RATE)
    repeat = -(-samples // len(pieces))
    wave = torch.stack([pieces.roll(-n * 16000 * 7).repeat(repeat)[:samples] for n in range(options.long_heads)])
    normal = audio_encoder.normalise(wave)
    frames = samples // mouth.HOP
    loud = mouth.loudness(normal, frames).cpu()
    opened, colours, sharp, picks, count, began = [], [], [], [], 0, time.time()
    texts = ["a lively smiling person", "a calm person with glasses", "a person", "a sad person", "an angry person", "a surprised lively person"]
    for block in studio.video(pictures, [texts[n % 6] for n in range(options.long_heads)], wave, 1):
        part = [block[n].transpose(0, 1) for n in range(options.long_heads)]
        opened.append(torch.stack([measures.openness(p, measures.mouth_box(identity, n)) for n, p in enumerate(part)]).cpu())
        colours.append(torch.stack([measures.region_colours(p, identity, n) for n, p in enumerate(part)]).cpu())
        sharp.append(torch.stack([measures.sharpness(p) for p in part]).cpu())
        total = max(1, frames // 12 // 10)
        if count % total == total - 1 or count == 1:
            picks.append(block[:, :, 6].cpu())
        count += 1
        if time.time() - began > options.limit:
            break
    opened, colours, sharp = (torch.cat(v, 1) for v in (opened, colours, sharp))
    save_sheet(torch.stack(picks, 1).flatten(0, 1), options.output / "endurance.png", len(picks))
    still = torch.stack([measures.region_colours(pictures[n:n + 1], identity, n)[0] for n in range(options.long_heads)]).cpu()
    minute = min(1500, opened.shape[1] // 2)

    def part(span):
        sync = [measures.correlation(opened[n, span], loud[n, span]) for n in range(options.long_heads)]
        error = (colours[:, span] - still[:, None]).abs().mean((0, 1, 3))
        return dict(correlation=round(sum(sync) / len(sync), 3), sharpness=round(float(sharp[:, span].mean()), 4),
                    openness=round(float(opened[:, span].mean()), 2),
                    colour_error={k: round(float(v), 2) for k, v in zip(("background", "skin", "hair", "clothes"), error)})
    length = min(opened.shape[1], loud.shape[1])
    return dict(minutes=round(count * 12 / 25 / 60, 2), first_minute=part(slice(3, minute)), last_minute=part(slice(length - minute, length)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", required=True)
    parser.add_argument("--speech", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--heads", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--long-heads", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1e9, help="seconds after which the long video ends early")
    parser.add_argument("--parts", nargs="*", default=("sync", "moods", "endurance"), choices=("sync", "moods", "endurance"))
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    options.output.mkdir(parents=True, exist_ok=True)
    studio, voices = Studio(options.weights, device), scene.Voices(options.speech, device)
    report = {}
    for part, measure in (("sync", lip_sync), ("moods", moods), ("endurance", endurance)):
        if part in options.parts:
            report[part] = measure(studio, options, voices)
            print(part, {k: v for k, v in report[part].items() if k != "heads"}, flush=True)
    name = "results.json" if len(options.parts) == 3 else f"results-{'-'.join(options.parts)}.json"
    (options.output / name).write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
