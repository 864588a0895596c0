"""Write trained parts in the published layout.

    python export.py --denoiser denoiser-1.pt denoiser-2.pt --vae vae.pt --audio audio.pt --tokenizer DIR --output weights
"""
import argparse
import json
import shutil
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file

import audio_encoder
import layout

LETTERS = ["<pad>", "<s>", "</s>", "<unk>", "|", "'", "-"] + [chr(c) for c in range(ord("a"), ord("z") + 1)]


def write_denoiser(state, folder, shards=2):
    """Shards of about equal size, the index and config.json."""
    names = sorted(state)
    total = sum(v.numel() * v.element_size() for v in state.values())
    parts, size = [[]], 0
    for name in names:
        parts[-1].append(name)
        size += state[name].numel() * state[name].element_size()
        if size > total * len(parts) / shards and len(parts) < shards:
            parts.append([])
    weight_map = {}
    for k, part in enumerate(parts, 1):
        file = f"{layout.SHARDS}-{k:05d}-of-{shards:05d}.safetensors"
        save_file({n: state[n] for n in part}, folder / file, metadata={"format": "pt"})
        weight_map |= {n: file for n in part}
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    dump(folder / f"{layout.SHARDS}.safetensors.index.json", index)
    dump(folder / "config.json", config(state))


def config(state):
    """All published keys; sizes from the tensors."""
    dim, freq = state["time_embedding.0.weight"].shape
    layers = 1 + max(int(k.split(".")[1]) for k in state if k.startswith("blocks."))
    tokens = state["casual_audio_encoder.encoder.conv1_local.conv.weight"].shape[0] // (dim // 4)
    return {"_class_name": "WanModel_S2V", "_diffusers_version": "0.34.0", "adain_mode": "attn_norm", "add_last_motion": True,
            "audio_dim": state["casual_audio_encoder.encoder.conv1_local.conv.weight"].shape[1], "audio_inject_layers": [0, 2, 4, 6],
            "cond_dim": 16, "dim": dim, "enable_adain": True, "enable_framepack": True, "enable_motioner": False, "enable_tsm": False,
            "eps": 1e-06, "ffn_dim": state["blocks.0.ffn.0.weight"].shape[0], "framepack_drop_mode": "padd", "freq_dim": freq, "in_dim": 16,
            "model_type": "s2v", "motion_token_num": 1024, "num_audio_token": tokens, "num_heads": 4, "num_layers": layers, "out_dim": 16,
            "text_len": 512, "trainable_token_pos_emb": False, "zero_init": True, "zero_timestep": True}


def write_audio(state, folder):
    """model.safetensors with its three JSON files."""
    sizes = audio_encoder.AudioEncoder().sizes
    folder.mkdir(parents=True, exist_ok=True)
    save_file({f"wav2vec2.{k}": v for k, v in state.items()}, folder / "model.safetensors", metadata={"format": "pt"})
    dump(folder / "config.json", {
        "architectures": ["Wav2Vec2Model"], "model_type": "wav2vec2", "conv_bias": True, "conv_dim": [sizes["width"]] * 7,
        "conv_kernel": list(audio_encoder.KERNELS), "conv_stride": list(audio_encoder.STRIDES), "do_stable_layer_norm": True,
        "feat_extract_activation": "gelu", "feat_extract_norm": "layer", "hidden_act": "gelu", "hidden_size": sizes["hidden"],
        "intermediate_size": sizes["inner"], "layer_norm_eps": 1e-05, "num_attention_heads": sizes["heads"],
        "num_conv_pos_embedding_groups": sizes["groups"], "num_conv_pos_embeddings": sizes["kernel"], "num_feat_extract_layers": 7,
        "num_hidden_layers": sizes["layers"], "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "vocab_size": len(LETTERS)})
    dump(folder / "preprocessor_config.json", {"do_normalize": True, "feature_extractor_type": "Wav2Vec2FeatureExtractor", "feature_size": 1,
                                               "padding_side": "right", "padding_value": 0.0, "return_attention_mask": True, "sampling_rate": 16000})
    dump(folder / "vocab.json", {letter: k for k, letter in enumerate(LETTERS)})


def dump(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--denoiser", nargs=2, required=True)
    parser.add_argument("--vae", required=True, help="training file, or a weights folder to take it from")
    parser.add_argument("--audio", required=True, help="likewise")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    read = lambda path: torch.load(path, map_location="cpu", weights_only=True)
    half = lambda state: OrderedDict((k, v.to(torch.bfloat16).contiguous().clone()) for k, v in state.items())
    first, second = (read(p) for p in options.denoiser)
    folder = options.output / layout.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    write_denoiser(half(first["model"] | second["model"]), folder)
    torch.save(half(first["text"]), folder / layout.TEXT)
    torch.save(half(layout.part(options.vae, "vae")), folder / layout.VAE)
    write_audio(half(layout.part(options.audio, "audio")), folder / layout.AUDIO)
    shutil.copytree(options.tokenizer, folder / layout.TOKENIZER, dirs_exist_ok=True)
    print("bytes", sum(f.stat().st_size for f in options.output.rglob("*") if f.is_file()))


if __name__ == "__main__":
    main()
