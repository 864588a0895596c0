"""Opens a file that was written here with Python's safetensors, and compares every element.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch safetensors numpy
    /tmp/venv/bin/python Tests/Fixtures/make/check_written.py

reads Tests/Fixtures/readers/written-here.safetensors, whose bytes a test holds the writer to, and compares it with
readers/every-type.safetensors, which safetensors wrote itself, and with readers/every-type.tsv.
"""

import pathlib

import torch
from safetensors import safe_open

folder = pathlib.Path(__file__).resolve().parent.parent / "readers"
table = {}
for line in (folder / "every-type.tsv").read_text().splitlines():
    name, shape, numbers = line.split("\t")
    table[name] = ([int(extent) for extent in shape.split(",")], [float(number) for number in numbers.split(",")])

with safe_open(folder / "written-here.safetensors", framework="pt") as written, \
        safe_open(folder / "every-type.safetensors", framework="pt") as original:
    assert written.metadata() == {"kind": "test", "odd": '"\\/\n\t\x01\x7fé 𝄞'}, written.metadata()
    assert set(written.keys()) == set(original.keys()) == set(table)
    for name in written.keys():
        tensor, expected = written.get_tensor(name), original.get_tensor(name)
        assert tensor.dtype == expected.dtype
        assert torch.equal(tensor.view(torch.uint8), expected.view(torch.uint8)), name
        shape, numbers = table[name]
        assert list(tensor.shape) == shape and tensor.double().tolist() == numbers, name
        print(f"{name}: {tensor.dtype}, {len(numbers)} elements equal")
