"""The causal S2V transformer: conditioning prefill, and the streaming step over one or several blocks.

A streaming step of block n at denoising step i sees keys of earlier blocks at step i only, so all blocks of a
sequence can be run at once; `stream` does either. Latents are [B, 16, T, h, w], tokens [B, tokens, dim].
"""
import math

import torch
from torch import nn

import rotary
from attention import Projections, attend, layer_norm
from audio_injection import AudioInjector, AudioTokens

BLOCK_FRAMES = 3
WINDOW_BLOCKS = 4
AUDIO_FRAMES = 12
SIGMAS_SHIFT = 3.0


def schedule(steps=4):
    """Timesteps [n] and sigmas [n + 1] of the Euler flow sampler."""
    low = SIGMAS_SHIFT * 0.001 / (1 + (SIGMAS_SHIFT - 1) * 0.001)
    tau = torch.linspace(1000, 1000 * low, steps) / 1000
    sigma = SIGMAS_SHIFT * tau / (1 + (SIGMAS_SHIFT - 1) * tau)
    return sigma * 1000, torch.cat([sigma, torch.zeros(1)])


class Block(nn.Module):
    """Modulated self-attention, text cross-attention, modulated feed-forward."""

    def __init__(self, dim, ffn_dim, heads, eps):
        super().__init__()
        self.eps = eps
        self.modulation = nn.Parameter(torch.randn(1, 6, dim) / dim ** 0.5)
        self.self_attn = Projections(dim, heads, eps)
        self.cross_attn = Projections(dim, heads, eps)
        self.norm3 = nn.LayerNorm(dim, eps)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(approximate="tanh"), nn.Linear(ffn_dim, dim))

    def before(self, x, e0):
        """Self-attention's queries, keys, values of x, and the modulation [6, dim]."""
        m = self.modulation[0] + e0
        y = layer_norm(x, self.eps) * (1 + m[1]) + m[0]
        return self.self_attn.queries(y), *self.self_attn.keys_values(y), m

    def after(self, x, mixed, m, text, text_bias):
        """The rest of the block, given the mixed values of self-attention."""
        x = x + self.self_attn.o(mixed).float() * m[2]
        y = layer_norm(x, self.eps, self.norm3.weight, self.norm3.bias)
        y = attend(self.cross_attn.queries(y), *self.cross_attn.keys_values(text), text_bias)
        x = x + self.cross_attn.o(y).float()
        y = layer_norm(x, self.eps) * (1 + m[4]) + m[3]
        return x + self.ffn(y).float() * m[5]


class Head(nn.Module):
    """Modulated projection to 2 x 2 x 16 values per token."""

    def __init__(self, dim, eps):
        super().__init__()
        self.eps = eps
        self.modulation = nn.Parameter(torch.randn(1, 2, dim) / dim ** 0.5)
        self.head = nn.Linear(dim, 64)

    def forward(self, x, e):
        m = self.modulation[0] + e
        return self.head(layer_norm(x, self.eps) * (1 + m[1]) + m[0])


def prefill_layer(block, x, e0, places, text):
    """One block of the transformer over the conditioning tokens; also its keys, not rotated, and its values."""
    q, k, v, m = block.before(x, e0)
    mixed = attend(rotary.rotate(q, *places), rotary.rotate(k, *places), v)
    return block.after(x, mixed, m, *text), k, v


def stream_layer(block, tokens, blocks, e0, noisy, rolled, condition, later, switch, text, earlier):
    """One block of the transformer over n blocks of latents; also its rotated keys and its values."""
    q, k, v, m = block.before(tokens, e0)
    q, k, v = (y.unflatten(1, (blocks, -1)) for y in (q, k, v))
    q, k = rotary.rotate(q, *noisy), rotary.rotate(k, *noisy)
    mixed = windowed(q, k, v, sink_keys(rolled, condition, later, switch), earlier)
    return block.after(tokens, mixed, m, *text), k, v


def sink_keys(rolled, condition, later, switch):
    """The conditioning keys as each block sees them now, and the values, [B, blocks, Lc, heads, head_dim]."""
    blocks = rolled[0].shape[1]
    k, v = (y[:, None].expand(-1, blocks, -1, -1, -1) for y in condition)
    if later is not None:
        k2, v2 = (y[:, None].expand(-1, blocks - switch, -1, -1, -1) for y in later)
        k, v = torch.cat([k[:, :switch], k2], 1), torch.cat([v[:, :switch], v2], 1)
    return rotary.rotate(k, *rolled), v


