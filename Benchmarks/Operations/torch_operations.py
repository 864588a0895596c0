"""Times PyTorch's CPU operations under the names that bench-operations prints.

    python torch_operations.py [--bfloat16] [--threads N] [--seconds S] [FILTER]
"""
import argparse
import re
import time

import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--bfloat16", action="store_true")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--seconds", type=float, default=1)
parser.add_argument("filter", nargs="?", default="")
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.set_grad_enabled(False)
dtype = torch.bfloat16 if options.bfloat16 else torch.float32


def show(name, call, work):
    call(), call()
    times, processor, start = [], float("inf"), time.perf_counter()
    while time.perf_counter() - start < options.seconds or len(times) < 3:
        before = time.perf_counter(), time.process_time()
        call()
        times.append(time.perf_counter() - before[0])
        processor = min(processor, time.process_time() - before[1])
    times.sort()
    best, median = times[0], times[len(times) // 2]
    print(f"{name:40} {str(dtype)[6:]:9} {best * 1e3:9.3f} ms best {median * 1e3:9.3f} median "
          f"{processor * 1e3:9.3f} processor {work / best / 1e9:8.1f} G/s", flush=True)


def wanted(name):
    return options.filter in name


for m, k, n in [(288, 1024, 1024), (288, 1024, 4096), (288, 4096, 1024), (3168, 1024, 1024),
                (3168, 1024, 4096), (3168, 5120, 5120), (1, 1024, 6144)]:
    name = f"linear {m}x{k}x{n}"
    if wanted(name):
        layer = torch.nn.Linear(k, n).to(dtype).eval()
        x = torch.randn(m, k, dtype=dtype)
        show(name, lambda: layer(x), 2 * m * k * n)

for b, q, k, h, d in [(1, 288, 1392, 8, 128), (1, 288, 512, 8, 128), (1, 3168, 3168, 8, 128),
                      (1, 3168, 15312, 2, 128), (1, 512, 512, 16, 64), (3, 1536, 1536, 1, 384)]:
    name = f"attention {b}x{q}x{k}x{h}x{d}"
    if wanted(name):
        query = torch.randn(b, q, h, d, dtype=dtype).transpose(1, 2)
        key = torch.randn(b, k, h, d, dtype=dtype).transpose(1, 2)
        value = torch.randn(b, k, h, d, dtype=dtype).transpose(1, 2)
        show(name, lambda: F.scaled_dot_product_attention(query, key, value), 4 * b * q * k * h * d)

for shape, kernel in [((5, 48, 32, 384), (384, 384, 3, 3, 3)), ((8, 96, 64, 192), (384, 192, 3, 3, 3)),
                      ((8, 96, 64, 384), (384, 384, 3, 3, 3)), ((6, 192, 128, 192), (192, 192, 3, 3, 3)),
                      ((6, 384, 256, 96), (96, 96, 3, 3, 3)), ((6, 384, 256, 96), (3, 96, 3, 3, 3)),
                      ((4, 384, 256, 192), (96, 192, 1, 3, 3)), ((8, 96, 64, 192), (384, 192, 1, 1, 1)),
                      ((5, 48, 32, 384), (768, 384, 3, 1, 1)), ((1, 1, 16000, 512), (512, 512, 1, 1, 3))]:
    t, h, w, c = shape
    o, _, kt, kh, kw = kernel
    name = f"conv {t}x{h}x{w}x{c} o{o} k{kt}{kh}{kw}"
    if not wanted(name):
        continue
    work = 2 * o * c * kt * kh * kw * (t - kt + 1) * h * (w - (kw - 1 if kh == 1 else 0))
    best = None
    for layout in (torch.channels_last_3d, torch.contiguous_format):
        x = torch.randn(1, c, t, h, w, dtype=dtype).contiguous(memory_format=layout)
        weight = (torch.randn(kernel, dtype=dtype) * 0.02).contiguous(memory_format=layout)
        bias = torch.randn(o, dtype=dtype)
        pad = (0, kh // 2, kh // 2)
        tag = "" if layout == torch.channels_last_3d else " channels-first"
        show(name + tag, lambda: F.conv3d(x, weight, bias, padding=pad), work)

for rows, dim in [(288, 1024), (3168, 5120)]:
    x = torch.randn(rows, dim, dtype=dtype)
    y = torch.randn(rows, dim, dtype=dtype)
    e = torch.randn(3, 1, dim)
    weight = torch.randn(dim)
    table = torch.randn(rows, 1, 64, 2)

    def layernorm():
        n = F.layer_norm(x.view(3, -1, dim).float(), (dim,), eps=1e-6)
        return (n * (1 + e) + e).to(dtype)

    def rms():
        f = x.float()
        n = f * torch.rsqrt(f.pow(2).mean(-1, keepdim=True) + 1e-6) * weight
        v = torch.view_as_complex(n.view(rows, -1, 64, 2)) * torch.view_as_complex(table)
        return torch.view_as_real(v).flatten(1).to(dtype)

    def gelu():
        return F.gelu(x, approximate="tanh")

    def gated():
        return (y.view(3, -1, dim) + x.view(3, -1, dim) * e).to(dtype)

    for name, call, passes in [("layernorm", layernorm, 2), ("rmsnorm-rotary", rms, 2), ("gelu-tanh", gelu, 2),
                               ("gated-add", gated, 3)]:
        full = f"{name} {rows}x{dim}"
        if wanted(full):
            show(full, call, passes * 4 * rows * dim)
            show(full + " compiled", torch.compile(call), passes * 4 * rows * dim)

if wanted("channelnorm-silu 4x384x256x96"):
    x = torch.randn(1, 96, 4, 384, 256, dtype=dtype).contiguous(memory_format=torch.channels_last_3d)
    weight = torch.randn(96, 1, 1, 1, dtype=dtype)

    def channelnorm():
        return F.silu(F.normalize(x, dim=1) * 96**0.5 * weight)

    show("channelnorm-silu 4x384x256x96", channelnorm, 2 * 4 * x.numel())
    show("channelnorm-silu 4x384x256x96 compiled", torch.compile(channelnorm), 2 * 4 * x.numel())
