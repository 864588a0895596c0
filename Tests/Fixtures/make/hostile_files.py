"""Broken and malicious tensor files, indexes and PyTorch archives, each wrong in one way.

    python3 Tests/Fixtures/make/hostile_files.py

writes Tests/Fixtures/hostile/*. Nothing but the standard library is needed, and nothing is ever unpickled here:
the pickles are put together instruction by instruction.
"""

import json
import pathlib
import shutil
import struct
import zlib

folder = pathlib.Path(__file__).resolve().parent.parent / "hostile"
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir()


def write(name, data):
    path = folder / name
    assert not path.exists(), name
    path.write_bytes(data)


# Tensor files


def tensor_file(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else header.encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype="F32", shape="[2]", offsets="[0,8]"):
    return '{"dtype":"%s","shape":%s,"data_offsets":%s}' % (dtype, shape, offsets)


def one(text, data=bytes(8)):
    return tensor_file('{"a":%s}' % text, data)


good = tensor_file('{"__metadata__":{"k":"v"},"a":%s,"b":%s}' % (entry(), entry(offsets="[8,16]")), bytes(16))

safetensors = {
    "empty": b"",
    "seven-bytes": bytes(7),
    "length-alone": struct.pack("<Q", 100),
    "length-zero": tensor_file(b"", b"data"),
    "length-one": tensor_file(b"{"),
    "length-all-ones": tensor_file("{}", length=2**64 - 1),
    "length-sign-bit": tensor_file("{}", length=2**63),
    "length-bomb": tensor_file("{}", length=8 << 30),
    "length-limit-beyond-file": tensor_file("{}", length=4 << 20),
    "length-one-too-many": tensor_file("{}", length=3),
    "length-one-too-few": tensor_file('{"a":%s}' % entry(), bytes(8), len('{"a":%s}' % entry()) - 1),
    "not-json": tensor_file("hello world"),
    "array": tensor_file("[]"),
    "byte-order-mark": tensor_file(b"\xef\xbb\xbf{}"),
    "blanks-alone": tensor_file("    "),
    "name-not-utf8": tensor_file(b'{"\xff\xfe":' + entry().encode() + b"}", bytes(8)),
    "name-overlong-utf8": tensor_file(b'{"\xc0\xaf":' + entry().encode() + b"}", bytes(8)),
    "name-control-character": tensor_file('{"a\n":%s}' % entry(), bytes(8)),
    "name-half-surrogate": tensor_file('{"\\ud800":%s}' % entry(), bytes(8)),
    "name-two-high-surrogates": tensor_file('{"\\ud800\\ud800":%s}' % entry(), bytes(8)),
    "name-unknown-escape": tensor_file('{"\\x41":%s}' % entry(), bytes(8)),
    "name-without-end": tensor_file('{"a'),
    "name-long-and-bad": tensor_file('{"%s":0}' % ("x" * 20000)),
    "name-twice": tensor_file('{"a":%s,"a":%s}' % (entry(), entry(offsets="[8,16]")), bytes(16)),
    "name-twice-escaped": tensor_file('{"a":%s,"\\u0061":%s}' % (entry(), entry(offsets="[8,16]")), bytes(16)),
    "metadata-twice": tensor_file('{"__metadata__":{},"__metadata__":{}}'),
    "metadata-key-twice": tensor_file('{"__metadata__":{"a":"b","a":"c"}}'),
    "metadata-number": tensor_file('{"__metadata__":{"a":1}}'),
    "metadata-nested": tensor_file('{"__metadata__":' + '{"a":' * 5000 + '""' + "}" * 5001),
    "shape-nested": one('{"dtype":"F32","shape":' + "[" * 20000),
    "entry-nested": tensor_file('{"a":' * 5000),
    "entry-number": one("7"),
    "entry-null": one("null"),
    "dtype-unknown": one(entry("F31")),
    "dtype-missing": one('{"shape":[2],"data_offsets":[0,8]}'),
    "dtype-twice": one('{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}'),
    "dtype-number": one('{"dtype":4,"shape":[2],"data_offsets":[0,8]}'),
    "shape-missing": one('{"dtype":"F32","data_offsets":[0,8]}'),
    "shape-negative": one(entry(shape="[-2]")),
    "shape-fraction": one(entry(shape="[2.0]")),
    "shape-exponent": one(entry(shape="[2e0]")),
    "shape-leading-zero": one(entry(shape="[02]")),
    "shape-string": one(entry(shape='"2"')),
    "shape-beyond-64-bits": one(entry(shape="[18446744073709551618]")),
    "shape-product-overflows": one(entry(shape="[4294967296,4294967296]")),
    "shape-product-wraps-to-size": one(entry(shape="[9223372036854775807,2,2]")),
    "shape-bytes-overflow": one(entry("F64", shape="[4611686018427387904]", offsets="[0,0]"), b""),
    "shape-too-small": one(entry(shape="[1]")),
    "shape-too-large": one(entry(shape="[3]")),
    "shape-rank-bomb": one(entry(shape="[" + ",".join(["1"] * 10000) + "]")),
    "shape-empty-with-bytes": one(entry(shape="[0]")),
    "offsets-missing": one('{"dtype":"F32","shape":[2]}'),
    "offsets-reversed": one(entry(offsets="[8,0]")),
    "offsets-one": one(entry(offsets="[8]")),
    "offsets-three": one(entry(offsets="[0,8,16]")),
    "offsets-negative": one(entry(offsets="[-8,0]")),
    "offsets-beyond-64-bits": one(entry(offsets="[0,18446744073709551624]")),
    "offsets-beyond-file": one(entry(shape="[4]", offsets="[0,16]")),
    "offsets-far-beyond-file": one(entry("U8", "[9223372036854775807]", "[0,9223372036854775807]")),
    "offsets-hole-in-front": one(entry(offsets="[8,16]"), bytes(16)),
    "offsets-hole-between": tensor_file(
        '{"a":%s,"b":%s}' % (entry(), entry(offsets="[12,20]")), bytes(20)
    ),
    "offsets-overlap": tensor_file('{"a":%s,"b":%s}' % (entry(), entry(offsets="[4,12]")), bytes(12)),
    "offsets-same": tensor_file('{"a":%s,"b":%s}' % (entry(), entry()), bytes(8)),
    "data-trailing-byte": one(entry(), bytes(9)),
    "data-without-tensors": tensor_file("{}", bytes(8)),
    "key-unknown": one('{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}'),
    "object-then-text": tensor_file("{} {}"),
    "comma-at-end": tensor_file('{"a":%s,}' % entry(), bytes(8)),
    "comment": tensor_file("{/* */}"),
}
for name, data in safetensors.items():
    write(f"{name}.safetensors", data)
