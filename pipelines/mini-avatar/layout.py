"""The published folder layout: reading and writing all weights."""
import json
from pathlib import Path
from types import SimpleNamespace

import torch
from safetensors.torch import load_file

import audio_encoder
import denoiser
import text_encoder
import video_vae

FOLDER = "Wan2.2-S2V-14B"
TEXT = "models_t5_umt5-xxl-enc-bf16.pth"
VAE = "Wan2.1_VAE.pth"
AUDIO = "wav2vec2-large-xlsr-53-english"
TOKENIZER = "google/umt5-xxl"
SHARDS = "diffusion_pytorch_model"


def base(root):
    """The model folder below root."""
    root = Path(root)
    return root / FOLDER if (root / FOLDER).is_dir() else root


def denoiser_state(folder):
    """All shards of the denoiser."""
    index = json.loads((folder / f"{SHARDS}.safetensors.index.json").read_text())
    state = {}
    for shard in sorted(set(index["weight_map"].values())):
        state.update(load_file(folder / shard))
    return state


def load(root):
    """The four models in float32, for inference."""
    folder = base(root)
    read = lambda name: torch.load(folder / name, map_location="cpu", weights_only=True)
    config = json.loads((folder / "config.json").read_text())
    audio_config = json.loads((folder / AUDIO / "config.json").read_text())
    models = SimpleNamespace(
        text=text_encoder.from_state(read(TEXT)), vae=video_vae.from_state(read(VAE)),
        audio=audio_encoder.from_state(load_file(folder / AUDIO / "model.safetensors"), audio_config),
        denoiser=denoiser.from_state(denoiser_state(folder), config), folder=folder)
    for model in (models.text, models.vae, models.audio, models.denoiser):
        model.eval().requires_grad_(False)
    return models


def part(path, name):
    """One model's tensors in float32, from a training file or from a weights folder."""
    if Path(path).is_dir():
        return getattr(load(path), name).state_dict()
    return {k: v.float() for k, v in torch.load(path, map_location="cpu", weights_only=True)["model"].items()}
