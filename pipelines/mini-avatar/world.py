"""The world: cartoon heads drawn from signed distances, vectorised over frames.

An identity is a dict of [N] or [N, 3] tensors, an act (what moves) a dict of [N, T] tensors. Lengths are in units of
the face's half width, x to the right and y down; colours are in 0..1.
"""
import torch

SIZE = 128
MOUTH_INSIDE = (70 / 255, 16 / 255, 24 / 255)

SKINS = {"pale": (246, 220, 200), "light": (236, 196, 164), "tan": (214, 164, 122), "brown": (160, 106, 70), "dark": (104, 68, 46)}
HAIRS = {"black": (30, 26, 30), "brown": (92, 58, 34), "blond": (226, 190, 96), "red": (178, 74, 36), "grey": (146, 146, 150),
         "white": (232, 232, 228), "blue": (66, 96, 190), "pink": (226, 120, 170)}
COLOURS = {"red": (200, 48, 48), "orange": (232, 138, 50), "yellow": (236, 206, 74), "green": (70, 150, 76), "teal": (50, 150, 150),
           "blue": (62, 100, 196), "purple": (126, 78, 176), "pink": (234, 142, 178), "white": (236, 236, 236), "black": (44, 44, 50),
           "grey": (136, 138, 142), "brown": (128, 90, 60)}
IRISES = {"brown": (96, 60, 30), "blue": (70, 130, 200), "green": (74, 146, 90), "grey": (120, 130, 140)}
STYLES = ("short", "long", "curly", "bald", "fringe", "bun", "parted")
GLASSES = ("no", "round", "square")


def palette(names, index, generator, jitter):
    """Colours by index with a little variation, [N, 3]."""
    table = torch.tensor(list(names.values()), dtype=torch.float32, device=index.device) / 255
    return (table[index] + jitter * torch.randn(len(index), 3, generator=generator, device=index.device)).clamp(0.03, 0.97)


def draw_identities(count, generator):
    """Random heads. Integer fields name what a prompt may say; the rest is drawn from."""
    device = generator.device
    uniform = lambda low, high: low + (high - low) * torch.rand(count, generator=generator, device=device)
    choose = lambda n: torch.randint(n, (count,), generator=generator, device=device)
    kinds = dict(skin=choose(5), hair=choose(8), style=choose(7), clothes=choose(12), background=choose(12), iris=choose(4),
                 glasses=(choose(5) - 2).clamp(min=0), moustache=(choose(8) == 0).long(), pattern=choose(4))
    tint = lambda c, k: c + (1 - c) * k[:, None]
    backdrop = tint(palette(COLOURS, kinds["background"], generator, 0.03), uniform(0.1, 0.45))
    identity = dict(
        kinds=kinds, skin=palette(SKINS, kinds["skin"], generator, 0.012), hair=palette(HAIRS, kinds["hair"], generator, 0.02),
        clothes=palette(COLOURS, kinds["clothes"], generator, 0.04), collar=palette(COLOURS, choose(12), generator, 0.04),
        iris=palette(IRISES, kinds["iris"], generator, 0.03), backdrop=backdrop,
        backdrop2=(backdrop * uniform(0.75, 1.1)[:, None]).clamp(0, 1),
        lip=palette({"lip": (186, 84, 84)}, choose(1), generator, 0.04), frame=palette({"frame": (40, 38, 44)}, choose(1), generator, 0.03),
        scale=uniform(24, 35), x=SIZE / 2 + uniform(-12, 12), width=uniform(0.9, 1.08), height=uniform(1.12, 1.3),
        eye_gap=uniform(0.35, 0.43), eye_size=uniform(0.85, 1.2), brow=uniform(0.045, 0.085), mouth=uniform(0.85, 1.1),
        mouth_y=uniform(0.58, 0.68), nose=uniform(0.8, 1.3), shoulders=uniform(1.35, 1.75), blush=uniform(-0.3, 0.35).clamp(min=0),
        shape_x=uniform(0.1, 0.9), shape_y=uniform(0.1, 0.6), collar_on=(choose(2)).float())
    identity["y"] = SIZE * 0.5 + uniform(-9, 6)
    return identity


def select(identity, index):
    """Rows of an identity."""
    return {k: select(v, index) if isinstance(v, dict) else v[index] for k, v in identity.items()}


class Canvas:
    """Pixels [N, 3, size, size] painted back to front."""

    def __init__(self, count, device, size=SIZE):
        axis = (torch.arange(size, device=device) + 0.5) * (SIZE / size)
        self.x, self.y = axis.view(1, 1, -1), axis.view(1, -1, 1)
        self.sharp = size / SIZE
        self.pixels = torch.zeros(count, 3, size, size, device=device)

    def paint(self, colour, distance, opacity=None):
        """Cover where distance (in 1/128 of the picture) is negative, anti-aliased over a pixel."""
        alpha = (0.5 - distance * self.sharp).clamp_(0, 1)
        if opacity is not None:
            alpha = alpha * opacity.view(-1, 1, 1)
        colour = colour.view(-1, 3, 1, 1) if torch.is_tensor(colour) else torch.tensor(colour, device=alpha.device).view(1, 3, 1, 1)
        self.pixels.lerp_(colour.to(self.pixels.dtype).expand_as(self.pixels), alpha[:, None].expand_as(self.pixels))


