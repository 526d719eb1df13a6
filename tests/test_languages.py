"""A script in each of the languages, from its sentences to its captions."""
# ruff: noqa: RUF001 - the letters and marks of many languages are meant as they stand

import re
import unicodedata
from itertools import pairwise

import pytest

from visionpulse import AudioService
from visionpulse.captions import LINE, cues, srt
from visionpulse.catalog import VOICES
from visionpulse.errors import LanguageError
from visionpulse.language import detect_language, language_name
from visionpulse.providers.openai import OpenAISpeech
from visionpulse.testing.fakes import FakeSpeech
from visionpulse.text import split_sentences, words_of
from visionpulse.timeline import lay_out
from visionpulse.writing import begins_character

# "|" where a careful reader would stop. Of each script there is enough to tell its language.
HARD = {
    "en": [
        "She paid $1,234.5 on Jan. 5.| It is 3.5 km from here.| It was -5 °C.",
        "See https://example.com/a.b?c=1.| Then write to me@example.com.| Good.",
        "**Note.**| The *sea* is deep.| [pause] It is **dark.**| Go.",
        "[Music swells. Fade out.] The sea is deep.| It is dark.",
        "“I see. I know,” he said.| “Why?” she asked.| “Stop!” they cried.",
        "It weighs approx. 50 kg.| See Fig. 2 and Vol. 3.| Then go up Mt. Fuji.",
        "Dr. Hay of the U.S. Navy met J. R. R. Tolkien at 5 p.m. on St. John's Day.| They ate.",
        "Node.js and ASP.NET are fast.| Version 2.0.1 is out.| He owns an iPhone.| iPhones ring.",
        "`a.b()` is code.| [The docs. All of them.](https://a.example/x.y) are good.",
        "Wait... what?!| No!| It's 5.| 6 is more.",
        "i write no capitals. so what? this is fine.".replace(". ", ".| ").replace("? ", "?| "),
        "- One thing. It is first.\n- Another thing.".replace(". It", ".| It").replace("\n", "|\n"),
        "> This is a quotation that goes over two lines of\n> the script and then it ends.| It is.",
        "He stopped.It was late.".replace(".It", ".|It"),
    ],
    "es": [
        "El precio es de 1.234,50 € y no de 3.5.| Es muy caro.",
        "—¡Hola! —gritó Juan.| —¿Qué quieres? —preguntó ella.",
        "La Sra. López y el Dr. Ruiz viven en la Av. Central, núm. 5.| Son felices.",
        "Vive en EE. UU. desde el s. XV a. C. y no ha muerto.| Los Uds. de hoy lo saben.",
        "Mide 3,5 km aprox. y pesa 20 kg.| Es la más grande.| Hace 20 °C.",
        "«¿Vienes?», preguntó.| «No».| Se fue para el mar.| Los peces no.",
        "Véase la pág. 5 y el art. 3.| Luego visita www.ejemplo.es.| Es todo.",
        "[música] El mar es hondo.| **Es oscuro.**| Es el fin.",
    ],
    "de": [
        "Das kostet 1.234,50 € und nicht 3.5.| Es ist zu teuer.",
        "Am 3. Oktober kam er.| Der 2. Weltkrieg endete erst 1945.| Im 20. Jahrhundert war es so.",
        "Das sind z. B. Hunde, d. h. Tiere.| Es sind ca. 50 km bzw. 30 mi.",
        "„Halt!“, rief er.| „Warum?“, fragte sie.| Er sagte: „Ich komme. Warte!“",
        "Prof. Dr. Müller wohnt in der Hauptstr. 5.| Er ist die Nr. 1 und sie nicht.",
        "Äpfel, Birnen usw. sind Obst.| Es ist eine Art.| Das war im 19. Jh. noch anders.",
        "Es ist 20 °C warm.| Siehe www.beispiel.de.| Das war es um 17.30 Uhr.",
        "[Pause] Das Meer ist tief.| **Es ist dunkel.**| Friedrich II. war der König.",
    ],
    "fr": [
        "Cela coûte 1 234,50 € et non 3.5.| C'est cher.",
        "« Non ! » dit-il.| « Pourquoi ? » demanda-t-elle.| « Je viens. Attends-moi. »",
        "— Tu viens ?| — Non, dit-il.| C'est tout.",
        "M. Dupont et Mme. Curie sont au n° 5, bd. Hugo.| Ils parlent.",
        "Il pèse env. 50 kg.| C'est lourd.| Il fait 20 °C.",
        "C'était au s. av. J.-C. et dans le chap. 3.| J.-C. est né.",
        "Des pommes, des poires, etc. sont là.| Voyez www.exemple.fr.| C'est de l'art.| Et voilà.",
        "[pause] La mer est profonde.| **Elle est noire.**| Elle est là.",
    ],
    "pt": [
        "Isto custa R$ 1.234,50 e não 3.5.| É muito caro.",
        "O Sr. Silva e a Sra. Costa vivem na Av. Central, n.º 5.| São felizes.",
        "— Você vem?| — Não — disse ele.| É isso.",
        "A Dra. Ana viu a pág. 5 e o séc. XV a.C. no mapa.| Foi longe.",
        "“Venha!”, disse ela.| “Não.”| Ele pesa aprox. 50 kg.| São 20 °C.",
        "[pausa] O mar é fundo.| **É escuro.**| Visite www.exemplo.pt.| É isso.",
    ],
    "ru": [
        "Цена 1 234,50 руб. за штуку.| Это дорого.",
        "В 1990 г. он уехал.| А. С. Пушкин жил на ул. Ленина, д. 5, кв. 3.| Она нет.",
        "— Ты идёшь?| — Нет, — сказал он.| «Стой!» — крикнул он.| Она встала.",
        "Это т. е. так, и т. д.| Хорошо.| До н. э. было так.",
        "См. стр. 5 и рис. 2.| Население 5 млн. человек.| Около 5 тыс. км.",
        "[пауза] Море глубокое.| **Оно тёмное.**| Сайт www.primer.ru.| Сегодня 20 °C.",
    ],
    "ar": [
        "السعر 1,234.5 دولار.| إنه غالٍ.",
        "هل تفهم؟| نعم!| لا.| العدد ٣٫٥ كم.",
        "د. أحمد هنا الساعة ٥:٣٠.| هو طبيب.",
        "[موسيقى] البحر عميق.| إنه مظلم.| الحرارة 20 °C.",
        "زر www.example.com.| شكرا لك.| «ماذا؟» سألت.",
    ],
    "hi": [
        "कीमत ₹1,234.50 है।| यह महँगा है।| क्या?| हाँ!",
        "डॉ. शर्मा आए।| श्री. राम यहाँ हैं।| यह 3.5 कि.मी. दूर है।",
        "“रुको!” उसने कहा।| वह रुकी।| तापमान 20 °C है।",
        "[संगीत] समुद्र गहरा है।| **वह अँधेरा है।**| www.example.com देखें।| धन्यवाद।",
    ],
    "zh": [
        "价格是1,234.5元。|很贵。|距离3.5公里。|温度是20℃。",
        "“停！”他说。|“为什么？”她问。|真的吗？！|《红楼梦》很长。",
        "[音乐]海很深。|（音乐响起）它很黑。|请看www.example.com。|谢谢。",
        "这是**重点。**|我读了。",
    ],
    "ja": [
        "価格は1,234.5円です。|高いです。|3.5キロです。|気温は20℃です。",
        "「止まれ！」と彼は言った。|彼は「行く。待って。」と言った。|本当！？|はい。",
        "［音楽］海は深い。|（笑）そうですね。|www.example.comを見て。|『本』を読んだ。",
    ],
    "th": [
        "ราคา 1,234.50 บาท อุณหภูมิ 20 °C วันนี้",
        "ดร. สมชายมาแล้ว พ.ศ. 2563 เกิดขึ้น ราคา 5 บ. ต่อชิ้น",
        "[ดนตรี] เขาพูดว่า “หยุด!” แล้วดู www.example.com นะครับ",
    ],
}
EACH = [(language, marked) for language, cases in HARD.items() for marked in cases]

