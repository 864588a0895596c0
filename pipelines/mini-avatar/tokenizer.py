"""A Unigram tokenizer in the fast-tokenizer JSON form: whole words of the world's prompts, and letters for the rest.

    python tokenizer.py google/umt5-xxl
"""
import json
import math
import random
import string
import sys
from collections import Counter
from pathlib import Path

import prompts

MARK = "\u2581"
SPECIAL = ["<pad>", "</s>", "<s>", "<unk>"]
EXTRA = 8
LETTERS = string.ascii_letters + string.digits + string.punctuation + "äöüßéèêàçñáíóúâôãõåæøœïëÄÖÜÉ’–…«»¿¡€£°"
ENDINGS = ["ing", "ed", "er", "ly", "es", "s", "en", "ion", "al", "in", "an", "re", "th", "st", "ou", "ar", "or", "le", "un", "ch", "sh"]
DEFAULT_KINDS = {"skin": 5, "hair": 8, "style": 7, "clothes": 12, "background": 12, "iris": 4, "glasses": 3, "moustache": 2}


def corpus(count, seed):
    """Random prompts."""
    dice = random.Random(seed)
    for _ in range(count):
        kinds = {k: dice.randrange(n) for k, n in DEFAULT_KINDS.items()}
        yield prompts.write(kinds, prompts.draw_mood(dice), dice)


def pieces():
    """(piece, log probability) in order of id."""
    words = Counter()
    for text in corpus(20000, 11):
        words.update(w.strip(".,") for w in text.split())
    known = [w for w, n in words.items() if n >= 15]
    known += [w[:1].upper() + w[1:] for w in known] + [w.lower() for w in known]
    total = sum(words.values())
    vocab = {p: 0.0 for p in SPECIAL}
    vocab[MARK] = -6.0
    for word in sorted(set(known)):
        vocab[MARK + word] = math.log(max(words[word], words[word.lower()], 3) / total)
    for ending in ENDINGS:
        vocab[ending] = -9.0
        vocab[MARK + ending] = vocab.get(MARK + ending, -10.0)
    for letter in LETTERS:
        vocab.setdefault(letter, -6.0 if letter in ".," else -11.0)
    return list(vocab.items()) + [(f"<extra_id_{k}>", 0.0) for k in reversed(range(EXTRA))]


def write(folder):
    """tokenizer.json, tokenizer_config.json and special_tokens_map.json."""
    vocab = pieces()
    extra = [p for p, _ in vocab if p.startswith("<extra_id_")]
    ids = {p: k for k, (p, _) in enumerate(vocab)}
    added = [{"id": ids[p], "content": p, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
             for p in SPECIAL + extra]
    space = {"type": "Metaspace", "replacement": MARK, "prepend_scheme": "always", "split": True}
    end = {"SpecialToken": {"id": "</s>", "type_id": 0}}
    template = {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, end],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, end, {"Sequence": {"id": "B", "type_id": 0}}, end],
                "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}}
    normalizers = [{"type": "Strip", "strip_left": False, "strip_right": True}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": MARK}]
    document = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
                "normalizer": {"type": "Sequence", "normalizers": normalizers}, "pre_tokenizer": space, "post_processor": template, "decoder": space,
                "model": {"type": "Unigram", "unk_id": 3, "vocab": [list(v) for v in vocab], "byte_fallback": False}}
    tokens = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "additional_special_tokens": extra}
    folder.mkdir(parents=True, exist_ok=True)
    dump = lambda name, value: (folder / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
    dump("tokenizer.json", document)
    dump("special_tokens_map.json", tokens)
    dump("tokenizer_config.json", tokens | {"extra_ids": EXTRA, "tokenizer_class": "T5Tokenizer", "model_max_length": 512})


class Tokenizer:
    """Reads the JSON and encodes text that is already clean."""

    def __init__(self, folder):
        vocab = json.loads((Path(folder) / "tokenizer.json").read_text())["model"]["vocab"]
        self.scores = {p: s for p, s in vocab if not (p.startswith("<") and p.endswith(">") and len(p) > 2)}
        self.ids = {p: k for k, (p, _) in enumerate(vocab)}
        self.size = len(vocab)
        self.unknown = min(s for _, s in vocab) - 10
        self.longest = max(map(len, self.scores))
        self.cache = {}

    def word(self, word):
        """Viterbi over one word."""
        if word in self.cache:
            return self.cache[word]
        best = [(0.0, None)] + [(-math.inf, None)] * len(word)
        for start in range(len(word)):
            if best[start][0] == -math.inf:
                continue
            for end in range(start + 1, min(len(word), start + self.longest) + 1):
                score = self.scores.get(word[start:end], self.unknown if end == start + 1 else None)
                if score is not None and best[start][0] + score > best[end][0]:
                    best[end] = (best[start][0] + score, start)
        ids, end = [], len(word)
        while end:
            start = best[end][1]
            token = self.ids[word[start:end]] if word[start:end] in self.scores else 3
            if not (token == 3 and ids and ids[-1] == 3):
                ids.append(token)
            end = start
        self.cache[word] = ids[::-1]
        return self.cache[word]

    def encode(self, text):
        """Ids with </s>, at most 512."""
        ids = []
        for word in text.split():
            ids += self.word(MARK + word)
        return ids[:511] + [1]


if __name__ == "__main__":
    write(Path(sys.argv[1]))