def ellipse(x, y, rx, ry):
    """Signed distance, to first order."""
    k0 = ((x / rx) ** 2 + (y / ry) ** 2).sqrt()
    k1 = ((x / rx ** 2) ** 2 + (y / ry ** 2) ** 2).sqrt()
    return k0 * (k0 - 1) / (k1 + 1e-6)


def box(x, y, hx, hy, radius):
    """Signed distance of a rounded box."""
    qx, qy = x.abs() - hx + radius, y.abs() - hy + radius
    return (qx.clamp(min=0) ** 2 + qy.clamp(min=0) ** 2).sqrt() + torch.maximum(qx, qy).clamp(max=0) - radius


def capsule(x, y, ax, ay, bx, by, radius):
    """Signed distance of a thick segment."""
    dx, dy = bx - ax, by - ay
    t = (((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy + 1e-9)).clamp(0, 1)
    return ((x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2).sqrt() - radius


def render(identity, act, size=SIZE):
    """identity of N rows, act of [N] tensors; pixels [N, 3, size, size] in [-1, 1]."""
    col = lambda v: v.view(-1, 1, 1)
    i = {k: v if k == "kinds" or v.dim() == 2 else col(v) for k, v in identity.items()}
    a = {k: col(v) for k, v in act.items()}
    kind = lambda name, value: (identity["kinds"][name] == value).float()
    count = len(identity["scale"])
    canvas = Canvas(count, identity["scale"].device, size)
    r = i["scale"]
    backdrop(canvas, i, kind)
    bx, by = (canvas.x - i["x"]) / r - 0.3 * a["dx"], (canvas.y - i["y"]) / r - 0.2 * a["dy"]
    hx, hy = (canvas.x - i["x"]) / r - a["dx"], (canvas.y - i["y"]) / r - a["dy"] - 1.0
    cos, sin = a["tilt"].cos(), a["tilt"].sin()
    x, y = hx * cos + hy * sin, -hx * sin + hy * cos + 1.0
    body(canvas, i, kind, bx, by, x, y, r)
    face(canvas, i, kind, x, y, r)
    fx, fy = x - 0.25 * a["dx"], y - 0.25 * a["dy"]
    eyes(canvas, i, a, kind, fx, fy, r)
    mouth(canvas, i, a, fx, fy - i["mouth_y"], r)
    return canvas.pixels.mul_(2).sub_(1)


def backdrop(canvas, i, kind):
    """A vertical gradient, some with a disc, a band or a window behind the head."""
    ramp = (canvas.y / SIZE)[:, None]
    canvas.pixels += i["backdrop"][:, :, None, None] * (1 - ramp) + i["backdrop2"][:, :, None, None] * ramp
    second = (i["backdrop"] * 0.82 + 0.05).clamp(0, 1)
    x, y = canvas.x - i["shape_x"] * SIZE, canvas.y - i["shape_y"] * SIZE
    canvas.paint(second, (x * x + y * y).sqrt() - 30, kind("pattern", 1))
    canvas.paint(second, y.abs() - 12 + 0 * x, kind("pattern", 2))
    canvas.paint(second, box(x, y, torch.tensor(22.0), torch.tensor(26.0), 3), kind("pattern", 3))


def body(canvas, i, kind, bx, by, x, y, r):
    """Hair behind the head, neck, shoulders, collar."""
    long, bun = kind("style", 1), kind("style", 5)
    canvas.paint(i["hair"] * 0.85, ellipse(x, y - 0.35, i["width"] * 1.22, i["height"] * 1.28) * r, long)
    canvas.paint(i["hair"] * 0.9, ellipse(x, y + i["height"] + 0.18, 0.42, 0.36) * r, bun)
    canvas.paint(i["skin"] * 0.86, box(bx * 0.6 + x * 0.4, by - 1.35, torch.tensor(0.36), torch.tensor(0.6), 0.15) * r)
    canvas.paint(i["clothes"], ellipse(bx, by - 2.75, i["shoulders"], 1.3) * r)
    neckline = ellipse(bx, by - 1.5, 0.5, 0.3) * r
    canvas.paint(i["collar"], neckline, identity_flag(i["collar_on"]))
    canvas.paint(i["skin"] * 0.86, ellipse(bx, by - 1.42, 0.36, 0.24) * r)


def identity_flag(value):
    """[N, 1, 1] back to [N]."""
    return value.flatten()


def face(canvas, i, kind, x, y, r):
    """Ears, face, hair in front, nose, blush."""
    width, height = i["width"], i["height"]
    for side in (-1, 1):
        canvas.paint(i["skin"] * 0.93, ellipse(x - side * width, y - 0.12, 0.17, 0.24) * r)
    skull = torch.where(y < 0, ellipse(x, y, width, height), ellipse(x, y, width * (1 - 0.06 * y.clamp(min=0)), height))
    canvas.paint(i["skin"], skull * r)
    for side in (-1, 1):
        spot = (((x - side * 0.55) / 0.26) ** 2 + ((y - 0.38) / 0.18) ** 2).neg().exp()
        canvas.pixels += (spot * i["blush"])[:, None] * (torch.tensor((0.9, 0.35, 0.35), device=x.device).view(1, 3, 1, 1) - canvas.pixels) * (skull < 0)[:, None]
    canvas.paint(i["skin"] * 0.88, ellipse(x, y - 0.25, 0.09 * i["nose"], 0.12 * i["nose"]) * r)
    canvas.paint(i["hair"] * 0.95, box(x, y - 0.45, torch.tensor(0.3), torch.tensor(0.055), 0.05) * r, kind("moustache", 1))
    front_hair(canvas, i, kind, x, y, r, width, height)


def front_hair(canvas, i, kind, x, y, r, width, height):
    """The cap of hair above a hairline that depends on the style."""
    angle = torch.atan2(y, x)
    wave = kind("style", 2).view(-1, 1, 1) * 0.07 * torch.cos(11 * angle)
    cap = ellipse(x, y + 0.1, width * 1.1, height * 1.02) - wave - 0.05 * kind("style", 2).view(-1, 1, 1)
    flat = lambda level: y - level
    lines = {0: flat(-0.68 - 0.15 * x * x), 1: flat(-0.62 + 0.55 * x * x), 2: flat(-0.6 + 0.05 * torch.cos(9 * x)),
             4: flat(-0.52), 5: flat(-0.75 + 0.35 * x * x), 6: flat(-0.72 - 0.25 * x)}
    for style, line in lines.items():
        canvas.paint(i["hair"], torch.maximum(cap, line) * r, kind("style", style))


def eyes(canvas, i, a, kind, x, y, r):
    """Eyes with lids, brows and glasses. `blink` 0 open, 1 closed; `raise` and `frown` move the brows."""
    size = i["eye_size"]
    for side in (-1, 1):
        ex, ey = x - side * i["eye_gap"], y + 0.06
        white = ellipse(ex, ey, 0.2 * size, 0.155 * size)
        canvas.paint((0.97, 0.97, 0.97), white * r)
        canvas.paint(i["iris"], torch.maximum(white, ellipse(ex - 0.3 * a["dx"], ey, 0.105 * size, 0.105 * size)) * r)
        canvas.paint((0.05, 0.05, 0.06), torch.maximum(white, ellipse(ex - 0.3 * a["dx"], ey, 0.055 * size, 0.055 * size)) * r)
        edge = (-0.16 + 0.29 * a["blink"]) * size
        canvas.paint(i["skin"] * 0.92, torch.maximum(white - 0.02, ey - edge) * r)
        lash = torch.maximum((ellipse(ex, ey, 0.21 * size, 0.165 * size)), (ey - edge).abs() - 0.03)
        canvas.paint(i["hair"] * 0.3, lash * r)
        inner = -0.40 - 0.14 * a["raise"] + 0.13 * a["frown"]
        outer = -0.38 - 0.12 * a["raise"] - 0.05 * a["frown"]
        brow = capsule(ex * side, ey, -0.19, inner, 0.2, outer, i["brow"])
        canvas.paint(i["hair"] * 0.6, brow * r)
        rim = ellipse(ex, ey, 0.29, 0.27).abs() - 0.03
        canvas.paint(i["frame"], rim * r, kind("glasses", 1))
        rim = box(ex, ey, torch.tensor(0.3), torch.tensor(0.24), 0.08).abs() - 0.03
        canvas.paint(i["frame"], rim * r, kind("glasses", 2))
    bridge = torch.maximum((y + 0.1).abs() - 0.03, x.abs() - (i["eye_gap"] - 0.27))
    canvas.paint(i["frame"], bridge * r, (identity_flag(kind("glasses", 1) + kind("glasses", 2))))


def mouth(canvas, i, a, x, y, r):
    """`open` 0..1, `wide` -1 (round) .. 1 (spread), `teeth` 0..1, `smile` -1..1 bends the corners."""
    half = i["mouth"] * 0.36 * (1 + 0.24 * a["wide"] + 0.08 * a["smile"].clamp(min=0))
    tall = 0.018 + 0.27 * a["open"]
    bend = y + 0.17 * a["smile"] * ((x / half) ** 2 - 0.35)
    bend = torch.where(x.abs() > 1.6 * half, y + 0.17 * a["smile"] * 2.2, bend)
    canvas.paint(i["lip"], ellipse(x, bend, half + 0.06, tall + 0.055) * r)
    inside = ellipse(x, bend, half, tall)
    canvas.paint(MOUTH_INSIDE, inside * r)
    tongue = torch.maximum(inside + 0.02, ellipse(x, bend - tall, half * 0.6, tall * 0.55))
    canvas.paint((0.78, 0.32, 0.36), tongue * r, ((a["open"] - 0.35) * 4).clamp(0, 1).flatten())
    upper = torch.maximum(inside + 0.02, bend + tall - 0.075)
    canvas.paint((0.95, 0.95, 0.92), upper * r, (a["teeth"] * ((a["open"] - 0.08) * 8).clamp(0, 1)).flatten())