FILMS = {
    "en": "The deep ocean covers 65% of Earth; it is 3.7 km deep on average. “Who lives there?” she"
    " asked. Nobody, or almost nobody (so they thought), until 1977.",
    "es": "El océano profundo cubre el 65 % de la Tierra; mide 3,7 km de media. «¿Quién vive allí?»,"  # noqa: E501
    " preguntó ella. Nadie, o casi nadie, hasta 1977.",
    "de": "Die Tiefsee bedeckt 65 % der Erde; im Durchschnitt ist sie 3,7 km tief. „Wer lebt dort?“,"  # noqa: E501
    " fragte sie. Niemand, dachte man bis 1977, denn es ist zu dunkel.",
    "fr": "L'océan profond couvre 65 % de la Terre ; il fait 3,7 km en moyenne. « Qui vit là ? »"
    " demanda-t-elle. Personne, ou presque, croyait-on jusqu'en 1977.",
    "pt": "O oceano profundo cobre 65% da Terra; tem 3,7 km em média. “Quem vive lá?”, perguntou"
    " ela. Ninguém, ou quase ninguém, até 1977.",
    "ru": "Глубокий океан покрывает 65 % Земли; в среднем его глубина 3,7 км. «Кто там живёт?» —"
    " спросила она. Никто, думали до 1977 г., потому что там темно.",
    "ar": "يغطي المحيط العميق 65% من الأرض؛ ويبلغ عمقه 3.7 كم في المتوسط. «من يعيش هناك؟» سألت. لا"
    " أحد، أو تقريبا لا أحد، حتى عام 1977.",
    "hi": "गहरा महासागर पृथ्वी के 65% हिस्से को ढकता है; यह औसतन 3.7 कि.मी. गहरा है। “वहाँ कौन रहता है?”"
    " उसने पूछा। कोई नहीं, ऐसा 1977 तक माना जाता था।",
    "zh": "深海覆盖了地球65%的面积，平均深度为3.7公里。“谁住在那里？”她问。直到1977年，人们都以为那里"  # noqa: E501
    "几乎没有生命，因为那里太黑、太冷。",
    "ja": "深海は地球の65%を覆い、平均の深さは3.7キロメートルです。「誰が住んでいるの？」と彼女は尋ねた。"  # noqa: E501
    "1977年まで、ほとんど何も住んでいないと考えられていました。",
    "th": "มหาสมุทรลึกปกคลุมพื้นที่ 65% ของโลก มีความลึกเฉลี่ย 3.7 กม. “ใครอยู่ที่นั่น?” เธอถาม"
    " แทบไม่มีใครเลย จนถึงปี 2520 เพราะที่นั่นมืดและหนาวมาก",
}


