"""Small files as Python's safetensors and torch write them, one for every data type and layout.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch safetensors numpy
    /tmp/venv/bin/python Tests/Fixtures/make/reader_cases.py

writes into Tests/Fixtures/readers:
  every-type.safetensors   a tensor of each type, by the safetensors package
  every-type.tsv           name, shape and the elements as numbers, as torch has them
  unaligned.safetensors    a header of odd length, so that no element is aligned
  every-type.pth           a tensor of each type that torch.save stores as a typed storage
  layouts.pth, layouts.tsv views, transposed and shared storages, a scalar, an empty tensor, a parameter
  parametrized.pth         a convolution with PyTorch 2's weight norm, and the same names from PyTorch 1
  lora-*.safetensors       a LoRA under each of the prefixes
"""

import json
import pathlib
import struct

import torch
from safetensors.torch import save_file

folder = pathlib.Path(__file__).resolve().parent.parent / "readers"
values = [0.0, 1.0, -1.0, 0.5, 448.0, -2.0**-9, 3.0]
integers = [0, 1, 2, 3, 100, 127, 64]

types = {
    "bool": torch.tensor([True, False, True, True, False, False, True]),
    "uint8": torch.tensor([0, 1, 128, 255, 7, 8, 9], dtype=torch.uint8),
    "int8": torch.tensor([0, -1, -128, 127, 7, 8, 9], dtype=torch.int8),
    "uint16": torch.tensor([0, 1, 32768, 65535, 7, 8, 9], dtype=torch.uint16),
    "int16": torch.tensor([0, -1, -32768, 32767, 7, 8, 9], dtype=torch.int16),
    "uint32": torch.tensor([0, 1, 2**31, 2**32 - 1, 7, 8, 9], dtype=torch.uint32),
    "int32": torch.tensor([0, -1, -(2**31), 2**31 - 1, 7, 8, 9], dtype=torch.int32),
    "uint64": torch.tensor([0, 1, 2**40, 2**53, 7, 8, 9], dtype=torch.uint64),
    "int64": torch.tensor([0, -1, -(2**53), 2**53, 7, 8, 9], dtype=torch.int64),
    "float16": torch.tensor(values + [65504.0], dtype=torch.float16),
    "bfloat16": torch.tensor(values + [3.3895313892515355e38], dtype=torch.bfloat16),
    "float32": torch.tensor(values + [3.4028234663852886e38], dtype=torch.float32),
    "float64": torch.tensor(values + [1e300], dtype=torch.float64),
    "float8_e4m3": torch.tensor(values, dtype=torch.float8_e4m3fn),
    "float8_e5m2": torch.tensor(values + [57344.0], dtype=torch.float8_e5m2),
}


def table(tensors):
    lines = []
    for name, tensor in sorted(tensors.items()):
        shape = ",".join(str(extent) for extent in tensor.shape)
        flat = tensor.detach().double().contiguous().flatten().tolist()
        lines.append("\t".join([name, shape, ",".join(repr(float(value)) for value in flat)]))
    return "\n".join(lines) + "\n"


save_file(types, folder / "every-type.safetensors", metadata={"made by": "safetensors"})
(folder / "every-type.tsv").write_text(table(types))

# The package pads its headers; other writers need not.
text = json.dumps({
    "float64": {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]},
    "int16": {"dtype": "I16", "shape": [1, 2], "data_offsets": [16, 20]},
}).encode()
text += b" " * (1 - len(text) % 2)
data = struct.pack("<ddhh", 0.25, -1e300, -2, 300)
(folder / "unaligned.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)

typed = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"]
torch.save({name: types[name] for name in typed}, folder / "every-type.pth")

base = torch.arange(24, dtype=torch.float32)
layouts = {
    "all": base,
    "tail": base[20:],
    "matrix": base[:6].view(2, 3),
    "transposed": base[:6].view(2, 3).t(),
    "columns": base.view(4, 6)[:, 1:4],
    "permuted": base.view(2, 3, 4).permute(2, 0, 1),
    "every second": base[::2],
    "one row": base.view(4, 6)[2:3].t(),
    "scalar": torch.tensor(2.5),
    "empty": torch.empty(0, 3),
    "parameter": torch.nn.Parameter(torch.tensor([1.5, -1.5])),
}
torch.save(layouts, folder / "layouts.pth")
(folder / "layouts.tsv").write_text(table(layouts))

torch.manual_seed(1)
conv = torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv1d(4, 4, 3, groups=2), dim=2)
torch.save(conv.state_dict(), folder / "parametrized.pth")

a, b = torch.randn(2, 4), torch.randn(3, 2)
pair = {"lora_A": a, "lora_B": b}
for kind, prefix, middle in [
    ("plain", "", ""), ("peft", "base_model.model.", ".default"), ("diffusion", "diffusion_model.", "")
]:
    tensors = {f"{prefix}block.q.{factor}{middle}.weight": value for factor, value in pair.items()}
    tensors[f"{prefix}head.bias"] = torch.tensor([9.0, 8.0])
    tensors[f"{prefix}elsewhere.weight"] = torch.tensor([1.0])
    save_file(tensors, folder / f"lora-{kind}.safetensors")
base = {
    "block.q.weight": torch.randn(3, 4).bfloat16(),
    "head.bias": torch.zeros(2).half(),
    "other": torch.ones(1),
}
merged = {
    "block.q.weight": (base["block.q.weight"].float() + 0.5 * (b @ a)).bfloat16(),
    "head.bias": torch.tensor([9.0, 8.0]).half(),
    "other": torch.ones(1),
}
save_file(base, folder / "lora-base.safetensors")
(folder / "lora-merged.tsv").write_text(table(merged))