def windowed(q, k, v, sink, earlier):
    """Attention of each block over itself, up to three earlier blocks, and the sink; [B, blocks * S, dim]."""
    blocks = q.shape[1]
    if earlier:
        k = torch.cat([torch.stack([p[0] for p in earlier], 1), k], 1)
        v = torch.cat([torch.stack([p[1] for p in earlier], 1), v], 1)
    mixed = []
    short = max(0, min(blocks, WINDOW_BLOCKS - 1 - len(earlier)))
    for n in range(short):
        keys = torch.cat([k[:, :n + 1 + len(earlier)].flatten(1, 2), sink[0][:, n]], 1)
        values = torch.cat([v[:, :n + 1 + len(earlier)].flatten(1, 2), sink[1][:, n]], 1)
        mixed.append(attend(q[:, n], keys, values)[:, None])
    if short < blocks:
        count, offset = blocks - short, k.shape[1] - blocks + short - WINDOW_BLOCKS + 1
        full = lambda y: torch.stack([y[:, offset + n:offset + n + WINDOW_BLOCKS].flatten(1, 2) for n in range(count)], 1)
        keys = torch.cat([full(k), sink[0][:, short:]], 2)
        values = torch.cat([full(v), sink[1][:, short:]], 2)
        mixed.append(attend(q[:, short:], keys, values))
    return torch.cat(mixed, 1).flatten(1, 2)


class FramePacker(nn.Module):
    """19 motion latents to tokens at three scales."""

    def __init__(self, dim):
        super().__init__()
        self.proj = nn.Conv3d(16, dim, (1, 2, 2), (1, 2, 2))
        self.proj_2x = nn.Conv3d(16, dim, (2, 4, 4), (2, 4, 4))
        self.proj_4x = nn.Conv3d(16, dim, (4, 8, 8), (4, 8, 8))

    def forward(self, motion):
        parts = (self.proj(motion[:, :, 18:]), self.proj_2x(motion[:, :, 16:18]), self.proj_4x(motion[:, :, :16]))
        return torch.cat([p.flatten(2).transpose(1, 2) for p in parts], 1)


