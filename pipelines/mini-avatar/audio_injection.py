"""From audio rows to tokens per latent frame, and their injection between the transformer's blocks."""
import torch
import torch.nn.functional as F
from torch import nn

from attention import Projections, attend, layer_norm


class CausalConv(nn.Module):
    """Kernel-3 convolution along time without padding, [N, T, C]."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, 3, stride)

    def forward(self, x):
        return self.conv(x.transpose(1, 2)).transpose(1, 2)


class MotionEncoder(nn.Module):
    """12 audio rows to 3 global tokens and 3 x (n + 1) local tokens.

    The released code prepends 73 copies of the first row and keeps the last 3 of 22 steps; those steps
    see at most 5 of the copies, so 5 are prepended here and no padding is left to do.
    """

    COPIES = 5

    def __init__(self, audio_dim, dim, tokens):
        super().__init__()
        self.tokens = tokens
        self.conv1_local = CausalConv(audio_dim, dim // 4 * tokens)
        self.conv1_global = CausalConv(audio_dim, dim // 4)
        self.conv2 = CausalConv(dim // 4, dim // 2, 2)
        self.conv3 = CausalConv(dim // 2, dim, 2)
        self.final_linear = nn.Linear(dim, dim)
        self.padding_tokens = nn.Parameter(torch.randn(1, 1, 1, dim) * 0.02)

    def tail(self, x):
        for conv in (self.conv2, self.conv3):
            x = conv(F.silu(layer_norm(x, 1e-6)))
        return F.silu(layer_norm(x, 1e-6))

    def forward(self, rows):
        x = torch.cat([rows[:, :1].expand(-1, self.COPIES, -1), rows], 1)
        local = self.conv1_local(x).unflatten(-1, (self.tokens, -1)).transpose(1, 2)
        local = self.tail(local.flatten(0, 1)).unflatten(0, (-1, self.tokens)).transpose(1, 2)
        padding = self.padding_tokens.expand(*local.shape[:2], 1, -1).to(local.dtype)
        return self.final_linear(self.tail(self.conv1_global(x))), torch.cat([local, padding], 2)


class AudioTokens(nn.Module):
    """Mixes the encoder's layers, then the motion encoder. rows [N, 12, L, C]."""

    def __init__(self, audio_dim, layers, dim, tokens):
        super().__init__()
        self.weights = nn.Parameter(torch.ones(1, layers, 1, 1) * 0.01)
        self.encoder = MotionEncoder(audio_dim, dim, tokens)

    def forward(self, rows):
        w = F.silu(self.weights.float())[0, :, 0, 0]
        return self.encoder(torch.einsum("ntlc,l->ntc", rows.float(), w / w.sum()))


class AdaLN(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.linear = nn.Linear(dim, dim * 2)

    def forward(self, x, token):
        """x [N, P, dim], token [N, dim]; shift first, then scale."""
        shift, scale = self.linear(F.silu(token)).float()[:, None].chunk(2, -1)
        return layer_norm(x, 1e-5) * (1 + scale) + shift


class AudioInjector(nn.Module):
    """Cross-attention from the tokens of each latent frame to its audio tokens."""

    def __init__(self, dim, heads, eps, count):
        super().__init__()
        self.injector = nn.ModuleList(Projections(dim, heads, eps) for _ in range(count))
        self.injector_adain_layers = nn.ModuleList(AdaLN(dim) for _ in range(count))

    def forward(self, index, x, audio):
        return inject(self.injector[index], self.injector_adain_layers[index], x, *audio)


def inject(attention, adain, x, token, local):
    """x [B, frames * P, dim], token [B * frames, dim], local [B * frames, n + 1, dim]."""
    y = adain(x.reshape(token.shape[0], -1, x.shape[-1]), token)
    y = attention.o(attend(attention.queries(y), *attention.keys_values(local)))
    return x + y.float().view(x.shape)