@pytest.mark.parametrize(("language", "marked"), EACH)
def test_sentences_end_where_a_reader_of_the_language_would_stop(language, marked):
    """Prices, abbreviations, addresses, marks, quotations and dialogue end none too early."""
    # So much of the language around it that it can be told.
    script = FILMS[language] + "\n\n" + marked.replace("|", "")

    found = [each.text for each in split_sentences(script)]

    parts = [part.strip() for part in marked.split("|")]
    assert found[-len(parts) :] == parts
    assert detect_language(script) == language


@pytest.mark.parametrize("language", FILMS)
def test_openais_voices_read_every_language(language):
    """No voice claims to be of one language, and none is refused."""
    model = OpenAISpeech(api_key="sk-test")

    AudioService(speech=model).check(FILMS[language], "nova", "v")

    assert all(not voice.languages for voice in VOICES.values())


@pytest.mark.parametrize("language", [each for each in FILMS if each != "en"])
def test_the_offline_voices_refuse_all_languages_but_english(language):
    """In words: which language it is, and what to do."""
    with pytest.raises(LanguageError, match=language_name(language)) as raised:
        AudioService("offline").check(FILMS[language], "nova", "v")

    assert "OPENAI_API_KEY" in str(raised.value.hint)


def test_the_offline_voices_read_english():
    """They say so too."""
    service = AudioService("offline")

    service.check(FILMS["en"], "nova", "v")

    assert {voice.languages for voice in service.speech.first.voices()} == {("en",)}


def width(text):
    """In Latin letters; 18 wide characters are as long as 42 of them."""
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me", "Cf")
        else 7 / 3
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )


@pytest.mark.parametrize("language", FILMS)
def test_captions_of_every_language_can_be_read(tmp_path, language):
    """To the character, in two lines that fit, long enough on screen, and no word is torn."""
    script = f"# {FILMS[language]}\n\n[♪]\n\n{FILMS[language]}"
    narration = AudioService(speech=FakeSpeech(), home=tmp_path).generate_narration(
        script, "nova", "v"
    )
    timeline = lay_out([narration.sentences], fps=30)
    starts = [heard.start for heard in timeline.sentences]

    shown = cues(list(zip(starts, narration.sentences, strict=True)), end=timeline.seconds)
    file = srt(shown)

    assert "".join("".join(cue.text for cue in shown).split()) == "".join(script.split())
    lines = [line for cue in shown for line in cue.text.split("\n")]
    assert all(cue.text.count("\n") <= 1 for cue in shown)
    assert all(width(line) <= LINE + 0.01 for line in lines)
    assert all(cue.end - cue.start >= 0.79 for cue in shown)
    # The fake says 25 characters a second, and what is not said is read besides.
    assert all(len(cue.text) / (cue.end - cue.start) < 30 for cue in shown)
    assert all(before.end <= after.start + 1e-6 for before, after in pairwise(shown))
    assert all(begins_character(line, 0) for line in lines)
    assert file.count(" --> ") == len(shown)
    if language not in ("zh", "ja", "th"):
        assert " ".join(lines).split() == script.split()
    # Numbers stay whole in any script.
    for number in re.findall(r"\d[\d.,]*\d", script):
        assert any(number in line for line in lines)
    for sentence in narration.sentences:
        assert [word.text for word in sentence.words] == [w for w, _, _ in words_of(sentence.text)]
