# ruff: noqa: RUF001 - the letters of many scripts are meant as they stand
"""A contact sheet of captions, to be looked at: scripts, shapes and karaoke over photographs.

    python benchmarks/captions.py [FOLDER]

It goes the way a film goes: sentences, captions, subtitles, overlays, blended into YUV planes.
"""

import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from PIL import Image

from visionpulse.captions import cues
from visionpulse.fonts import typefaces
from visionpulse.models import SpokenSentence
from visionpulse.protocols import Move, Piece
from visionpulse.renderers.lettering import overlays
from visionpulse.renderers.process import Job
from visionpulse.subtitles import cut, fonts_in, line_length, subtitles

FPS = 30
SCRIPTS = {
    "en": "“Quiet,” she said — the reef’s 1,200 species fell silent; nobody knew {why} or \\how.",
    "ru": "Глубоко под водой солнечный свет исчезает, и наступает бесконечная синева.",
    "el": "Κάτω από τα διακόσια μέτρα το φως του ήλιου σβήνει σε ένα ατελείωτο γαλάζιο.",
    "ar": "أعلنت NASA عن اكتشاف (محيط عميق) في عام 2026، وهو أكبر بثلاث مرات من المتوقع!",
    "he": "מתחת למאתיים מטר אור השמש דועך, ו-BBC קוראת לזה “הכחול (האינסופי)”.",
    "hi": "दो सौ मीटर के नीचे सूर्य का प्रकाश अंतहीन नीले रंग में विलीन हो जाता है।",
    "th": "ใต้ความลึกสองร้อยเมตร แสงแดดค่อย ๆ จางหายไปในสีน้ำเงินที่ไม่มีที่สิ้นสุด",
    "zh": "在水深两百米以下，阳光消失在无尽的蓝色之中——“静”是什么？",
    "ja": "水深二百メートルを超えると、太陽の光は終わりのない青へと消えていきます。",
    "ko": "수심 이백 미터 아래에서는 햇빛이 끝없는 푸른빛 속으로 사라집니다.",
    "emoji": "Divers 👩‍👩‍👧 from 🇩🇪 and 🇯🇵 loved it ❤️ 👍🏽: rated 9️⃣ of 🔟 stars ★★★!",
    "bn": "দুইশো মিটার নিচে সূর্যের আলো অন্তহীন নীলে মিলিয়ে যায়।",
    "ta": "இருநூறு மீட்டருக்குக் கீழே சூரிய ஒளி முடிவற்ற நீலத்தில் மறைகிறது.",
    "km": "នៅក្រោមជម្រៅពីររយម៉ែត្រ ពន្លឺព្រះអាទិត្យបាត់ទៅក្នុងពណ៌ខៀវគ្មានទីបញ្ចប់។",
    "my": "မီတာနှစ်ရာအောက်တွင် နေရောင်ခြည်သည် အဆုံးမဲ့ အပြာရောင်ထဲသို့ ပျောက်ကွယ်သွားသည်။",
    "ka": "ორასი მეტრის ქვემოთ მზის შუქი უსასრულო სილურჯეში ქრება.",
    "am": "ከሁለት መቶ ሜትር በታች የፀሐይ ብርሃን ወደ ማያልቅ ሰማያዊ ይጠፋል።",
}
PHOTOGRAPHS = ["coffee", "rocket", "astronaut", "chelsea"]
# BT.709, limited range, as in the film.
KR, KB = 0.2126, 0.0722


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, width, height, scale, columns in [
        ("1080p", 1920, 1080, 0.4, 3),
        ("portrait", 1080, 1920, 0.4, 6),
        ("square", 1080, 1080, 0.5, 4),
        ("tiny", 256, 144, 2, 4),
    ]:
        shots = [states_of(text, language, width, height)[0] for language, text in SCRIPTS.items()]
        save(folder / f"captions-{name}.png", sheet(shots, scale, columns))
    crops = []
    for language in ("en", "ar", "ja"):
        shots = states_of(SCRIPTS[language], language, 1920, 1080, karaoke=True)
        crops += [shot[840:1060, 260:1660] for shot in shots[:10]]
    save(folder / "captions-karaoke.png", sheet(crops, 0.5, 2))


def states_of(text, language, width, height, *, karaoke=False):
    """Return the film's frame for every state of its captions."""
    spoken = SpokenSentence(
        text=text, start=0, end=len(text), key="", samples=len(text) * 1600, sample_rate=24_000
    )
    captions = cues([(0.0, spoken)], line=line_length(width, height))
    faces = typefaces(language, text)
    written = subtitles(captions, faces, width=width, height=height, fps=FPS, karaoke=karaoke)
    frames = written[-1].end
    piece = Piece(
        width,
        height,
        FPS,
        frames,
        Move(Path(), "", "none", frames),
        0,
        subtitles=cut(written, 0, frames),
        fonts=fonts_in(written, faces),
    )
    picture = photograph(PHOTOGRAPHS[len(text) % len(PHOTOGRAPHS)], width, height)
    return [blended(picture, overlay) for overlay in overlays(Job(), piece)]


def blended(planes, overlay):
    """Return a picture's planes with an overlay, as RGB."""
    mixed = [plane.copy() for plane in planes]
    for number, plane in enumerate(mixed):
        shift = 1 if number else 0
        top, left = overlay.top >> shift, overlay.left >> shift
        height, width = overlay.planes[number].shape
        box = plane[top : top + height, left : left + width]
        box[:] = np.rint(box * (overlay.keeps[number] / 255.0) + overlay.planes[number])
    y, u, v = mixed
    size = y.shape[1::-1]
    luma = (y.astype(np.float32) - 16) / 219
    blue, red = ((cv2.resize(c, size).astype(np.float32) - 128) / 224 for c in (u, v))
    r, b = luma + 2 * (1 - KR) * red, luma + 2 * (1 - KB) * blue
    g = (luma - KR * r - KB * b) / (1 - KR - KB)
    return np.stack([r, g, b], 2).clip(0, 1)


def photograph(name, width, height):
    """Return a photograph's Y, U and V."""
    picture = getattr(skimage.data, name)()
    scale = max(width / picture.shape[1], height / picture.shape[0])
    picture = cv2.resize(picture, None, fx=scale * 1.001, fy=scale * 1.001)[:height, :width]
    r, g, b = np.moveaxis(picture.astype(np.float32) / 255, 2, 0)
    y = KR * r + (1 - KR - KB) * g + KB * b
    chroma = [(b - y) / (2 - 2 * KB), (r - y) / (2 - 2 * KR)]
    small = [cv2.resize(c, (width // 2, height // 2), interpolation=cv2.INTER_AREA) for c in chroma]
    full = [16 + 219 * y, *(128 + 224 * c for c in small)]
    return [np.rint(plane).clip(0, 255).astype(np.uint8) for plane in full]


def sheet(shots, scale, columns):
    """Return the pictures in a table."""
    resize = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    small = [cv2.resize(s, None, fx=scale, fy=scale, interpolation=resize) for s in shots]
    small += [np.zeros_like(small[0])] * (-len(small) % columns)
    rows = [np.hstack(small[n : n + columns]) for n in range(0, len(small), columns)]
    return np.vstack(rows)


def save(file, picture):
    Image.fromarray(np.rint(picture * 255).astype(np.uint8)).save(file)
    print(f"wrote {file}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="captions-")))