cuts = {
    "in-length": 4,
    "before-header": 8,
    "in-metadata": good.index(b'"v"'),
    "in-name": good.index(b'a":{"dtype') + 1,
    "in-dtype": good.index(b"F32") + 1,
    "in-shape": good.index(b"[2]") + 1,
    "in-offsets": good.index(b"[0,8]") + 3,
    "between-entries": good.index(b',"b"'),
    "before-data": len(good) - 16,
    "in-first-tensor": len(good) - 12,
    "between-tensors": len(good) - 8,
    "before-last-byte": len(good) - 1,
}
for name, cut in cuts.items():
    write(f"cut-{name}.safetensors", good[:cut])

# Indexes of shards

indexes = {
    "empty": "",
    "no-map": "{}",
    "map-list": '{"weight_map":[]}',
    "map-empty": '{"weight_map":{}}',
    "map-number": '{"weight_map":{"a":1}}',
    "map-twice": '{"weight_map":{"a":"empty.safetensors","a":"array.safetensors"}}',
    "shard-missing": '{"weight_map":{"a":"nowhere.safetensors"}}',
    "shard-outside": '{"weight_map":{"a":"../hostile/array.safetensors"}}',
    "shard-absolute": '{"weight_map":{"a":"/etc/passwd"}}',
    "shard-parent": '{"weight_map":{"a":".."}}',
    "shard-nul": '{"weight_map":{"a":"a\\u0000.safetensors"}}',
    "shard-with-line-break": '{"weight_map":{"a":"\\na.safetensors"}}',
    "shard-broken": '{"weight_map":{"a":"array.safetensors"}}',
    "metadata-nested": '{"metadata":' + "[" * 30000,
    "metadata-word": '{"metadata":undefined,"weight_map":{}}',
    "cut": '{"weight_map":{"a":"emp',
}
for name, text in indexes.items():
    write(f"index-{name}.safetensors.index.json", text.encode())

