"""Train the denoiser and the text encoder on their own rollouts.

    torchrun --nproc-per-node 8 train_denoiser.py --speech corpus.npz --tokenizer DIR --vae vae.pt --audio audio.pt --text text.pt \\
        --output DIR --state STATE --seconds 540 --schedule 0 0.45

At step i the window holds keys of step i's inputs only, so a whole sequence is rolled out in four passes, exactly as
inference would: x starts as noise, and every later input is the model's own Euler update. Each pass is trained toward
the true video, which the conditions and the noise determine (see motion.couple).
"""
import argparse
import time
from pathlib import Path

import torch

import audio_encoder
import audio_injection
import denoiser
import latents
import layout
import motion
import scene
import text_encoder
import tokenizer
import train_vae
import training
import video_vae

BLOCKS = latents.FRAMES // 12
SWITCH = 4
LAST_STEP_WEIGHT = 0.1
LAST_CLIP = 1000


def compile_parts(backend="inductor"):
    """Compile what every layer repeats, once for all layers."""
    torch._dynamo.config.cache_size_limit = 64
    for module, name in ((denoiser, "prefill_layer"), (denoiser, "stream_layer"), (audio_injection, "inject")):
        setattr(module, name, torch.compile(getattr(module, name), dynamic=False, backend=backend))


def conditions(model, reference, motion_latents, later, text, early):
    """Prefill once for the references that are needed; the first `early` samples start with the picture itself."""
    tokens, bias = text
    together = (torch.cat([tokens[:early], tokens]), bias)
    kept = model.prefill(torch.cat([reference[:early], later]), torch.cat([motion_latents[:early], motion_latents]), together)
    start = [(torch.cat([k[:early], k[2 * early:]]), torch.cat([v[:early], v[2 * early:]])) for k, v in kept]
    after = [(k[early:], v[early:]) for k, v in kept]
    return start, after


def places(batch, early, device):
    """Absolute first latent frames: 0 for the early half, any later clip for the rest."""
    far = torch.randint(1, LAST_CLIP, (batch,), device=device)
    near = torch.randint(1, 12, (batch,), device=device)
    clip = torch.where(torch.rand(batch, device=device) < 0.4, near, far)
    clip[:early] = 0
    return clip * 12


def rollout_losses(model, text_model, batch, schedule, step_weights, last_step, generated_reference):
    """Weighted errors of the predicted video at every step."""
    times, sigmas = schedule
    reference, still, video = latents.split(batch["z"])
    count, device = len(video), video.device
    early = count // 2
    context = text_model(batch["ids"], batch["ids"] != 0)
    text = model.text(context)
    noise = motion.couple(torch.randn_like(video), batch["drivers"])
    first = places(count, early, device)
    later = video[:, :, :1] + 0.08 * torch.randn_like(video[:, :, :1])
    if generated_reference:
        later = own_reference(model, text, reference, still, noise, batch["rows"], schedule)
    start, after = conditions(model, reference, still, later, text, early)
    weight = batch["weight"][:, None, None].repeat(1, 1, video.shape[2], 1, 1)
    weight[early:, :, :3] = 0
    x, noise_guess, losses, plain = noise, noise, [], []
    for i in range(4 if last_step else 3):
        distance = torch.randint(4, 31, (count, BLOCKS), device=device)
        v = model.stream(x, times[i], text, start, batch["rows"], first, distance, condition_later=after, switch=SWITCH).float()
        if i < 3:
            error = (x - sigmas[i] * v - video).square()
            losses.append(step_weights[i] * (weight * error).mean())
            plain.append(error[:early].mean().detach())
        else:
            losses.append(LAST_STEP_WEIGHT * (weight * (v - (noise_guess - video)).square()).mean())
        moved = x + (sigmas[i + 1] - sigmas[i]) * v.detach()
        noise_guess = x + (1 - sigmas[i]) * v.detach()
        x = moved
    return sum(losses), plain


@torch.no_grad()
def own_reference(model, text, reference, still, noise, rows, schedule):
    """The first latent frame of block 0 as the model itself makes it."""
    times, sigmas = schedule
    condition = model.prefill(reference, still, text)
    x = noise[:, :, :3]
    zero = torch.zeros(len(x), dtype=torch.long, device=x.device)
    for i in range(3):
        distance = torch.randint(4, 31, (len(x), 1), device=x.device)
        v = model.stream(x, times[i], text, condition, rows[:, :12], zero, distance).float()
        x = x + (sigmas[i + 1] - sigmas[i]) * v
    return x[:, :, :1]


