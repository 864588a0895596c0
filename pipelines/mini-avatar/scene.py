"""Batches of the world: heads, words, sound and chance, put together as a video with its conditions."""
import random

import numpy as np
import torch
import torch.nn.functional as F

import audio_encoder
import motion
import mouth
import prompts
import world

LEAD = 25
TEXT_ROWS = 64
SECONDS = (3.4, 4.2, 6.0, 9.0)


class Voices:
    """Random stretches of a speech corpus, as normalised files [N, samples]."""

    def __init__(self, path, device):
        law = np.load(path)["mu_law"].astype(np.float32) / 127.5 - 1
        self.wave = torch.tensor(np.sign(law) * (256.0 ** np.abs(law) - 1) / 255, dtype=torch.float32, device=device)

    def draw(self, count, seconds, generator):
        """Random speed (+-15%), level changes within the file and a little noise."""
        device = self.wave.device
        samples = int(seconds * mouth.RATE)
        speed = 0.86 + 0.3 * float(torch.rand(1, generator=generator, device=device))
        taken = int(samples * speed)
        start = torch.randint(len(self.wave) - taken, (count, 1), generator=generator, device=device)
        wave = self.wave[start + torch.arange(taken, device=device)]
        wave = F.interpolate(wave[:, None], size=samples, mode="linear", align_corners=True)[:, 0]
        level = 0.35 + 0.65 * torch.rand(count, 1, 4, generator=generator, device=device)
        wave = wave * F.interpolate(level, size=samples, mode="linear", align_corners=True)[:, 0]
        quiet = 10 ** (-5 + 2.5 * torch.rand(count, 1, generator=generator, device=device))
        wave = wave + quiet * torch.randn(count, samples, generator=generator, device=device)
        return audio_encoder.normalise(wave)


def moods(count, dice):
    """Per head what the prompt says of the mood, and the numbers [count]."""
    drawn = [prompts.draw_mood(dice) for _ in range(count)]
    values = [prompts.mood_values(m) for m in drawn]
    return drawn, {k: torch.tensor([v[k] for v in values]) for k in values[0]}


def texts(kinds, drawn, tokenizer, dice):
    """Prompts and their padded ids [count, TEXT_ROWS]; the last row is always padding."""
    written = [prompts.write({k: int(v[n]) for k, v in kinds.items()}, m, dice) for n, m in enumerate(drawn)]
    return written, pad_ids([tokenizer.encode(t) for t in written])


def pad_ids(ids):
    """Lists of ids to [count, TEXT_ROWS]."""
    rows = torch.zeros(len(ids), TEXT_ROWS, dtype=torch.long)
    for n, row in enumerate(ids):
        row = row[:TEXT_ROWS - 2] + [1] if len(row) > TEXT_ROWS - 1 else row
        rows[n, :len(row)] = torch.tensor(row)
    return rows


def reference_mouth(count, generator):
    """Mostly closed, sometimes open."""
    device = generator.device
    uniform = lambda: torch.rand(count, generator=generator, device=device)
    opened = torch.where(uniform() < 0.7, uniform() * 0.06, uniform() * 0.9)
    return {"open": opened, "wide": (uniform() * 2 - 1) * (opened > 0.1), "teeth": uniform() * (opened > 0.1)}


def draw(count, frames, voices, tokenizer, dice, generator):
    """A batch of scenes of `frames` frames after LEAD frames of the reference."""
    device = generator.device
    wave = voices.draw(count, dice.choice(SECONDS), generator)
    clips = max(1, wave.shape[1] // mouth.HOP // 12)
    start = 12 * dice.randrange(max(1, clips - frames // 12 + 1)) if dice.random() < 0.5 else 0
    spoken = {k: v[:, start:start + frames] for k, v in mouth.mouth_of(wave, start + frames).items()}
    identity = world.draw_identities(count, generator)
    drawn, mood = moods(count, dice)
    mood = {k: v.to(device) for k, v in mood.items()}
    drivers = torch.randn(count, frames // 4, motion.DRIVERS, generator=generator, device=device)
    moving = motion.act(drivers, spoken, mood)
    still = motion.still(count, device, reference_mouth(count, generator))
    act = {k: torch.cat([still[k][:, None].expand(-1, LEAD), moving[k]], 1) for k in moving}
    batch = dict(identity=identity, act=act, wave=wave, start=start, drivers=drivers, mood=mood)
    if tokenizer is None:
        return batch
    written, ids = texts({k: v.cpu() for k, v in identity["kinds"].items()}, drawn, tokenizer, dice)
    return batch | dict(ids=ids.to(device), prompts=written)


def pixels(scene, first, count, chunk=1024, size=world.SIZE, render=world.render):
    """Frames [first, first + count) of every scene, [N, 3, count, size, size]."""
    heads = len(scene["identity"]["scale"])
    index = torch.arange(heads, device=scene["drivers"].device).repeat_interleave(count)
    act = {k: v[:, first:first + count].flatten() for k, v in scene["act"].items()}
    parts = []
    for at in range(0, len(index), chunk):
        rows = index[at:at + chunk]
        parts.append(render(world.select(scene["identity"], rows), {k: v[at:at + chunk] for k, v in act.items()}, size))
    return torch.cat(parts).unflatten(0, (heads, count)).transpose(1, 2)


def attention_map(identity, size, mouth_weight, eye_weight):
    """Where errors matter: 1 plus bumps at the mouth and the eyes, [N, size, size]."""
    unit = world.SIZE / size
    axis = (torch.arange(size, device=identity["scale"].device) + 0.5) * unit
    x, y = axis.view(1, 1, -1), axis.view(1, -1, 1)
    at = lambda v: v.view(-1, 1, 1)
    r = at(identity["scale"])
    bump = lambda cy, rx, ry: (-((x - at(identity["x"])) / (rx * r)) ** 2 - ((y - at(identity["y"]) - cy * r) / (ry * r)) ** 2).exp()
    return 1 + mouth_weight * bump(at(identity["mouth_y"]), 0.55, 0.42) + eye_weight * bump(-0.2, 0.75, 0.35)


def seeds(number, device):
    """A Python and a torch generator."""
    return random.Random(number), torch.Generator(device).manual_seed(number)
