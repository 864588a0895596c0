"""Decodes what bench-vae decodes with PyTorch, in turn with it, and compares time and frames.

    python torch_vae.py BENCH_VAE [--bfloat16] [--size 384x256] [--threads N] [--rounds N]
                        [--variants eager,compiled,frozen] [--passes 1,3] [--profile]

Variants: eager; compiled (by Inductor); frozen (the same with weights packed for oneDNN). Pictures and weights are channels
last throughout. Passes: how many latents go through the layers together; the released code takes one. One round is a
block of 3 latents by a variant and one by bench-vae. Ratios are told by the clock and by the processor's time, which
other work on the machine lengthens least.
"""
import argparse
import math
import subprocess
import tempfile
import time

import numpy
import torch
import torch.nn.functional as F

WIDTH, MULTIPLIERS, BLOCKS, CHANNELS = 96, [1, 2, 4, 4], 3, 16
# Whether the step up from a level doubles the frames, from the latents to the pixels.
DOUBLES = [True, True, False]
MEAN = [-0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508,
        0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921]
DEVIATION = [2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
             3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160]
LAST = torch.channels_last_3d


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


def fill(layer, name):
    """A layer with made-up weight and bias."""
    shape = tuple(layer.weight.shape)
    layer.weight = torch.nn.Parameter(made_up(f"{name}.weight", shape, math.sqrt(3 / math.prod(shape[1:]))))
    layer.bias = torch.nn.Parameter(made_up(f"{name}.bias", (shape[0],), 0.1))
    return layer


def conv3d(name, i, o, kernel, padding=(0, 0, 0)):
    return fill(torch.nn.Conv3d(i, o, kernel, padding=padding), name)