class Denoiser(nn.Module):
    """Velocity of noisy latents, given text, reference, motion and sound."""

    def __init__(self, dim=256, ffn_dim=1024, num_heads=4, num_layers=8, freq_dim=128, text_dim=128, audio_dim=128,
                 audio_layers=4, num_audio_token=4, audio_inject_layers=(0, 2, 4, 6), eps=1e-6, text_len=512):
        super().__init__()
        self.freq_dim, self.text_len, self.heads, self.eps = freq_dim, text_len, num_heads, eps
        self.inject = {layer: rank for rank, layer in enumerate(sorted(audio_inject_layers))}
        self.patch_embedding = nn.Conv3d(16, dim, (1, 2, 2), (1, 2, 2))
        self.cond_encoder = nn.Conv3d(16, dim, (1, 2, 2), (1, 2, 2))
        self.text_embedding = nn.Sequential(nn.Linear(text_dim, dim), nn.GELU(approximate="tanh"), nn.Linear(dim, dim))
        self.time_embedding = nn.Sequential(nn.Linear(freq_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.time_projection = nn.Sequential(nn.SiLU(), nn.Linear(dim, dim * 6))
        self.blocks = nn.ModuleList(Block(dim, ffn_dim, num_heads, eps) for _ in range(num_layers))
        self.head = Head(dim, eps)
        self.casual_audio_encoder = AudioTokens(audio_dim, audio_layers, dim, num_audio_token)
        self.audio_injector = AudioInjector(dim, num_heads, eps, len(self.inject))
        self.trainable_cond_mask = nn.Embedding(3, dim)
        self.frame_packer = FramePacker(dim)
        self.initialise()

    def initialise(self):
        """Small residual branches, so that depth starts near the identity."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.normal_(self.trainable_cond_mask.weight, std=0.02)
        nn.init.zeros_(self.cond_encoder.weight)
        for branch in [b.cross_attn for b in self.blocks] + list(self.audio_injector.injector):
            nn.init.normal_(branch.o.weight, std=0.02)
        nn.init.normal_(self.head.head.weight, std=0.02)

    def time(self, t):
        """Timestep to e [dim] and e0 [6, dim], in float32."""
        half = self.freq_dim // 2
        device = self.head.head.weight.device
        angle = float(t) * 10000.0 ** (-torch.arange(half, dtype=torch.float64, device=device) / half)
        wave = torch.cat([angle.cos(), angle.sin()]).float()
        with torch.autocast(device.type, enabled=False):
            e = self.time_embedding(wave)
            return e, self.time_projection(e).view(6, -1)

    def text(self, context):
        """context [B, M, text_dim], zero after the prompt, to tokens and the bias that makes M rows count as 512.

        Row M - 1 must be padding when M < 512; it stands for all the rows left out.
        """
        rows = context.shape[1]
        bias = torch.zeros(1, 1, 1, rows, device=context.device)
        bias[..., -1] = math.log(self.text_len - rows + 1)
        return self.text_embedding(context), None if rows == self.text_len else bias

    def prefill(self, reference, motion, text):
        """Un-rotated keys and values of the conditioning tokens, one pair per layer."""
        gh, gw = reference.shape[3] // 2, reference.shape[4] // 2
        x = torch.cat([self.patch_embedding(reference).flatten(2).transpose(1, 2) + self.trainable_cond_mask.weight[1],
                       self.frame_packer(motion) + self.trainable_cond_mask.weight[2]], 1).float()
        _, e0 = self.time(0)
        cos, sin = rotary.table(*rotary.condition_positions(torch.zeros((), dtype=torch.long, device=x.device), gh, gw),
                                x.shape[-1] // self.heads)
        kept = []
        for block in self.blocks:
            x, k, v = prefill_layer(block, x, e0, (cos, sin), text)
            kept.append((k, v))
        return kept

    def positions(self, first, blocks, distance, gh, gw):
        """Rotary tables of the noisy tokens [B, blocks, S, .] and of the conditioning keys [B, blocks, Lc, .]."""
        head_dim = self.head.head.in_features // self.heads
        starts = first[:, None] + BLOCK_FRAMES * torch.arange(blocks, device=first.device)
        rollout = (starts - (30 - distance)).clamp(min=0)
        return (rotary.table(*rotary.noisy_positions(starts, BLOCK_FRAMES, gh, gw), head_dim),
                rotary.table(*rotary.condition_positions(rollout, gh, gw), head_dim))

    def stream(self, x, t, text, condition, rows, first, distance, window=None, condition_later=None, switch=None):
        """Velocity of x [B, 16, 3n, h, w].

        rows [B, 12n, L, C]; first: absolute latent frame [B]; distance [B, n]; window: per-layer lists of earlier
        blocks' (k, v), updated in place; from block `switch` on, `condition_later` replaces `condition`.
        """
        batch, _, frames, h, w = x.shape
        blocks, gh, gw = frames // BLOCK_FRAMES, h // 2, w // 2
        tokens = self.patch_embedding(x) + self.cond_encoder.bias[:, None, None, None]
        tokens = tokens.flatten(2).transpose(1, 2).float() + self.trainable_cond_mask.weight[0]
        noisy, rolled = self.positions(first, blocks, distance, gh, gw)
        e, e0 = self.time(t)
        audio = self.casual_audio_encoder(rows.reshape(batch * blocks, AUDIO_FRAMES, *rows.shape[2:]))
        audio = [a.flatten(0, 1) for a in audio]
        for layer, block in enumerate(self.blocks):
            earlier = window[layer] if window is not None else []
            later = condition_later[layer] if condition_later is not None else None
            tokens, k, v = stream_layer(block, tokens, blocks, e0, noisy, rolled, condition[layer], later, switch, text, earlier)
            if window is not None:
                window[layer] = (earlier + list(zip(k.unbind(1), v.unbind(1))))[-(WINDOW_BLOCKS - 1):]
            if layer in self.inject:
                tokens = self.audio_injector(self.inject[layer], tokens, audio)
        y = self.head(tokens, e).view(batch, frames, gh, gw, 2, 2, 16)
        return y.permute(0, 6, 1, 2, 4, 3, 5).reshape(batch, 16, frames, h, w)


SIZES = ("dim", "ffn_dim", "num_heads", "num_layers", "freq_dim", "num_audio_token", "audio_inject_layers", "eps", "text_len")


def from_state(state, config):
    """A denoiser whose sizes come from config.json and the tensors."""
    sizes = {k: config[k] for k in SIZES}
    model = Denoiser(**sizes, audio_dim=config["audio_dim"], text_dim=state["text_embedding.0.weight"].shape[1],
                     audio_layers=state["casual_audio_encoder.weights"].shape[1])
    model.load_state_dict({k: v.float() for k, v in state.items()})
    return model