# Archives


class Zip:
    """A zip file whose every field can be set wrong."""

    def __init__(self):
        self.body = b""
        self.entries = []

    def add(self, name, data, local={}, listed={}, gap=b""):
        raw = name if isinstance(name, bytes) else name.encode()
        fields = {
            "flags": 0x800, "method": 0, "crc": zlib.crc32(data), "stored": len(data), "size": len(data),
            "name": raw, "extra": b"", "offset": len(self.body) + len(gap), "disk": 0,
        }
        at = {**fields, **local}
        self.body += gap + struct.pack(
            "<IHHHHHIIIHH", 0x04034B50, 20, at["flags"], at["method"], 0, 0, at["crc"], at["stored"] & 0xFFFFFFFF,
            at["size"] & 0xFFFFFFFF, len(at["name"]), len(at["extra"])
        ) + at["name"] + at["extra"] + data
        self.entries.append({**fields, **listed})
        return self

    def directory(self):
        return b"".join(
            struct.pack(
                "<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, at["flags"], at["method"], 0, 0, at["crc"],
                at["stored"] & 0xFFFFFFFF, at["size"] & 0xFFFFFFFF, len(at["name"]), len(at["extra"]), 0, at["disk"],
                0, 0, at["offset"] & 0xFFFFFFFF
            ) + at["name"] + at["extra"]
            for at in self.entries
        )

    def end(self, **changes):
        directory = self.directory()
        at = {
            "signature": 0x06054B50, "disk": 0, "here": len(self.entries), "count": len(self.entries),
            "size": len(directory), "offset": len(self.body), "comment": b"", **changes,
        }
        return struct.pack(
            "<IHHHHIIH", at["signature"], at["disk"], 0, at["here"], at["count"], at["size"], at["offset"],
            len(at["comment"])
        ) + at["comment"]

    def finish(self, **changes):
        return self.body + self.directory() + self.end(**changes)

    def finish64(self, end={}, locator=None, **changes):
        directory = self.directory()
        at = {"count": len(self.entries), "size": len(directory), "offset": len(self.body), **changes}
        place = len(self.body) + len(directory)
        return self.body + directory + struct.pack(
            "<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, at["count"], at["count"], at["size"], at["offset"]
        ) + struct.pack("<IIQI", 0x07064B50, 0, place if locator is None else locator, 1) + self.end(**end)


# Pickles


def text(value):
    raw = value.encode() if isinstance(value, str) else value
    return b"X" + struct.pack("<I", len(raw)) + raw


def integer(value):
    return b"\x8a\x08" + struct.pack("<q", value)


def integers(values):
    return b"(" + b"".join(integer(value) for value in values) + b"t"


ordered = b"ccollections\nOrderedDict\n)R"
rebuild = b"ctorch._utils\n_rebuild_tensor_v2\n"


def storage(kind="FloatStorage", key="0", count=4):
    return b"(" + text("storage") + b"ctorch\n" + kind.encode() + b"\n" + text(key) + text("cpu") + integer(count) + b"tQ"


def tensor(place=None, offset=0, sizes=(2, 2), strides=(2, 1), hooks=ordered):
    return rebuild + b"(" + (place or storage()) + integer(offset) + integers(sizes) + integers(strides) + b"\x89" \
        + hooks + b"tR"


def dictionary(value=None, name="a"):
    return b"\x80\x02}(" + text(name) + (value or tensor()) + b"u."


def archive(pickle=None, data=bytes(16), stem="w"):
    return Zip().add(f"{stem}/data.pkl", dictionary() if pickle is None else pickle).add(f"{stem}/data/0", data)


def program(code, ending=b"."):
    """A pickle whose one tensor is whatever the code leaves on the stack."""
    return dictionary(code)[:-1] + ending



def stack_global(module, name):
    return text(module) + text(name) + b"\x93"


call = b"(" + text("touch owned") + b"t"
deep = b")" + b"\x85" * 30000

