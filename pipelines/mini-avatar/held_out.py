"""Write faces, voices and prompts that training never saw, as inputs of the tools: 00.png, 00.wav, 00.txt, ...

    python held_out.py --speech heldout.npz --output DIR [--heads 16] [--seconds 8]
"""
import argparse
import wave
from pathlib import Path

import torch
from PIL import Image

import evaluate
import mouth
import scene

LEVEL = 0.09


class NoTokenizer:
    """Stands in where only the prompts' words are wanted."""

    def encode(self, text):
        return [1]


def write_wave(path, samples):
    """float samples as 16-bit PCM."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(mouth.RATE)
        file.writeframes((samples.clamp(-1, 1) * 32767).to(torch.int16).numpy().tobytes())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--speech", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--heads", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    cpu = torch.device("cpu")
    identity, pictures = evaluate.references(options.heads, 777, cpu)
    _, generator = scene.seeds(99, cpu)
    waves = scene.Voices(options.speech, cpu).draw(options.heads, 12, generator)
    dice, _ = scene.seeds(98, cpu)
    drawn, _ = scene.moods(options.heads, dice)
    texts, _ = scene.texts(identity["kinds"], drawn, NoTokenizer(), dice)
    for n in range(options.heads):
        name = options.output / f"{n:02d}"
        Image.fromarray(((pictures[n].permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()).save(f"{name}.png")
        write_wave(f"{name}.wav", waves[n, :int(options.seconds * mouth.RATE)] * LEVEL)
        Path(f"{name}.txt").write_text(texts[n])


if __name__ == "__main__":
    main()
