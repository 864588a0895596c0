"""Write the parity fixture: inputs, and what these modules make of them in float32 with the exported weights.

    python fixture.py --weights weights --speech heldout.npz --output parity.safetensors
"""
import argparse

import torch
from safetensors.torch import save_file

import audio_encoder
import evaluate
import sampler
import scene

PROMPT = "A smiling person, talking, with a lively head."
SAMPLES = 19200
BLOCKS = 2


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", required=True)
    parser.add_argument("--speech", required=True)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    cpu = torch.device("cpu")
    studio = evaluate.Studio(options.weights, cpu)
    _, pictures = evaluate.references(1, 2024, cpu)
    picture = ((pictures[0].permute(1, 2, 0) + 1) * 127.5).round().to(torch.uint8)
    pixels = picture.permute(2, 0, 1)[None].float() / 255 * 2 - 1
    wave = scene.Voices(options.speech, cpu).wave[16000:16000 + SAMPLES].clone()
    ids = studio.words.encode(PROMPT)
    context = studio.models.text(torch.tensor([ids]), torch.ones(1, len(ids)))
    rows = audio_encoder.bucket(studio.models.audio(audio_encoder.normalise(wave[None]))[:, 0])
    vae, history = studio.models.vae, {}
    motion = vae.encode(pixels[:, :, None].expand(-1, -1, 73, -1, -1))
    noise = torch.randn(1, 16, 12, 16, 16, generator=torch.Generator().manual_seed(7))
    distance = torch.randint(4, 31, (1, 4, 4), generator=torch.Generator().manual_seed(8))
    blocks = list(sampler.stream_blocks(studio.models.denoiser, context, rows[None], motion[:, :, :1], motion, lambda n: noise[:, :, 3 * n:3 * n + 3],
                                        lambda n, i: int(distance[0, n, i]), BLOCKS))
    vae.decode(motion[:, :, :7], history)
    frames = vae.decode(blocks[0], history)
    tensors = dict(
        ids=torch.tensor(ids, dtype=torch.int32), waveform=wave, reference_rgb=picture, noise=noise, sink_distance=distance.to(torch.int32),
        context=context[0], audio_features=rows[:48], reference_latents=motion[0, :, :1], motion_latents_0_6_18=motion[0][:, [0, 6, 18]],
        latents_block0=blocks[0][0], latents_block1=blocks[1][0], frame3=frames[0, :, 3])
    notes = dict(
        prompt=PROMPT, precision="float32 arithmetic; weights as exported (bfloat16); rotary tables rounded to float16",
        waveform="16 kHz mono, before normalisation", reference_rgb="[height, width, 3]; pixels are v / 255 * 2 - 1",
        noise="[clips, 16, 12, h, w], standard normal", sink_distance="[clips, blocks, steps]",
        audio_features="[frames, layers, width], the first clip of 48 frames at 25 per second",
        motion_latents_0_6_18="latent frames 0, 6 and 18 of the 19 motion latents [16, 3, h, w]; reference_latents is the encoding of one frame",
        latents="final latents of blocks 0 and 1 of clip 0, 4 Euler steps, conditioning latents zero",
        frame3="[3, height, width] in [-1, 1]: frame 3 of block 0 (the first that is kept), decoded after the first 7 motion latents",
        made_by="pipelines/mini-avatar/fixture.py")
    save_file({k: v.contiguous() for k, v in tensors.items()}, options.output, metadata=notes)
    print({k: tuple(v.shape) for k, v in tensors.items()})


if __name__ == "__main__":
    main()