pickles = {
    # Calls
    "os-system": program(b"cos\nsystem\n" + call + b"R"),
    "posix-system": program(b"cposix\nsystem\n" + call + b"R"),
    "nt-system": program(b"cnt\nsystem\n" + call + b"R"),
    "subprocess-popen": program(b"csubprocess\nPopen\n" + call + b"R"),
    "builtins-eval": program(b"cbuiltins\neval\n" + call + b"R"),
    "builtins-exec-named-from-stack": program(stack_global("builtins", "exec") + call + b"R"),
    "builtins-getattr": program(stack_global("builtins", "getattr") + b"(" + rebuild + text("__globals__") + b"tR"),
    "builtin-python2": program(b"c__builtin__\neval\n" + call + b"R"),
    "dotted-name": program(stack_global("collections", "OrderedDict.__init__.__globals__") + call + b"R"),
    "importlib": program(b"cimportlib\nimport_module\n" + call + b"R"),
    "codecs-encode": program(b"c_codecs\nencode\n" + call + b"R"),
    "copyreg-reconstructor": program(b"ccopy_reg\n_reconstructor\n" + call + b"R"),
    "numpy-reconstruct": program(b"cnumpy.core.multiarray\n_reconstruct\n" + call + b"R"),
    "operator-attrgetter": program(b"coperator\nattrgetter\n" + call + b"R"),
    "torch-load-from-bytes": program(b"ctorch.storage\n_load_from_bytes\n" + call + b"R"),
    "torch-hub": program(b"ctorch.hub\nload\n" + call + b"R"),
    "torch-rebuild-v3": program(b"ctorch._utils\n_rebuild_tensor_v3\n" + call + b"R"),
    "torch-quantized": program(b"ctorch._utils\n_rebuild_qtensor\n" + call + b"R"),
    "name-with-blank": program(b"ctorch._utils \n_rebuild_tensor_v2\n" + call + b"R"),
    "name-empty": program(b"c\n\n" + call + b"R"),
    "name-from-memo": program(text("os") + b"q\x00" + text("system") + b"q\x01h\x00h\x01\x93" + call + b"R"),
    "name-from-numbers": program(b"K\x01K\x02\x93" + call + b"R"),
    "name-not-utf8": program(b"c\xff\n\xff\n" + call + b"R"),
    "name-without-end": b"\x80\x02cos",
    "name-long": program(b"c" + b"a" * 5000 + b"\nb\n" + call + b"R"),
    "inst": program(b"(" + text("touch owned") + b"ios\nsystem\n"),
    "obj": program(b"(cos\nsystem\n" + text("touch owned") + b"o"),
    "obj-allowed-class": program(b"(ccollections\nOrderedDict\no"),
    "newobj": program(b"ccollections\nOrderedDict\n)\x81"),
    "newobj-ex": program(b"ccollections\nOrderedDict\n)}\x92"),
    "ext1": program(b"\x82\x01"),
    "ext2": program(b"\x83\x01\x00"),
    "ext4": program(b"\x84\x01\x00\x00\x00"),
    "persid": program(b"Pos.system\n"),
    "binpersid-text": program(text("os.system") + b"Q"),
    "binpersid-short": program(b"(" + text("storage") + b"tQ"),
    "reduce-text": program(text("os.system") + call + b"R"),
    "reduce-tensor": program(tensor() + call + b"R"),
    "reduce-storage-class": program(b"ctorch\nFloatStorage\n" + call + b"R"),
    "reduce-dict-arguments": program(rebuild + b"}R"),
    "ordereddict-with-arguments": program(b"ccollections\nOrderedDict\n" + call + b"R"),
    "build-on-tensor": program(tensor() + b"}" + text("__class__") + b"N" + b"sb"),
    "build-setstate": b"\x80\x02" + ordered + b"}" + text("__setstate__") + b"cos\nsystem\nsb.",
    "build-attribute": b"\x80\x02" + ordered + b"}" + text("__dict__") + b"}sb.",
    "build-on-function": program(rebuild + b"}b"),
    # Sizes
    "proto-255": b"\x80\xff" + dictionary()[2:],
    "proto-0": b"\x80\x00" + dictionary()[2:],
    "proto-missing": dictionary()[2:],
    "empty": b"",
    "proto-alone": b"\x80\x02",
    "stop-alone": b"\x80\x02.",
    "stop-missing": dictionary()[:-1],
    "bytes-after-stop": dictionary() + b"cos\nsystem\n.",
    "two-values": b"\x80\x02N" + dictionary()[2:],
    "mark-at-stop": b"\x80\x02}(.",
    "long4-bomb": program(b"\x8b\xff\xff\xff\x7f"),
    "long4-negative": program(b"\x8b\xff\xff\xff\xff"),
    "long1-wide": program(b"\x8a\xff" + bytes(255)),
    "long-as-text": program(b"L" + b"9" * 20000 + b"L\n"),
    "unicode-beyond-end": program(b"X\xff\xff\xff\x7fabc"),
    "unicode8-all-ones": program(b"\x8d" + b"\xff" * 8),
    "unicode-not-utf8": program(text(b"\xff\xfe")),
    "bytes8-bomb": program(b"\x8e" + struct.pack("<Q", 1 << 40)),
    "bytearray-bomb": program(b"\x96" + struct.pack("<Q", 1 << 40)),
    "frame-beyond-end": b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + dictionary()[2:],
    "frame-all-ones": b"\x80\x04\x95" + b"\xff" * 8 + dictionary()[2:],
    "memo-unknown": program(b"h\x09"),
    "memo-unknown-far": program(b"j\xff\xff\xff\xff"),
    "memo-of-nothing": b"\x80\x02q\x00.",
    "memo-below-mark": program(b"(q\x00"),
    "marks-flood": program(b"(" * 20000),
    "stack-flood": program(b"N" * 70000),
    "tuples-nested": program(deep),
    "tuples-doubled": program(b")" + b"q\x00h\x00\x86" * 2000),
    "dicts-nested": b"\x80\x02" + (b"}" + text("a")) * 2000 + b"N" + b"s" * 2000 + b".",
    "dict-in-itself": b"\x80\x02}q\x00" + text("a") + b"h\x00s.",
    "dict-filled-later": b"\x80\x02}q\x00}q\x01" + text("a") + b"h\x00s0h\x00" + text("b") + b"h\x01s.",
    "dict-finished-filled": b"\x80\x02(}q\x00th\x00" + text("b") + b"Ns.",
    "tuple-without-mark": program(b"t"),
    "pop-too-many": b"\x80\x02\x87.",
    "pop-below-mark": b"\x80\x02NN(\x86.",
    "setitems-on-tuple": program(b")(" + text("a") + b"Nu"),
    "setitems-odd": program(b"}(" + text("a") + b"u"),
    "setitem-number-key": program(b"}K\x01Ns"),
    "setitem-tuple-key": program(b"})Ns"),
    "list": program(b"]"),
    "set": program(b"\x8f"),
    "dup": program(b"N2"),
    "pop": program(b"N0"),
    "opcode-unknown": program(b"\xfe"),
    "opcode-zero": program(b"\x00"),
    # Tensors
    "tensor-in-dict": b"\x80\x02}(" + text("model") + b"}(" + text("a") + tensor() + b"uu.",
    "value-number": program(b"K\x01"),
    "value-class": program(b"ctorch\nFloatStorage\n"),
    "value-storage": program(storage()),
    "name-twice": b"\x80\x02}(" + text("a") + tensor() + text("a") + tensor() + b"u.",
    "no-dict": b"\x80\x02" + tensor() + b".",
    "tensor-few-arguments": program(rebuild + b"(" + storage() + b"tR"),
    "tensor-text-offset": program(rebuild + b"(" + storage() + text("0") + integers([4]) + integers([1]) + b"\x89" + ordered + b"tR"),
    "tensor-no-storage": program(rebuild + b"(N" + integer(0) + integers([4]) + integers([1]) + b"\x89" + ordered + b"tR"),
    "parameter-of-nothing": program(b"ctorch._utils\n_rebuild_parameter\n(N\x89" + ordered + b"tR"),
    "offset-negative": program(tensor(offset=-1)),
    "offset-beyond-storage": program(tensor(offset=1)),
    "offset-largest": program(tensor(offset=2**63 - 1)),
    "sizes-negative": program(tensor(sizes=(-2, 2))),
    "sizes-overflow": program(tensor(sizes=(2**62, 4))),
    "sizes-beyond-storage": program(tensor(sizes=(3, 2))),
    "sizes-rank-bomb": program(tensor(sizes=(1,) * 500, strides=(1,) * 500)),
    "strides-negative": program(tensor(offset=3, strides=(-2, -1))),
    "strides-zero-bomb": program(tensor(sizes=(2**40, 2**10), strides=(0, 0))),
    "strides-zero": program(tensor(strides=(0, 1))),
    "strides-overlapping": program(tensor(strides=(1, 1))),
    "strides-beyond-storage": program(tensor(strides=(3, 1))),
    "strides-overflow": program(tensor(sizes=(3, 1), strides=(2**62, 1))),
    "strides-short": program(tensor(strides=(1,))),
    "strides-text": program(rebuild + b"(" + storage() + integer(0) + integers([4]) + text("1") + b"\x89" + ordered + b"tR"),
    "storage-count-negative": program(tensor(storage(count=-4))),
    "storage-count-overflow": program(tensor(storage(count=2**62))),
    "storage-count-wrong": program(tensor(storage(count=5))),
    "storage-missing": program(tensor(storage(key="1"))),
    "storage-outside": program(tensor(storage(key="../data.pkl"))),
    "storage-type-unknown": program(tensor(storage("ComplexFloatStorage"))),
    "storage-type-untyped": program(tensor(storage("UntypedStorage"))),
}
for name, pickle in pickles.items():
    write(f"pickle-{name}.pth", archive(pickle).finish())