class Passes:
    """Forward and backward passes of a step: loss and plain errors, gradients into the parameters.

    With `graph`, each kind of step is captured once as a CUDA graph and replayed with the batch copied in; the launches of
    some ten thousand small kernels took longer than the kernels.
    """

    def __init__(self, parameters, rollout, graph):
        self.parameters, self.rollout, self.graph = parameters, rollout, graph
        self.batch, self.captured, self.memory = None, {}, None
        for p in parameters:
            p.grad = torch.zeros_like(p)

    def __call__(self, batch, *kind):
        if not self.graph:
            return self.run(batch, kind)
        if self.batch is None:
            self.batch = {k: v.clone() for k, v in batch.items()}
        for k, v in batch.items():
            self.batch[k].copy_(v)
        if kind not in self.captured:
            self.captured[kind] = self.capture(kind)
        graph, out = self.captured[kind]
        graph.replay()
        return out

    def run(self, batch, kind):
        torch._foreach_zero_([p.grad for p in self.parameters])
        with torch.autocast(self.parameters[0].device.type, torch.bfloat16):
            loss, plain = self.rollout(batch, *kind)
        loss.backward()
        return loss.detach(), plain

    def capture(self, kind):
        """Warm up beside the main stream, as capturing asks, then record."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.run(self.batch, kind)
        torch.cuda.current_stream().wait_stream(side)
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.memory):
            out = self.run(self.batch, kind)
        self.memory = graph.pool()
        print("captured", kind, round(torch.cuda.max_memory_allocated() / 2 ** 30, 1), "GiB", flush=True)
        return graph, out


def load(options, device):
    """Models from files; the VAE and the audio encoder stay as they are."""
    words = tokenizer.Tokenizer(options.tokenizer)
    vae = video_vae.from_state(layout.part(options.vae, "vae")).to(device).eval().requires_grad_(False)
    audio = audio_encoder.AudioEncoder().to(device).eval().requires_grad_(False)
    audio.load_state_dict(layout.part(options.audio, "audio"))
    text = text_encoder.from_state(layout.part(options.text, "text")).to(device)
    return words, vae, audio, text, denoiser.Denoiser().to(device)


def train(options, ranks):
    device = ranks.device
    dice, generator = scene.seeds(options.seed + 1000 * ranks.rank, device)
    words, vae, audio, text, model = load(options, device)
    if device.type == "cuda":
        train_vae.fast_kernels(device)
        train_vae.channels_last(vae)
        compile_parts()
    groups = [{"params": list(model.parameters())}, {"params": list(text.parameters()), "share": 0.3}]
    optimizer = torch.optim.AdamW(groups, lr=options.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=device.type == "cuda")
    averages = [training.Average(model, options.decay), training.Average(text, options.decay)]
    step0 = resume(options, model, text, optimizer, averages, device)
    ranks.same_weights(model, text, averages[0].copy, averages[1].copy)
    pool = latents.Pool(options.pool, vae, audio, scene.Voices(options.speech, device), words, dice, generator)
    fill(pool, options, ranks)
    log = training.Log(options.output / f"{options.name}.jsonl", ranks)
    schedule = tuple(s.to(device) for s in denoiser.schedule())
    times = schedule[0].tolist()
    budget = training.Budget(options.seconds - options.fill_seconds, options.steps, ranks)
    parameters = [p for g in groups for p in g["params"]]
    low, high = options.schedule
    rollout = lambda batch, last_step, own: rollout_losses(model, text, batch, (times, schedule[1]), options.step_weights, last_step, own)
    passes = Passes(parameters, rollout, options.graph)
    for step in budget:
        training.set_rate(optimizer, options.rate, step0 * options.warm + step, low + (high - low) * budget.progress, warm=options.warm_steps)
        if step % options.refill_every == options.refill_every - 1:
            pool.add(options.refill)
        own = options.own_reference and step % 2 == 0
        loss, plain = passes(pool.draw(options.batch), step % 8 == 0, own)
        ranks.average_gradients(parameters)
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        for average in averages:
            average.update()
        if step % options.log_every == 0:
            if not torch.isfinite(loss):
                raise FloatingPointError(f"the loss at step {step0 + step} is not finite")
            log.write(step=step0 + step, loss=loss.item(), mse=[round(p.item(), 5) for p in plain], grad=norm.item(), scenes=pool.made)
    return model, text, optimizer, averages, step0 + budget.step


def fill(pool, options, ranks):
    """Fill the pool for a while before training, from a kept pool first if there is one."""
    start, pool.made = time.time(), 0
    kept = Path(f"{options.keep_pool}.{ranks.rank}")
    if options.keep_pool and kept.exists():
        pool.restore(kept)
    add = pool.add

    def counted(count):
        add(count)
        pool.made += count
    pool.add = counted
    while pool.made == 0 or (time.time() - start < options.fill_seconds and pool.made < options.pool):
        pool.add(options.refill)
        if pool.device.type == "cuda":
            torch.cuda.synchronize()
    print("scenes", pool.made, "in", round(time.time() - start, 1), "s", flush=True)
    if options.keep_pool:
        pool.keep(kept)
        print("kept after", round(time.time() - start, 1), "s", flush=True)


def resume(options, model, text, optimizer, averages, device):
    """Continue from the training state, or from exported averages, if given."""
    if options.state and Path(options.state).exists():
        kept = torch.load(options.state, map_location=device)
        model.load_state_dict(kept["model"])
        text.load_state_dict(kept["text"])
        optimizer.load_state_dict(kept["optimizer"])
        for average, state in zip(averages, kept["averages"]):
            average.copy.load_state_dict(state)
            average.count = kept["step"]
        return kept["step"]
    if options.resume:
        for part, average, name in ((model, averages[0], "denoiser"), (text, averages[1], "text")):
            part.load_state_dict(layout.part(options.resume, name))
            average.copy.load_state_dict(part.state_dict())
    return 0


def write(options, model, text, optimizer, averages, step):
    """The averages in two files, and the full training state."""
    exported = [training.half(a.copy.state_dict()) for a in averages]
    names = list(exported[0])
    cut = len(names) // 2
    training.save(options.output / f"{options.name}-1.pt", model={k: exported[0][k] for k in names[:cut]}, text=exported[1], step=step)
    training.save(options.output / f"{options.name}-2.pt", model={k: exported[0][k] for k in names[cut:]})
    if options.state:
        training.save(options.state, model=model.state_dict(), text=text.state_dict(), optimizer=optimizer.state_dict(),
                      averages=[a.copy.state_dict() for a in averages], step=step)


def main():
    parser = argparse.ArgumentParser()
    for name in ("speech", "tokenizer", "vae", "audio", "text"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--state", help="full training state, read if there and written at the end")
    parser.add_argument("--resume", help="weights folder to start from if there is no state")
    parser.add_argument("--seconds", type=float, default=540)
    parser.add_argument("--fill-seconds", type=float, default=60)
    parser.add_argument("--schedule", type=float, nargs=2, default=(0, 1), help="part of the learning-rate schedule run here")
    parser.add_argument("--steps", type=int, default=10 ** 9)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--pool", type=int, default=40000)
    parser.add_argument("--refill", type=int, default=32)
    parser.add_argument("--refill-every", type=int, default=12)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--decay", type=float, default=0.999)
    parser.add_argument("--warm", type=int, default=1, help="1: the warm-up counts steps of earlier runs; 0: warm up again")
    parser.add_argument("--warm-steps", type=int, default=400)
    parser.add_argument("--log-every", type=int, default=50)
    parser.add_argument("--own-reference", action="store_true")
    parser.add_argument("--step-weights", type=float, nargs=3, default=(1.0, 1.0, 1.5), help="of the errors at steps 0 to 2")
    parser.add_argument("--graph", action="store_true", help="capture the passes as CUDA graphs")
    parser.add_argument("--keep-pool", help="file to keep the first scenes in, and to start from")
    parser.add_argument("--name", default="denoiser")
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    ranks = training.Ranks()
    torch.manual_seed(options.seed + ranks.rank)
    options.output.mkdir(parents=True, exist_ok=True)
    model, text, optimizer, averages, step = train(options, ranks)
    if ranks.rank == 0:
        write(options, model, text, optimizer, averages, step)
    ranks.close()


if __name__ == "__main__":
    main()
