#!/usr/bin/env python3
"""Makes the files of this folder: python3 make-fixtures.py (numpy 2.4, Pillow 13.0, ffmpeg 5.1).

NAME.expected.png is what Pillow (libjpeg-turbo, libwebp, libpng) decodes NAME to, as 8-bit RGB;
transparent pixels over black, of 16 bits the high byte. Everything is drawn here.
"""
import subprocess

import numpy as np
from PIL import Image, ImageOps

HEIGHT, WIDTH = 29, 37


def drawing():
    """Gradients, a disc and some noise, so that every chroma sample differs from its neighbours."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    rgb = np.stack([x / WIDTH, y / HEIGHT, 0.5 + 0.5 * np.sin((x + 2 * y) / 5)], -1) * 255
    rgb[(x - 20) ** 2 + (y - 12) ** 2 < 60] = (230, 40, 60)
    rgb += np.random.default_rng(7).normal(0, 12, rgb.shape)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def expect(name, rgb=None):
    if rgb is None:
        rgb = np.asarray(Image.open(name).convert("RGB"))
    Image.fromarray(rgb).save(name + ".expected.png", optimize=True)


def over_black(rgba):
    rgba = rgba.astype(np.int64)
    return ((rgba[..., :3] * rgba[..., 3:] + 127) // 255).astype(np.uint8)


def ffmpeg(*arguments, data=None):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], input=data, check=True)


rgb = drawing()
image = Image.fromarray(rgb)
alpha = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
rgba = np.dstack([rgb, alpha])

for name, options in {
    "444.jpg": dict(subsampling=0),
    "422.jpg": dict(subsampling=1),
    "420.jpg": dict(subsampling=2),
    "progressive.jpg": dict(subsampling=2, progressive=True),
}.items():
    image.save(name, quality=85, **options)
    expect(name)
image.convert("L").save("grey.jpg", quality=85)
expect("grey.jpg")
image.convert("CMYK").save("cmyk.jpg", quality=95)

image.save("lossy.webp", quality=80)
expect("lossy.webp")
image.save("lossless.webp", lossless=True)
expect("lossless.webp")
Image.fromarray(rgba).save("alpha.webp", quality=80)
expect("alpha.webp", over_black(np.asarray(Image.open("alpha.webp"))))

grey = np.asarray(image.convert("L"))
image.convert("L").save("grey.png")
expect("grey.png")
wide = grey.astype(np.uint16) * 256 + np.arange(WIDTH, dtype=np.uint16) * 6
Image.fromarray(wide).save("grey16.png")
expect("grey16.png", np.repeat((wide >> 8).astype(np.uint8)[..., None], 3, -1))
Image.fromarray(rgba).save("rgba.png")
expect("rgba.png", over_black(rgba))
wide = rgb.astype(">u2") * 256 + 77
ffmpeg("-f", "rawvideo", "-pix_fmt", "rgb48be", "-s", f"{WIDTH}x{HEIGHT}", "-i", "-",
       "-frames:v", "1", "-bitexact", "rgb16.png", data=wide.astype(">u2").tobytes())
expect("rgb16.png", rgb)
palette = image.quantize(16)
palette.save("palette.png", transparency=3)
expect("palette.png", over_black(np.asarray(Image.open("palette.png").convert("RGBA"))))
image.convert("1").save("bits.png")
expect("bits.png", np.repeat(np.asarray(image.convert("1"))[..., None].astype(np.uint8) * 255, 3, -1))
Image.fromarray(np.dstack([grey, alpha]), "LA").save("grey-alpha.png")
expect("grey-alpha.png", over_black(np.dstack([grey, grey, grey, alpha])))

# Eight ways to hold a camera; upright they are all the same picture.
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    inverse = {1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
               4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
               6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
               8: Image.Transpose.ROTATE_270}[orientation]
    stored = image.transpose(inverse) if inverse is not None else image
    name = f"orientation{orientation}.png"
    stored.save(name, exif=exif, optimize=True)
    assert np.array_equal(np.asarray(ImageOps.exif_transpose(Image.open(name))), rgb)
expect("orientation1.png", rgb)
exif = Image.Exif()
exif[0x0112] = 6
image.save("orientation6.jpg", quality=85, exif=exif)
expect("orientation6.jpg", np.asarray(ImageOps.exif_transpose(Image.open("orientation6.jpg"))))
image.save("orientation6.webp", lossless=True, exif=exif)
expect("orientation6.webp", np.asarray(ImageOps.exif_transpose(Image.open("orientation6.webp"))))

# A second of a 440 Hz tone at half amplitude, 44.1 kHz, in what people send.
rate = 44100
tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
pcm = np.repeat((tone * 32767).astype("<i2")[:, None], 2, 1).tobytes()
source = ("-f", "s16le", "-ar", str(rate), "-ac", "2", "-i", "-", "-bitexact", "-map_metadata", "-1")
ffmpeg(*source, "-b:a", "64k", "tone.mp3", data=pcm)
ffmpeg(*source, "-b:a", "32k", "tone.m4a", data=pcm)
ffmpeg(*source, "-ar", "48000", "-c:a", "libopus", "-b:a", "24k", "tone.opus", data=pcm)
ffmpeg(*source, "-c:a", "libvorbis", "-q:a", "0", "tone.ogg", data=pcm)
ffmpeg(*source, "-c:a", "flac", "-compression_level", "12", "tone.flac", data=pcm)

# Three frames, red above blue, whose container says: turn me by a quarter counter-clockwise.
half = np.zeros((32, 48, 3), np.uint8)
half[:16] = (200, 0, 0)
half[16:] = (0, 0, 200)
ffmpeg("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "48x32", "-r", "25", "-i", "-", "-c:v", "libx264",
       "-pix_fmt", "yuv420p", "-qp", "4", "upright.mp4", data=half.tobytes() * 3)
ffmpeg("-i", "upright.mp4", "-c", "copy", "-metadata:s:v:0", "rotate=90", "rotated.mp4")
subprocess.run(["rm", "upright.mp4"], check=True)
