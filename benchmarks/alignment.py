"""Word times told from the sound against exact ones: benchmarks/alignment.py [--voices ...]

The offline voices know when each word is heard. Their times are taken away, told again from the
sound by each rung of the ladder, and the starts compared; all rungs hear the same sounds.
"""

from __future__ import annotations

import argparse
import io
import time
import wave
from functools import partial

import numpy as np

from visionpulse.alignment import Timed, identity, word_times
from visionpulse.models import SpeechRequest, Word
from visionpulse.providers.offline.narrator import Narrator
from visionpulse.text import words_of

SENTENCES = """
The lighthouse keeper climbed 199 steps every night, and he never once complained.
Have you ever wondered why the sky turns red at dusk?
In 1969, three astronauts left for the moon; two of them walked on it.
Rain.
Stop, look, and listen.
Dr. Elena Vasquez measured the glacier for twenty-seven years.
It costs $4.50 a cup, or about 12% more than last year.
"Wait," she whispered, "did you hear that?"
A violin is made of more than seventy pieces of wood.
The train to Ljubljana leaves at 7:45, from platform 3.
Honey found in old Egyptian tombs can still be eaten, although nobody is in a hurry to try it.
Why do cats purr?
They don't know, we don't know, and the cats won't tell us.
Mount Kilimanjaro rises 5,895 meters above the plains of Tanzania.
Nobody believed her at first.
But the numbers, which she had checked again and again, were right.
Bees dance: a figure of eight means food, and its angle points the way.
Yusuf bought apples, bread, olive oil, and a small brass bell.
At the bottom of the Mariana Trench, the pressure is over a thousand times that at the surface.
Could a machine ever feel the cold?
On the 3rd of May, the river broke its banks.
Great ideas often begin as small, foolish, half-forgotten questions.
Her grandmother's recipe - in pencil on the back of an envelope - asked for 250 grams of butter.
Silence fell over the harbor.
Marie Curie won two Nobel Prizes, in physics and in chemistry.
The octopus has three hearts, nine brains, and blue blood.
Look up!
By 2050, two out of three people will live in cities.
Slowly, very slowly, the old door opened.
The well-known baker from Kraków gets up at half past two, six days a week.
Every snowflake falls a little differently through the wind.
Is it worth $1,250,000?
Most of the gold on Earth sank to its core long before the first fish swam.
He ran.
In the middle of the desert there is a railway station where no train has stopped since 1987.
Photosynthesis turns sunlight, water and carbon dioxide into sugar.
The first email was sent in 1971, and nobody remembers what it said.
Mr. Okonkwo laughed, shook his head, and went back to his garden.
Without friction, you couldn't walk, write, or hold a spoon.
What if the map is wrong?
The orchestra tuned to 442 hertz, as it always did.
A blue whale's heart is about the size of a small car.
Rome wasn't built in a day; neither was its plumbing.
We packed the tent, two ropes, a stove, and far too much chocolate.
Some stars are so dense that a teaspoon of them would weigh a billion tons.
Turn left after the bridge, then right, then left again.
Thunder is simply the sound of air expanding faster than it can get out of the way.
Tomorrow will be colder, with snow above 800 meters.
If you listen closely you can hear the ice sing.
The library of Alexandria held perhaps 400,000 scrolls, and we have almost none of them.
Dinosaurs lived on every continent, including Antarctica.
No one had told the children that it was impossible.
Salt was once worth as much as gold, or so the traders of Timbuktu liked to say.
She counted to ten, took a deep breath, and jumped.
The human eye can tell apart about ten million colors.
On a clear night, far from any town, the Milky Way casts a shadow.
Nikhil's sister designs bridges in Rotterdam.
It's 20 degrees outside, but it feels like 30.
A good question is worth more than a quick answer.
The clock struck twelve, the lights went out, and someone began to sing.
Volcanoes built these islands, and the sea is patiently taking them apart.
One hundred and forty letters were found under the floor, each of them unopened.
Thank you for watching, and see you next week!
Before the invention of the telegraph, news could travel no faster than a horse.
""".strip().splitlines()

RATE = 24_000


def wav(samples):
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.clip(-32768, 32767).astype("<i2").tobytes())
    return stream.getvalue()


def plain(samples, _random):
    return samples, 0.0


def noisy(samples, random):
    """White noise 30 dB below the speech."""
    speech = np.sqrt(np.mean(samples**2))
    return samples + random.normal(0, speech * 10 ** (-30 / 20), len(samples)), 0.0


def silent_around(samples, random):
    """As vendors answer: up to 0.4 s of silence before, up to 0.8 s after."""
    before, after = (round(random.uniform(0, most) * RATE) for most in (0.4, 0.8))
    return np.pad(samples, (before, after)), before / RATE


def by_characters(text, sound, _language):
    """The simplest thing: every character takes the same time."""
    with wave.open(io.BytesIO(sound)) as file:
        seconds = file.getnframes() / file.getframerate()
    words = (
        Word(text=word, start=seconds * start / len(text), end=seconds * end / len(text))
        for word, start, end in words_of(text)
    )
    return Timed(tuple(words), "estimated")


RUNGS = {
    "aligned": word_times,
    "estimated": partial(word_times, listen=False),
    "by characters": by_characters,
}
SOUNDS = {"as spoken": plain, "noise at -30 dB": noisy, "silence around": silent_around}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--voices", nargs="+", default=["hazel", "alder"])
    voices = parser.parse_args().voices
    narrator = Narrator()
    spoken = [
        (text, voice, narrator.speak(SpeechRequest(text=text, voice=voice)))
        for voice in voices
        for text in SENTENCES
    ]
    print(f"{identity('en')}; {len(SENTENCES)} sentences, voices: {', '.join(voices)}")
    print(
        f"{'rung':14}{'sound':17}{'words':>6}{'median':>8}{'mean':>7}{'bias':>7}{'p90':>7}"
        f"{'<150 ms':>9}{'ends':>6}{'fell':>6}{'CPU ms/sentence':>17}"
    )
    for sound_name, change in SOUNDS.items():
        for rung, tell in RUNGS.items():
            starts, ends, cpu, fell = [], [], 0.0, 0
            for number, (text, _, speech) in enumerate(spoken):
                samples = np.frombuffer(speech.pcm, "<i2").astype(float)
                changed, later = change(samples, np.random.default_rng(number))
                sound = wav(changed)
                began = time.process_time()
                told = tell(text, sound, "en")
                cpu += time.process_time() - began
                fell += rung == "aligned" != told.method
                for word, truth in zip(told.words, speech.words, strict=True):
                    starts.append(word.start - later - truth.start)
                    ends.append(word.end - later - truth.end)
            off, off_end = np.abs(starts) * 1000, np.abs(ends) * 1000
            print(
                f"{rung:14}{sound_name:17}{len(off):6}{np.median(off):8.0f}{off.mean():7.0f}"
                f"{np.median(starts) * 1000:7.0f}{np.percentile(off, 90):7.0f}"
                f"{np.mean(off < 150):9.1%}{np.median(off_end):6.0f}{fell:6}"
                f"{cpu / len(spoken) * 1000:17.1f}"
            )


if __name__ == "__main__":
    main()
