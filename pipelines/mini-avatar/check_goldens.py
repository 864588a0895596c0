"""Check these modules against the released code's float32 goldens.

    python check_goldens.py CHECKPOINT_ROOT GOLDENS
"""
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

import audio_encoder
import layout
import sampler


def report(name, got, want):
    print(f"{name:36s} max abs error {(got.reshape(want.shape).float() - want).abs().max():.2e}", flush=True)


@torch.no_grad()
def main(root, goldens):
    models = layout.load(root)
    g = load_file(goldens / "text_encoder.safetensors")
    for name in ("ascii", "chinese", "special_tokens"):
        ids, mask, context = g[f"{name}.ids"], g[f"{name}.mask"], g[f"{name}.context"]
        got = models.text(ids.long(), mask)[0, :context.shape[-2]]
        report(f"text {name}", got, context)
    g = load_file(goldens / "audio_encoder.safetensors")
    states = models.audio(audio_encoder.normalise(g["speech_16k_mono.load"].view(1, -1)))[:, 0]
    report("audio hidden states", states, g["speech_16k_mono.hidden_states"])
    report("audio rows", audio_encoder.bucket(states), g["speech_16k_mono.bucket_fps25_f48"])
    g = load_file(goldens / "vae.safetensors")
    report("vae encode", models.vae.encode(g["encode.video"][None]), g["encode.latents"][None])
    report("vae decode", models.vae.decode(g["decode.latents"][None]), g["decode.frames"][None])
    history, z = {}, g["stream.latents"][None]
    frames = torch.cat([models.vae.decode(c, history) for c in (z[:, :, :7], z[:, :, 7:10], z[:, :, 10:])], 2)
    report("vae stream", frames, g["stream.frames"][None])
    g = load_file(goldens / "denoise.safetensors")
    rows = g["audio_emb"][0].permute(2, 0, 1)[None]
    latents = sampler.generate(models.denoiser, g["context"].reshape(1, -1, g["context"].shape[-1]), rows, g["ref_latents"].reshape(1, 16, 1, 8, 16),
                               g["motion_latents"].reshape(1, 16, -1, 8, 16), g["noise"][:, None], g["sink_distance"])
    report("denoise, 3 clips in sequence", latents, torch.cat(list(g["latents"]), 1)[None])
    report("denoise, first clip at once", sampler.first_clip_at_once(models.denoiser, g["context"].reshape(1, -1, g["context"].shape[-1]), rows,
           g["ref_latents"].reshape(1, 16, 1, 8, 16), g["motion_latents"].reshape(1, 16, -1, 8, 16), g["noise"][:1], g["sink_distance"][:1]),
           g["latents"][:1])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
