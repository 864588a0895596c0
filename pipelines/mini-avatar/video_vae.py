"""The causal video VAE: whole-stream passes for training, and a chunked stream decoder.

Both directions are one causal stream, so the whole-stream pass equals the chunked one.
Tensors are [B, C, T, H, W].
"""
import torch
import torch.nn.functional as F
from torch import nn

LATENT_CHANNELS = 16
MEAN = (-0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508,
        0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921)
STD = (2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
       3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160)


class CausalConv3d(nn.Conv3d):
    """k x k x k with zero padding in space and left padding in time; `history` replaces the zeros."""

    def __init__(self, inputs, outputs, kernel):
        kernel = (kernel,) * 3 if isinstance(kernel, int) else kernel
        super().__init__(inputs, outputs, kernel, padding=(0, kernel[1] // 2, kernel[2] // 2))

    def forward(self, x, history=None):
        past = self.kernel_size[0] - 1
        if past and history is None and x.shape[2] == 1:
            return F.conv2d(x[:, :, 0], self.weight[:, :, -1], self.bias, padding=self.padding[1:])[:, :, None]
        if past:
            before = None if history is None else history.get(self)
            if before is None:
                x = F.pad(x, (0, 0, 0, 0, past, 0))
            else:
                x = torch.cat([before, x], 2)
            if history is not None:
                history[self] = x[:, :, -past:]
        return super().forward(x)


def normalise(x, gamma, scale, activate):
    """x / max(|x|, 1e-12) * scale * gamma over channels, then SiLU if asked."""
    size = x.float().square().sum(1, keepdim=True).sqrt().clamp(min=1e-12)
    y = x * (scale / size) * gamma
    return (F.silu(y) if activate else y).to(x.dtype)


class RMS_norm(nn.Module):
    """RMS norm over channels, optionally followed by SiLU. `kernel` may be replaced by a compiled one."""

    kernel = staticmethod(normalise)

    def __init__(self, channels, frames=True):
        super().__init__()
        self.scale = channels ** 0.5
        self.gamma = nn.Parameter(torch.ones(channels, 1, 1, 1) if frames else torch.ones(channels, 1, 1))

    def forward(self, x, activate=False):
        return type(self).kernel(x, self.gamma, self.scale, activate)


class ResidualBlock(nn.Module):
    """shortcut(x) + conv(silu(norm(conv(silu(norm(x))))))."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.residual = nn.Sequential(RMS_norm(inputs), nn.SiLU(), CausalConv3d(inputs, outputs, 3),
                                      RMS_norm(outputs), nn.SiLU(), nn.Dropout(0), CausalConv3d(outputs, outputs, 3))
        self.shortcut = CausalConv3d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x, history=None):
        y = self.residual[2](self.residual[0](x, True), history)
        y = self.residual[6](self.residual[3](y, True), history)
        return self.shortcut(x) + y


class AttentionBlock(nn.Module):
    """One head over the positions of each frame."""

    def __init__(self, channels):
        super().__init__()
        self.norm = RMS_norm(channels, frames=False)
        self.to_qkv = nn.Conv2d(channels, channels * 3, 1)
        self.proj = nn.Conv2d(channels, channels, 1)

    def forward(self, x, history=None):
        batch, channels, frames, height, width = x.shape
        flat = x.transpose(1, 2).flatten(0, 1)
        q, k, v = self.to_qkv(self.norm(flat)).flatten(2).transpose(1, 2).chunk(3, -1)
        y = F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[:, 0]
        y = self.proj(y.transpose(1, 2).reshape(flat.shape))
        return x + y.view(batch, frames, channels, height, width).transpose(1, 2)


def per_frame(layer, x):
    """Apply a 2-D layer to every frame of [B, C, T, H, W]."""
    y = layer(x.transpose(1, 2).flatten(0, 1))
    return y.view(x.shape[0], x.shape[2], *y.shape[1:]).transpose(1, 2)


class Down(nn.Module):
    """Half the size in space, and in time if `temporal`; the stream's first frame stays alone."""

    def __init__(self, channels, temporal):
        super().__init__()
        self.resample = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(channels, channels, 3, stride=2))
        if temporal:
            self.time_conv = CausalConv3d(channels, channels, (3, 1, 1))
            self.time_conv.stride = (2, 1, 1)

    def forward(self, x, history=None):
        x = per_frame(self.resample, x)
        if not hasattr(self, "time_conv") or x.shape[2] == 1:
            return x
        return torch.cat([x[:, :, :1], nn.Conv3d.forward(self.time_conv, x)], 2)


class Up(nn.Module):
    """Double the size in space, and in time if `temporal`, except for the stream's first frame."""

    def __init__(self, channels, temporal):
        super().__init__()
        self.resample = nn.Sequential(nn.Upsample(scale_factor=2.0, mode="nearest-exact"), nn.Conv2d(channels, channels // 2, 3, padding=1))
        if temporal:
            self.time_conv = CausalConv3d(channels, channels * 2, (3, 1, 1))

    def forward(self, x, history=None):
        if hasattr(self, "time_conv"):
            started = history is not None and history.get(self)
            first, rest = (x[:, :, :0], x) if started else (x[:, :, :1], x[:, :, 1:])
            if history is not None:
                history[self] = True
            if rest.shape[2]:
                even, odd = self.time_conv(rest, history).chunk(2, 1)
                rest = torch.stack([even, odd], 3).flatten(2, 3)
            x = torch.cat([first, rest], 2)
        return per_frame(self.resample, x)


class Encoder3d(nn.Module):
    """Pixels to twice the latent channels."""

    def __init__(self, width):
        super().__init__()
        w = [width, width, width * 2, width * 4, width * 4]
        self.conv1 = CausalConv3d(3, width, 3)
        layers = []
        for level in range(4):
            layers += [ResidualBlock(w[level], w[level + 1]), ResidualBlock(w[level + 1], w[level + 1])]
            if level < 3:
                layers.append(Down(w[level + 1], temporal=level > 0))
        self.downsamples = nn.Sequential(*layers)
        self.middle = nn.Sequential(ResidualBlock(w[4], w[4]), AttentionBlock(w[4]), ResidualBlock(w[4], w[4]))
        self.head = nn.Sequential(RMS_norm(w[4]), nn.SiLU(), CausalConv3d(w[4], LATENT_CHANNELS * 2, 3))

    def forward(self, x):
        x = self.conv1(x)
        for layer in self.downsamples:
            x = layer(x)
        for layer in self.middle:
            x = layer(x)
        return self.head[2](self.head[0](x, True))


class Decoder3d(nn.Module):
    """Latents to pixels, not clamped."""

    def __init__(self, width):
        super().__init__()
        w = [width * 4, width * 4, width * 4, width * 2, width]
        self.conv1 = CausalConv3d(LATENT_CHANNELS, w[0], 3)
        self.middle = nn.Sequential(ResidualBlock(w[0], w[0]), AttentionBlock(w[0]), ResidualBlock(w[0], w[0]))
        layers = []
        for level in range(4):
            inputs = w[level] // 2 if level else w[level]
            layers += [ResidualBlock(inputs, w[level + 1]), ResidualBlock(w[level + 1], w[level + 1]),
                       ResidualBlock(w[level + 1], w[level + 1])]
            if level < 3:
                layers.append(Up(w[level + 1], temporal=level < 2))
        self.upsamples = nn.Sequential(*layers)
        self.head = nn.Sequential(RMS_norm(width), nn.SiLU(), CausalConv3d(width, 3, 3))

    def forward(self, z, history=None):
        x = self.conv1(z, history)
        for layer in (*self.middle, *self.upsamples):
            x = layer(x, history)
        return self.head[2](self.head[0](x, True), history)


class VideoVAE(nn.Module):
    """encode: pixels in [-1, 1] to normalised latents; decode: back."""

    def __init__(self, width=16):
        super().__init__()
        self.encoder = Encoder3d(width)
        self.conv1 = CausalConv3d(LATENT_CHANNELS * 2, LATENT_CHANNELS * 2, 1)
        self.conv2 = CausalConv3d(LATENT_CHANNELS, LATENT_CHANNELS, 1)
        self.decoder = Decoder3d(width)
        shape = (1, LATENT_CHANNELS, 1, 1, 1)
        self.register_buffer("mean", torch.tensor(MEAN).view(shape), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(shape), persistent=False)

    @torch.no_grad()
    def inflate(self):
        """Start as an image model applied to each frame: only the newest tap in time is not zero."""
        for module in self.modules():
            if isinstance(module, CausalConv3d) and module.kernel_size[0] == 3:
                if module.kernel_size[1] == 3:
                    module.weight[:, :, -1] *= 3 ** 0.5
                else:
                    torch.nn.init.zeros_(module.weight)
                    torch.nn.init.zeros_(module.bias)
                    for k in range(module.out_channels):
                        module.weight[k, k % module.in_channels, -1] = 1
                module.weight[:, :, :-1] = 0
        return self

    def encode(self, pixels):
        mu = self.conv1(self.encoder(pixels)).float()[:, :LATENT_CHANNELS]
        return (mu - self.mean) / self.std

    def decode(self, latents, history=None, clamp=True):
        """`history`: a dict kept by the caller makes this one chunk of a stream."""
        x = self.decoder(self.conv2(latents * self.std + self.mean), history)
        return x.clamp(-1, 1) if clamp else x


def from_state(state):
    """A VAE whose width is read from a checkpoint's tensors."""
    model = VideoVAE(state["encoder.conv1.weight"].shape[0])
    model.load_state_dict({k: v.float() for k, v in state.items()})
    return model
