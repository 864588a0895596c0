"""A corpus of synthetic speech: espeak-ng in several voices and languages, 16 kHz mono, 8-bit mu-law.

    python speech.py corpus.npz --minutes 26 --seed 1
    python speech.py heldout.npz --minutes 3 --seed 2 --held-out
"""
import argparse
import io
import random
import subprocess
import wave

import numpy as np

RATE = 16000
SENTENCES = {
    "en": ["the river runs slowly past the old stone mill", "please put the yellow cups on the wide table", "we talked about music, bread and the weather",
           "seven brave sailors followed the northern star", "I think she saw three bees near the tree", "who moved my blue shoes to the moon room",
           "a quick walk after lunch makes the afternoon short", "open the window, it is far too hot in here", "thank you for calling, how can I help you today",
           "one, two, three, four, five, six, seven, eight", "my father bought a large farm in the valley", "the ship sails at six, so be sure to be there",
           "nobody knows why the clock stopped at noon", "we could go home now, or wait for the show"],
    "de": ["der alte Mann sitzt am Fenster und liest die Zeitung", "heute scheint die Sonne über den grünen Wiesen", "können Sie mir bitte sagen, wie spät es ist",
           "wir fahren im Sommer gern ans blaue Meer", "das ist ein sehr schönes Haus mit großem Garten"],
    "fr": ["le petit chat dort sous la grande table rouge", "nous irons demain au marché acheter du pain", "il fait beau, les oiseaux chantent dans le jardin",
           "où avez vous mis les clés de la voiture"],
    "es": ["la niña come una manzana roja en la cocina", "mañana vamos a caminar por la playa muy temprano", "me gusta mucho la música de este lugar",
           "cuánto cuesta este sombrero azul"],
    "it": ["il sole splende sopra le montagne bianche", "vorrei un caffè e un bicchiere d'acqua per favore", "domani andiamo tutti insieme al mare"],
    "pt": ["o menino corre pela rua com o cachorro", "amanhã vou comprar flores para minha mãe"],
    "nl": ["de kinderen spelen buiten in de grote tuin", "wil je nog een kopje thee met melk"],
    "pl": ["dzisiaj jest piękna pogoda, idziemy na spacer", "proszę o szklankę wody i kawałek chleba"],
    "ru": ["сегодня хорошая погода, мы идём гулять в парк", "скажите пожалуйста, который сейчас час"],
    "tr": ["bugün hava çok güzel, parka gidelim mi", "bir bardak çay içmek istiyorum"],
    "fi": ["tänään on kaunis ilma ja aurinko paistaa", "haluaisin kupin kahvia ja palan kakkua"],
    "hi": ["आज मौसम बहुत अच्छा है", "मुझे एक गिलास पानी चाहिए"],
}
HELD_OUT = {
    "en-us": ["nine green apples rolled across the kitchen floor", "could you show me where the museum is", "the captain waved as the balloon rose over the hills"],
    "en-gb-scotland": ["a warm fire and a good story make a fine evening", "they sang all morning while painting the boat"],
    "sv": ["solen går ner bakom bergen i kväll", "vi åker tåg till staden för att köpa böcker"],
    "ro": ["astăzi mergem la munte cu toți prietenii noștri", "unde este cea mai apropiată gară"],
    "el": ["σήμερα ο ήλιος λάμπει πάνω από τη θάλασσα"],
}
VARIANTS = ["", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m7", "+f1", "+f2", "+f3", "+f4"]
HELD_OUT_VARIANTS = ["+m8", "+f5", "+Andy", "+Annie"]


def speak(text, voice, speed, pitch):
    """float32 samples at 16 kHz."""
    out = subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", text], capture_output=True, check=True).stdout
    with wave.open(io.BytesIO(out)) as file:
        rate, raw = file.getframerate(), file.readframes(10 ** 9)
    samples = np.frombuffer(raw, "<i2").astype(np.float32) / 32768
    return resample(samples, rate)


def resample(samples, rate):
    """Band-limited change of rate by a windowed sinc, any rate to 16 kHz."""
    count = int(np.ceil(len(samples) * RATE / rate))
    spectrum = np.fft.rfft(np.pad(samples, (0, rate)))
    seconds = (len(samples) + rate) / rate
    length = int(round(seconds * RATE))
    keep = min(len(spectrum), length // 2 + 1)
    return (np.fft.irfft(spectrum[:keep], length)[:count] * (length / (len(samples) + rate))).astype(np.float32)


def mu_law(x):
    """float in [-1, 1] to uint8."""
    y = np.sign(x) * np.log1p(255 * np.abs(np.clip(x, -1, 1))) / np.log(256)
    return np.round((y + 1) * 127.5).astype(np.uint8)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("output")
    parser.add_argument("--minutes", type=float, default=26)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held-out", action="store_true")
    options = parser.parse_args()
    dice = random.Random(options.seed)
    sentences, variants = (HELD_OUT, HELD_OUT_VARIANTS) if options.held_out else (SENTENCES, VARIANTS)
    languages = list(sentences) + ([] if options.held_out else ["en"] * 4)
    pieces, starts, total = [], [], 0
    while total < options.minutes * 60 * RATE:
        language, variant, speed, pitch = dice.choice(languages), dice.choice(variants), dice.randint(120, 210), dice.randint(20, 80)
        starts.append(total)
        for text in dice.sample(sentences[language], min(dice.randint(1, 3), len(sentences[language]))):
            x = speak(text, language + variant, speed, pitch)
            x *= dice.uniform(0.3, 0.7) / max(np.abs(x).max(), 1e-3)
            pause = np.zeros(int(RATE * dice.choice((0.05, 0.2, 0.4, 0.9))), np.float32)
            pieces += [x, pause]
            total += len(x) + len(pause)
    np.savez_compressed(options.output, mu_law=mu_law(np.concatenate(pieces)), starts=np.array(starts))
    print(f"{options.output}: {total / RATE / 60:.1f} minutes, {len(starts)} speakers")


if __name__ == "__main__":
    main()
