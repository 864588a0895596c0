"""Computes the step of bench-denoiser with PyTorch, in turn with it, and compares time and result.

    python torch_denoiser.py BENCH_DENOISER [--bfloat16] [--threads N] [--rounds N] [--variants eager,...]

Variants: eager; compiled (by Inductor); frozen (the same with weights packed for the products); tuned
(the same with Inductor's own products where they are faster: max-autotune). Keys and values of the text, modulations and the sound's
conditions are made before the clock starts, as on the other side. One round is one step of a variant
and one of bench-denoiser.
"""
import argparse
import math
import subprocess
import tempfile
import time

import numpy
import torch
import torch.nn.functional as F

DIM, FFN, HEADS, LAYERS, HEARING = 1024, 2816, 8, 8, [0, 3, 6]
HEAD = DIM // HEADS
CHANNELS, HEIGHT, WIDTH, CLIP = 16, 32, 48, 12
ROWS, COLUMNS = HEIGHT // 2, WIDTH // 2
FRAME = ROWS * COLUMNS
BLOCK, RING = 3 * FRAME, CLIP * FRAME
SINK = 2 * FRAME + (HEIGHT // 4) * (WIDTH // 4) + 4 * (HEIGHT // 8) * (WIDTH // 8)
FREQUENCY, TEXT_TOKENS, TEXT_DIM = 256, 512, 512
START, TIMESTEP, DISTANCE = CLIP, 857.6923, 7


def made_up(name, shape, scale=1.0, around=0.0):
    """Numbers that follow from a name, the same as in MadeUpWeights.swift."""
    seed = 2166136261
    for byte in name.encode():
        seed = ((seed ^ byte) * 16777619) & 0xFFFFFFFF
    h = numpy.arange(math.prod(shape), dtype=numpy.uint32) + numpy.uint32(seed)
    h = (h ^ (h >> 16)) * numpy.uint32(0x85EBCA6B)
    h = (h ^ (h >> 13)) * numpy.uint32(0xC2B2AE35)
    h = (h ^ (h >> 16)).view(numpy.int32).astype(numpy.float32) * numpy.float32(2.0**-31)
    return torch.from_numpy(around + numpy.float32(scale) * h).reshape(shape)


def weight(name, *shape):
    if name.endswith(".weight") and len(shape) > 1:
        return made_up(name, shape, math.sqrt(3 / math.prod(shape[1:])))
    norm = "norm" in name and name.endswith(".weight")
    return made_up(name, shape, 0.1, 1.0 if norm else 0.0)


def linear_of(*names, inputs, outputs, dtype):
    """A linear layer of one or more of the checkpoint's, stacked."""
    layer = torch.nn.Linear(inputs, outputs * len(names))
    layer.weight = torch.nn.Parameter(torch.cat([weight(f"{n}.weight", outputs, inputs) for n in names]))
    layer.bias = torch.nn.Parameter(torch.cat([weight(f"{n}.bias", outputs) for n in names]))
    return layer.to(dtype).eval()


def turns(frames, rows, columns):
    """cos + i sin of each pair of a head at each cell, rounded to float16: [cells, HEAD / 2]."""
    side = HEAD // 6 * 2

    def axis(positions, width):
        k = torch.arange(width // 2, dtype=torch.float64)
        angle = torch.tensor(positions, dtype=torch.float64)[:, None] / 10000 ** (2 * k / width)
        both = torch.stack([angle.cos(), angle.sin()], -1).float().half().float()
        return torch.view_as_complex(both)

    f, r, c = axis(frames, HEAD - 2 * side), axis(rows, side), axis(columns, side)
    shape = (len(frames), len(rows), len(columns))
    parts = [f[:, None, None].expand(*shape, -1), r[None, :, None].expand(*shape, -1), c.expand(*shape, -1)]
    return torch.cat(parts, -1).reshape(-1, HEAD // 2)


def rotated(x, table):
    """Pairs of [tokens, heads, head] turned by (cos, sin) [tokens, 1, head / 2]."""
    cos, sin = table
    a, b = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2).to(x.dtype)


def table(complex_turns):
    return complex_turns.real[:, None].contiguous(), complex_turns.imag[:, None].contiguous()


def layer_norm(x, scale, shift, eps=1e-6):
    return (F.layer_norm(x.float(), (DIM,), eps=eps) * (1 + scale) + shift).to(x.dtype)


def rms_norm(x, weight, eps=1e-6):
    f = x.float()
    return f * torch.rsqrt(f.square().mean(-1, keepdim=True) + eps) * weight


def split(x):
    """[tokens, dim] as [1, heads, tokens, head]."""
    return x.view(-1, HEADS, HEAD).transpose(0, 1)[None]


def joined(x):
    return x[0].transpose(0, 1).reshape(-1, DIM)


class Layer(torch.nn.Module):
    def __init__(self, index, text, e0, dtype):
        super().__init__()
        name = f"blocks.{index}"
        of = lambda *names, i=DIM, o=DIM: linear_of(
            *[f"{name}.{n}" for n in names], inputs=i, outputs=o, dtype=dtype)
        self.qkv = of("self_attn.q", "self_attn.k", "self_attn.v")
        self.o, self.cross_q, self.cross_o = of("self_attn.o"), of("cross_attn.q"), of("cross_attn.o")
        self.expand, self.contract = of("ffn.0", o=FFN), of("ffn.2", i=FFN)
        for part in ["self_attn.norm_q", "self_attn.norm_k", "cross_attn.norm_q"]:
            self.register_buffer(part.replace(".", "_"), weight(f"{name}.{part}.weight", DIM))
        self.register_buffer("norm_weight", weight(f"{name}.norm3.weight", DIM))
        self.register_buffer("norm_bias", weight(f"{name}.norm3.bias", DIM))
        self.register_buffer("m", made_up(f"{name}.modulation", (6, DIM), 0.1) + e0)
        key = of("cross_attn.k")(text)
        key = rms_norm(key, weight(f"{name}.cross_attn.norm_k.weight", DIM)).to(dtype)
        self.register_buffer("text_k", split(key).contiguous())
        self.register_buffer("text_v", split(of("cross_attn.v")(text)).contiguous())
        # The window in PyTorch's best layout, [1, heads, tokens, head].
        fill = lambda n, rows: made_up(f"{n}.{index}", (rows, HEADS, HEAD)).to(dtype)
        for part in "kv":
            rows = torch.cat([fill(f"sink.{part}", SINK), fill(f"ring.{part}", RING)])
            self.register_buffer(f"window_{part}", rows.transpose(0, 1)[None].contiguous())
        self.register_buffer("reference", fill("reference", FRAME))

    def forward(self, x, own, reference):
        m = self.m
        q, k, v = self.qkv(layer_norm(x, m[1], m[0])).split(DIM, -1)
        q = rotated(rms_norm(q, self.self_attn_norm_q).view(-1, HEADS, HEAD), own).to(x.dtype)
        k = rotated(rms_norm(k, self.self_attn_norm_k).view(-1, HEADS, HEAD), own).to(x.dtype)
        place = slice(SINK + START % CLIP * FRAME, SINK + START % CLIP * FRAME + BLOCK)
        self.window_k[0, :, :FRAME] = rotated(self.reference, reference).transpose(0, 1)
        self.window_k[0, :, place] = k.transpose(0, 1)
        self.window_v[0, :, place] = v.view(-1, HEADS, HEAD).transpose(0, 1)
        attended = F.scaled_dot_product_attention(
            q.transpose(0, 1)[None], self.window_k, self.window_v)
        x = (x.float() + self.o(joined(attended)).float() * m[2]).to(x.dtype)
        normed = F.layer_norm(x.float(), (DIM,), self.norm_weight, self.norm_bias, 1e-6).to(x.dtype)
        q = rms_norm(self.cross_q(normed), self.cross_attn_norm_q).to(x.dtype)
        x = x + self.cross_o(joined(F.scaled_dot_product_attention(split(q), self.text_k, self.text_v)))
        hidden = F.gelu(self.expand(layer_norm(x, m[4], m[3])), approximate="tanh")
        return (x.float() + self.contract(hidden).float() * m[5]).to(x.dtype)


class Injector(torch.nn.Module):
    def __init__(self, index, dtype):
        super().__init__()
        name = f"audio_injector.injector.{index}"
        of = lambda n: linear_of(f"{name}.{n}", inputs=DIM, outputs=DIM, dtype=dtype)
        self.q, self.o = of("q"), of("o")
        self.register_buffer("norm_q", weight(f"{name}.norm_q.weight", DIM))
        local = made_up("local", (15, DIM)).to(dtype)
        heads = lambda t: t.view(3, 5, HEADS, HEAD).transpose(1, 2).contiguous()
        key = rms_norm(of("k")(local), weight(f"{name}.norm_k.weight", DIM)).to(dtype)
        self.register_buffer("k", heads(key))
        self.register_buffer("v", heads(of("v")(local)))
        adain = linear_of(f"audio_injector.injector_adain_layers.{index}.linear",
                          inputs=DIM, outputs=2 * DIM, dtype=torch.float32)
        m = adain(F.silu(made_up("global", (3, DIM))))
        self.register_buffer("shift", m[:, None, :DIM].contiguous())
        self.register_buffer("scale", m[:, None, DIM:].contiguous())

    def forward(self, x):
        y = layer_norm(x.view(3, FRAME, DIM), self.scale, self.shift, 1e-5).view(-1, DIM)
        q = rms_norm(self.q(y), self.norm_q).to(x.dtype)
        q = q.view(3, FRAME, HEADS, HEAD).transpose(1, 2)
        heard = F.scaled_dot_product_attention(q, self.k, self.v).transpose(1, 2).reshape(-1, DIM)
        return x + self.o(heard)


class Denoiser(torch.nn.Module):
    def __init__(self, dtype):
        super().__init__()
        self.dtype = dtype
        patch = weight("patch_embedding.weight", DIM, CHANNELS, 1, 2, 2).view(DIM, -1)
        self.patch = torch.nn.Linear(CHANNELS * 4, DIM)
        self.patch.weight = torch.nn.Parameter(patch)
        marks = made_up("trainable_cond_mask.weight", (3, DIM), math.sqrt(3 / DIM))
        self.patch.bias = torch.nn.Parameter(
            weight("patch_embedding.bias", DIM) + weight("cond_encoder.bias", DIM) + marks[0])
        self.patch.to(dtype)
        of = lambda n, i, o, t=torch.float32: linear_of(n, inputs=i, outputs=o, dtype=t)
        half = FREQUENCY // 2
        angle = TIMESTEP32 * 10000 ** (-torch.arange(half, dtype=torch.float64) / half)
        sinusoid = torch.cat([angle.cos(), angle.sin()]).float()[None]
        e = of("time_embedding.2", DIM, DIM)(F.silu(of("time_embedding.0", FREQUENCY, DIM)(sinusoid)))
        e0 = of("time_projection.1", DIM, 6 * DIM)(F.silu(e)).view(6, DIM)
        context = F.pad(made_up("context", (20, TEXT_DIM)), (0, 0, 0, TEXT_TOKENS - 20)).to(dtype)
        text = F.gelu(of("text_embedding.0", TEXT_DIM, DIM, dtype)(context), approximate="tanh")
        text = of("text_embedding.2", DIM, DIM, dtype)(text)
        self.layers = torch.nn.ModuleList([Layer(i, text, e0, dtype) for i in range(LAYERS)])
        self.injectors = torch.nn.ModuleList([Injector(i, dtype) for i in range(len(HEARING))])
        self.head = of("head.head", DIM, CHANNELS * 4)
        self.register_buffer("m", made_up("head.modulation", (2, DIM), 0.1) + e)

    def forward(self, latents, own, reference):
        x = latents.view(CHANNELS, 3, ROWS, 2, COLUMNS, 2).permute(1, 2, 4, 0, 3, 5)
        x = self.patch(x.reshape(BLOCK, CHANNELS * 4).to(self.dtype))
        for index, layer in enumerate(self.layers):
            x = layer(x, own, reference)
            if index in HEARING:
                x = self.injectors[HEARING.index(index)](x)
        y = self.head(layer_norm(x.float(), self.m[1], self.m[0]))
        y = y.view(3, ROWS, COLUMNS, 2, 2, CHANNELS).permute(5, 0, 1, 3, 2, 4)
        return y.reshape(CHANNELS, 3, HEIGHT, WIDTH)


TIMESTEP32 = float(numpy.float32(TIMESTEP))


def step_of(model):
    """A step as the other side does it: tables and latents to memory, pass, velocity back."""
    latents = made_up("latents", (CHANNELS, 3, HEIGHT, WIDTH))
    rows, columns = list(range(ROWS)), list(range(COLUMNS))
    own = table(turns([START, START + 1, START + 2], rows, columns))
    reference = table(turns([30 + max(0, START - (30 - DISTANCE))], rows, columns))
    return lambda: model(latents, own, reference)


def variant(name, dtype):
    """The step of a model of its own, warmed up."""
    # Compiled code would be found again for another model, whatever the settings.
    torch._dynamo.reset()
    torch._inductor.config.freezing = name in ("frozen", "tuned")
    torch._inductor.config.max_autotune = name == "tuned"
    model = Denoiser(dtype).eval()
    step = step_of(model if name == "eager" else torch.compile(model))
    print(f"{name}: first step {clocked(step):.1f} s", flush=True)
    step()
    return step


def clocked(call):
    before = time.perf_counter()
    call()
    return time.perf_counter() - before


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bench")
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--variants", default="eager,compiled,frozen,tuned")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    dtype = torch.bfloat16 if options.bfloat16 else torch.float32
    print("PyTorch", torch.__version__, "with", torch.backends.cpu.get_cpu_capability())
    if options.profile:
        for name in options.variants.split(","):
            profile(variant(name, dtype))
    else:
        compare(options, dtype)


def profile(step):
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as recorded:
        for _ in range(3):
            step()
    print(recorded.key_averages().table(sort_by="self_cpu_time_total", row_limit=14,
                                        max_name_column_width=60))


def compare(options, dtype):
    command = [options.bench, "--interactive", "--threads", str(options.threads)]
    command += ["--bfloat16"] if options.bfloat16 else []
    bench = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(line):
        bench.stdin.write(line + "\n")
        bench.stdin.flush()
        return bench.stdout.readline().strip()

    print("bench-denoiser with", bench.stdout.readline().strip())
    with tempfile.NamedTemporaryFile() as file:
        ask(f"result {file.name}")
        ours = torch.from_numpy(numpy.fromfile(file.name, numpy.float32))
    median = lambda values: sorted(values)[len(values) // 2]
    for name in options.variants.split(","):
        step = variant(name, dtype)
        error = (ours - step().flatten()).abs().max() / ours.abs().max()
        mine, others = [], []
        for _ in range(options.rounds):
            mine.append(float(ask("step").split()[0]))
            others.append(clocked(step))
        print(f"{name:9} {min(others):7.3f} s best {median(others):7.3f} s median   bench-denoiser "
              f"{min(mine):7.3f} s best {median(mine):7.3f} s median   {min(others) / min(mine):5.2f} x by "
              f"best {median(others) / median(mine):5.2f} x by median, largest difference {error:.1e}",
              flush=True)
    bench.stdin.close()
    bench.wait()


if __name__ == "__main__":
    main()