class Causal(torch.nn.Module):
    """A convolution that sees the last two frames of the piece before."""

    def __init__(self, name, i, o, kernel):
        super().__init__()
        self.conv = conv3d(name, i, o, kernel, (0, kernel[1] // 2, kernel[2] // 2))

    def forward(self, x, histories):
        x = torch.cat([histories.pop(0), x], 2)
        histories.append(x[:, :, -2:].contiguous(memory_format=LAST))
        return self.conv(x)


class Norm(torch.nn.Module):
    def __init__(self, name, channels):
        super().__init__()
        gamma = made_up(f"{name}.gamma", (channels, 1, 1, 1), 0.1, 1.0)
        self.gamma = torch.nn.Parameter(gamma * math.sqrt(channels))

    def forward(self, x):
        return F.normalize(x, dim=1) * self.gamma


class Residual(torch.nn.Module):
    def __init__(self, name, i, o):
        super().__init__()
        self.norm1, self.conv1 = Norm(f"{name}.residual.0", i), Causal(f"{name}.residual.2", i, o, (3, 3, 3))
        self.norm2, self.conv2 = Norm(f"{name}.residual.3", o), Causal(f"{name}.residual.6", o, o, (3, 3, 3))
        self.shortcut = conv3d(f"{name}.shortcut", i, o, (1, 1, 1)) if i != o else torch.nn.Identity()

    def forward(self, x, histories):
        y = self.conv1(F.silu(self.norm1(x)), histories)
        return self.shortcut(x) + self.conv2(F.silu(self.norm2(y)), histories)


class Attention(torch.nn.Module):
    def __init__(self, name, channels):
        super().__init__()
        self.norm = Norm(f"{name}.norm", channels)
        self.qkv = fill(torch.nn.Conv2d(channels, 3 * channels, 1), f"{name}.to_qkv")
        self.proj = fill(torch.nn.Conv2d(channels, channels, 1), f"{name}.proj")

    def forward(self, x, _):
        _, c, t, h, w = x.shape
        frames = self.norm(x).permute(0, 2, 1, 3, 4).reshape(t, c, h, w)
        q, k, v = self.qkv(frames).permute(0, 2, 3, 1).reshape(t, 1, h * w, 3 * c).chunk(3, -1)
        y = F.scaled_dot_product_attention(q, k, v).reshape(t, h, w, c).permute(0, 3, 1, 2)
        return x + self.proj(y).reshape(1, t, c, h, w).permute(0, 2, 1, 3, 4)


class Up(torch.nn.Module):
    def __init__(self, name, channels, doubles):
        super().__init__()
        self.time = Causal(f"{name}.time_conv", channels, 2 * channels, (3, 1, 1)) if doubles else None
        self.conv = fill(torch.nn.Conv2d(channels, channels // 2, 3, padding=1), f"{name}.resample.1")

    def forward(self, x, histories):
        _, c, t, h, w = x.shape
        if self.time is not None:
            both = self.time(x, histories).permute(0, 2, 3, 4, 1).view(t, h, w, 2, c)
            t, x = 2 * t, both.permute(0, 3, 4, 1, 2).reshape(2 * t, c, h, w)
        else:
            x = x.permute(0, 2, 1, 3, 4).reshape(t, c, h, w)
        x = F.interpolate(x.contiguous(memory_format=torch.channels_last), scale_factor=2, mode="nearest")
        return self.conv(x).view(1, t, c // 2, 2 * h, 2 * w).permute(0, 2, 1, 3, 4)


class Decoder(torch.nn.Module):
    """Latents in the middle of a stream to frames; histories go in and come out in the order of use."""

    def __init__(self, dtype):
        super().__init__()
        levels = [m * WIDTH for m in MULTIPLIERS]
        level = levels[-1]
        self.conv2 = conv3d("conv2", CHANNELS, CHANNELS, (1, 1, 1))
        self.conv1 = Causal("decoder.conv1", CHANNELS, level, (3, 3, 3))
        parts = [Residual("decoder.middle.0", level, level), Attention("decoder.middle.1", level),
                 Residual("decoder.middle.2", level, level)]
        index = 0
        for depth, width in enumerate(reversed(levels)):
            for _ in range(BLOCKS):
                parts.append(Residual(f"decoder.upsamples.{index}", level, width))
                level, index = width, index + 1
            if depth < len(DOUBLES):
                parts.append(Up(f"decoder.upsamples.{index}", level, DOUBLES[depth]))
                level, index = level // 2, index + 1
        self.parts = torch.nn.ModuleList(parts)
        self.norm, self.head = Norm("decoder.head.0", level), Causal("decoder.head.2", level, 3, (3, 3, 3))
        self.register_buffer("mean", torch.tensor(MEAN).view(1, -1, 1, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, -1, 1, 1, 1))
        self.to(dtype)
        for module in self.modules():
            if isinstance(module, torch.nn.Conv3d):
                module.to(memory_format=LAST)
            elif isinstance(module, torch.nn.Conv2d):
                module.to(memory_format=torch.channels_last)

    def forward(self, latents, histories):
        histories = list(histories)
        x = latents * self.deviation + self.mean
        x = self.conv1(self.conv2(x).contiguous(memory_format=LAST), histories)
        for part in self.parts:
            x = part(x, histories)
        x = self.head(F.silu(self.norm(x)), histories)
        return x.clamp(-1, 1), histories

    def no_histories(self, height, width):
        """Zeros for every causal convolution: the start, had it no first latent."""
        histories, scale = [], 1
        size = lambda conv: torch.zeros(1, conv.in_channels, 2, height * scale, width * scale,
                                        dtype=conv.weight.dtype).contiguous(memory_format=LAST)
        for module in [self.conv1, *self.parts, self.head]:
            for part in module.modules():
                if isinstance(part, Causal):
                    histories.append(size(part.conv))
            if isinstance(module, Up):
                scale *= 2
        return histories


def first(decoder, latents, histories):
    """The stream's first latent: time_conv is passed by and keeps its zeros."""
    ups = [part for part in decoder.parts if isinstance(part, Up)]
    times = [part.time for part in ups]
    # Histories of the passed-by convolutions are taken out and put back at their places.
    places, count = [], 0
    for module in [decoder.conv1, *decoder.parts, decoder.head]:
        for part in module.modules():
            if isinstance(part, Causal):
                if isinstance(module, Up):
                    places.append(count)
                count += 1
    kept = [histories[place] for place in places]
    for up in ups:
        up.time = None
    _, used = decoder(latents, [h for i, h in enumerate(histories) if i not in places])
    for up, module in zip(ups, times):
        up.time = module
    for place, history in zip(places, kept):
        used.insert(place, history)
    return used


def stream(decoder, run, dtype, height, width, per_pass):
    """A function that gives the frames of a stream's next block."""
    latents = lambda name, count: made_up(name, (1, CHANNELS, count, height, width)).to(dtype)
    state = [first(decoder, latents("start", 1), decoder.no_histories(height, width))]
    block = latents("block", 3)

    def step():
        frames = []
        for piece in block.split(per_pass, 2):
            out, state[0] = run(piece.contiguous(memory_format=LAST), state[0])
            frames.append(out)
        return torch.cat(frames, 2)

    return step


def variant(name, dtype, height, width, per_pass):
    # Compiled code would be found again for another model, whatever the settings.
    torch._dynamo.reset()
    torch._inductor.config.freezing = name == "frozen"
    decoder = Decoder(dtype).eval()
    run = decoder if name == "eager" else torch.compile(decoder)
    return stream(decoder, run, dtype, height, width, per_pass)


def clocked(call):
    before = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - before[0], time.process_time() - before[1]


def profile(step):
    step()
    with torch.profiler.profile(
            activities=[torch.profiler.ProfilerActivity.CPU], record_shapes=True) as recorded:
        step()
    print(recorded.key_averages(group_by_input_shape=True).table(
        sort_by="self_cpu_time_total", row_limit=18, max_name_column_width=50, max_shapes_column_width=80))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bench")
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("--size", default="384x256")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--variants", default="eager,compiled,frozen")
    parser.add_argument("--passes", default="1,3")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    print("PyTorch", torch.__version__, "with", torch.backends.cpu.get_cpu_capability())
    compare(options, torch.bfloat16 if options.bfloat16 else torch.float32)


def compare(options, dtype):
    width, height = (int(side) // 8 for side in options.size.split("x"))
    command = [options.bench, "--interactive", "--threads", str(options.threads), "--size", options.size]
    command += ["--bfloat16"] if options.bfloat16 else []
    bench = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(line):
        bench.stdin.write(line + "\n")
        bench.stdin.flush()
        return bench.stdout.readline().strip()

    print("bench-vae with", bench.stdout.readline().strip())
    with tempfile.NamedTemporaryFile() as file:
        ask(f"result {file.name}")
        ours = torch.from_numpy(numpy.fromfile(file.name, numpy.float32))
    for name in options.variants.split(","):
        for per_pass in map(int, options.passes.split(",")):
            step = variant(name, dtype, height, width, per_pass)
            step()
            theirs = step().float()[0].permute(1, 2, 3, 0).flatten()
            error = ((ours - theirs).square().sum() / theirs.square().sum()).sqrt()
            if options.profile:
                profile(step)
            mine, others = [], []
            for _ in range(options.rounds):
                mine.append([float(word) for word in ask("step").split()])
                others.append(clocked(step))
            (mine, my_processor), (others, processor) = (map(min, zip(*times)) for times in (mine, others))
            print(f"{name:9} {per_pass} a pass: {others:7.3f} s, {processor:7.3f} of the processor; bench-vae {mine:7.3f} s, "
                  f"{my_processor:7.3f} of the processor: {others / mine:5.2f} x by the clock, {processor / my_processor:5.2f} x "
                  f"by the processor; relative difference {error:.1e}", flush=True)
    bench.stdin.close()
    bench.wait()


if __name__ == "__main__":
    main()