good = archive().finish()


def extra64(*values):
    return struct.pack("<HH", 1, 8 * len(values)) + struct.pack(f"<{len(values)}Q", *values)


twice = archive()
twice.entries.append(dict(twice.entries[0]))
aliased = archive()
aliased.entries.append({**aliased.entries[0], "name": b"w/data/1"})
deflated = zlib.compressobj(9, zlib.DEFLATED, -15)
squeezed = deflated.compress(dictionary()) + deflated.flush()
hidden = archive(dictionary(tensor(storage(key="1"))))

zips = {
    "empty": b"",
    "bare-pickle": dictionary(),
    "text": b"not a zip at all, just text that is long enough to hold an end",
    "end-alone": Zip().finish(),
    "prefixed": b"#!/bin/sh\nexit\n" + good,
    "trailing-byte": good + b"\0",
    "comment": archive().finish(comment=b"hello"),
    "two-ends": good + archive().end(),
    "two-directories": archive().body + hidden.directory() + archive().directory() + archive().end(),
    "end-inside-comment": archive().finish(comment=archive().end()),
    "directory-moved": archive().finish(offset=0),
    "directory-size-zero": archive().finish(size=0),
    "directory-size-bomb": archive().finish(size=0xFFFFFFFE),
    "count-too-large": archive().finish(here=3, count=3),
    "count-too-small": archive().finish(here=1, count=1),
    "count-bomb": archive().finish(here=65535, count=65535),
    "disks": archive().finish(disk=1),
    "disk-counts-differ": archive().finish(here=1),
    "entry-on-other-disk": Zip().add("w/data.pkl", dictionary(), listed={"disk": 1}).finish(),
    "name-twice": archive().add("w/data/0", bytes(16)).finish(),
    "entry-listed-twice": twice.finish(),
    "entries-share-data": aliased.finish(),
    "name-parent": archive().add("w/../../etc/passwd", b"x").finish(),
    "name-absolute": archive().add("/etc/passwd", b"x").finish(),
    "name-backslash": archive().add("w\\..\\x", b"x").finish(),
    "name-nul": archive().add("w/data/1\0.txt", b"x").finish(),
    "name-empty": archive().add("", b"x").finish(),
    "name-not-utf8": archive().add(b"w/\xff\xfe", b"x").finish(),
    "name-folder": archive().add("w/data/", b"").finish(),
    "deflated-pickle": Zip().add("w/data.pkl", squeezed, {"method": 8, "size": len(dictionary())},
                                 {"method": 8, "size": len(dictionary())}).add("w/data/0", bytes(16)).finish(),
    "deflate-bomb": Zip().add("w/data.pkl", bytes(50), {"method": 8, "size": 0xFFFFFFF0},
                              {"method": 8, "size": 0xFFFFFFF0}).finish(),
    "deflated-in-directory-alone": Zip().add("w/data.pkl", dictionary(), listed={"method": 8}).finish(),
    "stored-sizes-differ": Zip().add("w/data.pkl", dictionary(), {"size": 9}, {"size": 9}).finish(),
    "encrypted": Zip().add("w/data.pkl", dictionary(), {"flags": 1}, {"flags": 1}).finish(),
    "local-name-differs": Zip().add("w/data.pkl", dictionary(), {"name": b"w/dat4.pkl"}).finish(),
    "local-size-differs": Zip().add("w/data.pkl", dictionary(), {"size": 5, "stored": 5}).finish(),
    "local-method-differs": Zip().add("w/data.pkl", dictionary(), {"method": 8}).finish(),
    "local-flags-differ": Zip().add("w/data.pkl", dictionary(), {"flags": 0}).finish(),
    "local-checksum-differs": Zip().add("w/data.pkl", dictionary(), {"crc": 1}).finish(),
    "checksum-wrong": Zip().add("w/data.pkl", dictionary(), {"crc": 1}, {"crc": 1}).finish(),
    "hole-in-front": Zip().add("w/data.pkl", dictionary(), gap=b"gap").finish(),
    "hole-between": Zip().add("w/data.pkl", dictionary()).add("w/data/0", bytes(16), gap=b"gap").finish(),
    "hole-before-directory": archive().body + b"gap" + archive().directory() + archive().end(offset=len(archive().body) + 3),
    "offset-beyond-file": Zip().add("w/data.pkl", dictionary(), listed={"offset": 1 << 30}).finish(),
    "offset-into-data": Zip().add("w/data.pkl", dictionary(), listed={"offset": 40}).finish(),
    "size-beyond-file": Zip().add("w/data.pkl", dictionary(), {"size": 9999, "stored": 9999}, {"size": 9999, "stored": 9999}).finish(),
    "size64-all-ones": Zip().add(
        "w/data.pkl", dictionary(), {"size": 2**32 - 1, "stored": 2**32 - 1, "extra": extra64(2**64 - 1, 2**64 - 1)},
        {"size": 2**32 - 1, "stored": 2**32 - 1, "extra": extra64(2**64 - 1, 2**64 - 1)}).finish(),
    "offset64-all-ones": Zip().add(
        "w/data.pkl", dictionary(), listed={"offset": 2**32 - 1, "extra": extra64(2**64 - 1)}).finish(),
    "size64-without-extra": Zip().add(
        "w/data.pkl", dictionary(), listed={"size": 2**32 - 1, "stored": 2**32 - 1}).finish(),
    "size64-extra-short": Zip().add(
        "w/data.pkl", dictionary(), listed={"size": 2**32 - 1, "stored": 2**32 - 1, "extra": b"\1\0\x10\0abc"}).finish(),
    "extra-beyond-end": Zip().add(
        "w/data.pkl", dictionary(), listed={"size": 2**32 - 1, "extra": b"\2\0\xff\xff"}).finish(),
    "descriptor-missing": Zip().add("w/data.pkl", dictionary(), {"flags": 0x808}, {"flags": 0x808}).finish(),
    "end64-elsewhere": archive().finish64(locator=0),
    "end64-beyond-file": archive().finish64(locator=1 << 62),
    "end64-all-ones": archive().finish64(locator=2**64 - 1),
    "end64-count-differs": archive().finish64(count=7),
    "end64-size-differs": archive().finish64(size=7),
    "end64-offset-differs": archive().finish64(offset=0),
    "end64-count-bomb": archive().finish64(end={"here": 65535, "count": 65535}, count=2**64 - 1),
    "end64-size-bomb": archive().finish64(end={"size": 2**32 - 1}, size=2**64 - 1),
    "no-pickle": Zip().add("w/data/0", bytes(16)).finish(),
    "two-pickles": archive().add("v/data.pkl", dictionary()).finish(),
    "pickle-too-deep": Zip().add("v/w/data.pkl", dictionary()).finish(),
    "big-endian": archive().add("w/byteorder", b"big").finish(),
    "byte-order-unknown": archive().add("w/byteorder", b"little\n").finish(),
}
for name, data in zips.items():
    write(f"zip-{name}.pth", data)
directory = len(archive().body)
cuts = {
    "in-first-signature": 2,
    "in-local-header": 20,
    "in-local-name": 33,
    "before-pickle": 30 + len("w/data.pkl"),
    "in-pickle": 60,
    "after-pickle": good.index(b"PK\3\4", 4),
    "in-storage": directory - 5,
    "before-directory": directory,
    "in-directory": directory + 20,
    "in-directory-name": directory + 50,
    "between-directory-entries": good.index(b"PK\1\2", directory + 4),
    "before-end": len(good) - 22,
    "in-end": len(good) - 10,
    "before-last-byte": len(good) - 1,
}
for name, cut in cuts.items():
    write(f"zip-cut-{name}.pth", good[:cut])
