"""Prompts in plain words for drawn heads, and the mood that only the prompt decides.

The reference leaves open: the smile (-1..1), the brows (raised or frowning) and the liveliness of the head.
"""

import world

LIVELY_DEFAULT = 0.6
MOOD_ALONE = 0.25
SMILES = {
    1.0: ["smiling", "happy", "cheerful", "joyful", "with a smile", "with a big smile", "with a broad smile", "looking happy", "in a good mood", "grinning", "delighted"],
    0.5: ["smiling slightly", "with a slight smile", "with a faint smile", "friendly", "content", "smiling gently"],
    -1.0: ["sad", "unhappy", "looking sad", "with a sad mouth", "gloomy", "disappointed", "in a bad mood", "miserable"],
    0.0: ["neutral", "with a neutral face", "serious", "with a serious face", "without a smile", "not smiling"],
}
BROWS = {
    "raise": ["surprised", "with raised brows", "with raised eyebrows", "astonished", "looking surprised", "curious", "with brows raised"],
    "frown": ["angry", "frowning", "with lowered brows", "looking angry", "furious", "annoyed", "with a frown", "stern", "grim"],
    "": ["relaxed", "with relaxed brows", "at ease"],
}
LIVELY = {
    1.25: ["lively", "energetic", "excited", "moving the head a lot", "nodding", "animated", "with a lively head", "restless", "moving lively", "full of energy"],
    0.15: ["calm", "still", "holding the head still", "quiet", "motionless", "hardly moving", "keeping still", "with a still head", "barely moving"],
}
MEANING = ([("smile", words, value) for value, words in SMILES.items()] + [("brows", words, value) for value, words in BROWS.items()]
           + [("lively", words, value) for value, words in LIVELY.items()])
HEADS = ["person", "man", "woman", "face", "head", "cartoon head", "cartoon person", "figure", "character", "young man", "young woman", "speaker", "avatar",
         "drawn head", "girl", "boy", "talking head", "cartoon", "lady", "guy", "portrait of a person"]
SPEAKING = ["talking", "speaking", "is talking", "is speaking", "talks to the camera", "speaks to the viewer", "says something", "tells a story",
            "talking to the camera", "giving a speech", "reads the news"]
STYLE_WORDS = {"short": ["short hair"], "long": ["long hair"], "curly": ["curly hair", "curls"], "fringe": ["a fringe", "straight hair"],
               "bun": ["a bun", "hair in a bun"], "parted": ["parted hair", "side parted hair"]}
FILLERS = ["high quality", "in a simple style", "flat colours", "a short video", "cinematic", "close up", "front view", "a clean drawing", "in the studio",
           "sharp", "4k", "looking at the camera", "on screen", "with good light", "cartoon style", "an animation", "vector art", "best quality"]
SYLLABLES = ["ba", "ko", "ri", "ten", "lu", "mo", "sha", "vel", "an", "er", "is", "qui", "ox", "zu", "dy", "pa", "ing"]


def draw_mood(dice):
    """(smile, brows, lively); None where the prompt says nothing."""
    smile = dice.choices([None, 1.0, 0.5, -1.0, 0.0], [25, 28, 10, 25, 12])[0]
    brows = dice.choices([None, "raise", "frown", ""], [38, 26, 26, 10])[0]
    lively = dice.choices([None, 1.25, 0.15], [34, 33, 33])[0]
    return smile, brows, lively


def mood_values(mood):
    """The numbers that the world uses."""
    smile, brows, lively = mood
    return {"smile": smile or 0.0, "raise": float(brows == "raise"), "frown": float(brows == "frown"),
            "lively": LIVELY_DEFAULT if lively is None else lively}


def looks(kinds, dice):
    """A random subset of what is seen, as phrases."""
    name = lambda table, field: list(table)[kinds[field]]
    style, hair = world.STYLES[kinds["style"]], name(world.HAIRS, "hair")
    phrases = []
    if style == "bald":
        phrases.append(dice.choice(["bald", "without hair", "with a bald head"]))
    else:
        words = dice.choice(STYLE_WORDS[style] + ["hair"])
        article = "" if words[:2] == "a " else ""
        phrases.append(dice.choice([f"with {hair} hair", f"with {article}{words}", f"{hair} haired"]))
    if kinds["glasses"]:
        phrases.append(dice.choice(["with glasses", "wearing glasses", f"with {world.GLASSES[kinds['glasses']]} glasses"]))
    if kinds["moustache"]:
        phrases.append("with a moustache")
    shirt = dice.choice(["shirt", "sweater", "top", "clothes", "jacket", "pullover"])
    phrases.append(f"{dice.choice(['in a', 'wearing a', 'with a'])} {name(world.COLOURS, 'clothes')} {shirt}".replace(" a " if shirt == "clothes" else "\0", " "))
    phrases.append(f"{dice.choice(['in front of a', 'before a', 'on a', 'against a'])} {name(world.COLOURS, 'background')} {dice.choice(['background', 'wall', 'backdrop'])}")
    phrases.append(f"with {name(world.SKINS, 'skin')} skin")
    phrases.append(f"with {name(world.IRISES, 'iris')} eyes")
    return dice.sample(phrases, dice.randint(0, min(4, len(phrases))))


def noise_word(dice):
    """An invented word, so that unknown words are met in training."""
    return "".join(dice.choice(SYLLABLES) for _ in range(dice.randint(1, 3)))


def mood_alone(moods, head, dice):
    """A prompt that says only the mood, "smiling" or "a sad person": what people type."""
    words = dice.choice([", ", " and ", " "]).join(moods)
    text = dice.choice([words, words, f"a {head} {words}", f"a {head}, {words}", f"{words} {head}", f"a {words} {head}"])
    return (text[:1].upper() + text[1:] if dice.random() < 0.3 else text) + dice.choice(["", "", "."])


def write(kinds, mood, dice):
    """One prompt for an identity (integers by field) and a mood."""
    smile, brows, lively = mood
    moods = [dice.choice(table[key]) for table, key in ((SMILES, smile), (BROWS, brows), (LIVELY, lively)) if key is not None]
    dice.shuffle(moods)
    head = dice.choice(HEADS)
    before = [m for m in moods if not m.startswith(("with", "in ", "looking", "moving", "holding", "hardly", "keeping", "barely", "full", "at", "not")) and dice.random() < 0.5]
    after = [m for m in moods if m not in before] + looks(kinds, dice)
    dice.shuffle(after)
    if dice.random() < 0.3:
        after.insert(dice.randint(0, len(after)), dice.choice(FILLERS))
    if dice.random() < 0.15:
        after.insert(dice.randint(0, len(after)), noise_word(dice) + " " + noise_word(dice))
    if moods and dice.random() < MOOD_ALONE:
        return mood_alone(moods, head, dice)
    article = dice.choice(["a", "the", "a", "one", ""])
    subject = " ".join([article, dice.choice([", ", " and ", " "]).join(before), head]).strip()
    spoken = dice.choice(SPEAKING + [""] * 8)
    parts = [subject] + ([spoken] if spoken else []) + after
    if dice.random() < 0.15:
        parts = after + [subject]
    text = " ".join(dice.choice([", ", ", ", " ", " and "]).join(parts).replace("  ", " ").split())
    text = text[:1].upper() + text[1:] if dice.random() < 0.5 else text
    return text + dice.choice(["", "", ".", "."])
