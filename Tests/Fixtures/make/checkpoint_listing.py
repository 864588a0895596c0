"""Lists what Python's safetensors and torch read from the tiny checkpoint.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch safetensors numpy
    /tmp/venv/bin/python Tests/Fixtures/make/checkpoint_listing.py

writes Tests/Fixtures/readers/checkpoint-listing.tsv: file, tensor, data type, shape and the SHA-256 of the
elements in row-major order, one tensor a line. The tests compare it with what the readers give.
"""

import hashlib
import pathlib

import torch
from safetensors import safe_open

fixtures = pathlib.Path(__file__).resolve().parent.parent
checkpoint = fixtures / "open" / "ckpt"


def digest(tensor):
    raw = tensor.detach().contiguous().flatten().view(torch.uint8)
    return hashlib.sha256(raw.numpy().tobytes()).hexdigest()


def tensors(path):
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}
    return torch.load(path, map_location="cpu", weights_only=True)


lines = []
for path in sorted(checkpoint.rglob("*")):
    if path.suffix not in (".safetensors", ".pth", ".bin"):
        continue
    for name, tensor in sorted(tensors(path).items()):
        shape = ",".join(str(extent) for extent in tensor.shape)
        kind = str(tensor.dtype).removeprefix("torch.")
        lines.append("\t".join([str(path.relative_to(checkpoint)), name, kind, shape, digest(tensor)]))

(fixtures / "readers" / "checkpoint-listing.tsv").write_text("\n".join(lines) + "\n")
