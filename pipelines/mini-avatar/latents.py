"""A pool of encoded scenes on the device, refilled while the denoiser trains."""
import torch

import scene
import train_encoders

FRAMES = 96
LEAD_LATENTS = 7
WEIGHTS = (8, 4)


class Pool:
    """Latents (lead and video), audio rows, drivers, prompt ids and error maps of many scenes."""

    def __init__(self, capacity, vae, audio, voices, words, dice, generator):
        self.vae, self.audio, self.voices, self.words, self.dice, self.generator = vae, audio, voices, words, dice, generator
        self.capacity, self.count, self.at = capacity, 0, 0
        self.device = generator.device
        self.store = None

    @torch.no_grad()
    def encode(self, count):
        """One batch of fresh scenes."""
        drawn = scene.draw(count, FRAMES, self.voices, self.words, self.dice, self.generator)
        video = scene.pixels(drawn, 0, scene.LEAD + FRAMES)
        if self.device.type == "cuda":
            video = video.contiguous(memory_format=torch.channels_last_3d)
        with torch.autocast(self.device.type, torch.bfloat16):
            z = self.vae.encode(video)
            rows = train_encoders.audio_rows(self.audio, drawn["wave"]).float()
        rows = torch.nn.functional.pad(rows, (0, 0, 0, 0, 0, max(0, drawn["start"] + FRAMES - rows.shape[1])))
        rows = rows[:, drawn["start"]:drawn["start"] + FRAMES]
        weight = scene.attention_map(drawn["identity"], z.shape[-1], *WEIGHTS)
        return dict(z=z.bfloat16(), rows=rows.bfloat16(), drivers=drawn["drivers"], ids=drawn["ids"], weight=weight / weight.mean((1, 2), keepdim=True))

    def add(self, count):
        """Replace the oldest scenes."""
        fresh = self.encode(count)
        if self.store is None:
            self.store = {k: torch.empty(self.capacity, *v.shape[1:], dtype=v.dtype, device=v.device) for k, v in fresh.items()}
        where = (self.at + torch.arange(count, device=self.device)) % self.capacity
        for k, v in fresh.items():
            self.store[k][where] = v
        self.at = (self.at + count) % self.capacity
        self.count = min(self.capacity, self.count + count)

    def keep(self, path):
        """Write the scenes to a file."""
        torch.save({k: v[:self.count].cpu() for k, v in self.store.items()}, path)

    def restore(self, path):
        """Begin with the scenes of a file, as many as fit."""
        kept = torch.load(path, mmap=True)
        self.count = min(self.capacity, len(kept["ids"]))
        self.at = self.count % self.capacity
        self.store = {k: torch.empty(self.capacity, *v.shape[1:], dtype=v.dtype, device=self.device) for k, v in kept.items()}
        for k, v in kept.items():
            self.store[k][:self.count] = v[:self.count].to(self.device)

    def draw(self, count):
        """A random batch."""
        index = torch.randint(self.count, (count,), device=self.device, generator=self.generator)
        return {k: v[index] for k, v in self.store.items()}


def split(z):
    """[B, 16, 7 + 24, h, w] to reference, motion (19 latents) and video."""
    z = z.float()
    still = z[:, :, LEAD_LATENTS - 1:LEAD_LATENTS].expand(-1, -1, 19 - LEAD_LATENTS, -1, -1)
    return z[:, :, :1], torch.cat([z[:, :, :LEAD_LATENTS], still], 2), z[:, :, LEAD_LATENTS:]
