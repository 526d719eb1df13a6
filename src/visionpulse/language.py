"""Which language a text is in, told by its writing system and its commonest words."""
# ruff: noqa: RUF001 - the letters of many languages are meant as they stand

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from unicodedata import category

#: Letters of each writing system, as a character class, and the language it stands for.
_WRITING: dict[str, tuple[str, str]] = {
    "Latin": (r"A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff", "en"),
    "Han": (r"\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff", "zh"),
    "Kana": (r"\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9f", "ja"),
    "Hangul": (r"\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3", "ko"),
    "Cyrillic": (r"\u0400-\u052f", "ru"),
    "Greek": (r"\u0370-\u03ff\u1f00-\u1fff", "el"),
    "Arabic": (
        r"\u0620-\u064a\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc",
        "ar",
    ),
    "Hebrew": (r"\u05d0-\u05ea", "he"),
    "Devanagari": (r"\u0904-\u0939\u0958-\u0961\u0972-\u097f", "hi"),
    "Bengali": (r"\u0985-\u09b9\u09dc-\u09e1", "bn"),
    "Gurmukhi": (r"\u0a05-\u0a39\u0a59-\u0a5e", "pa"),
    "Gujarati": (r"\u0a85-\u0ab9", "gu"),
    "Tamil": (r"\u0b85-\u0bb9", "ta"),
    "Telugu": (r"\u0c05-\u0c39", "te"),
    "Kannada": (r"\u0c85-\u0cb9", "kn"),
    "Malayalam": (r"\u0d05-\u0d3a", "ml"),
    "Thai": (r"\u0e01-\u0e46", "th"),
    "Lao": (r"\u0e81-\u0ec6", "lo"),
    "Burmese": (r"\u1000-\u103f", "my"),
    "Khmer": (r"\u1780-\u17b3", "km"),
    "Georgian": (r"\u10a0-\u10ff", "ka"),
    "Armenian": (r"\u0531-\u0587", "hy"),
    "Ethiopic": (r"\u1200-\u137f", "am"),
}
_LETTERS = {name: re.compile(f"[{letters}]") for name, (letters, _) in _WRITING.items()}

#: Letters that tell a language from the one its writing system stands for.
_TELLTALES = {
    "ru": (("uk", re.compile("[іїєґІЇЄҐ]"), re.compile("[ыэъёЫЭЪЁ]")),),
    "ar": (
        ("ur", re.compile("[ٹڈڑںے]"), None),
        ("fa", re.compile("[پچژگ]"), None),
    ),
}

#: One of these says as much as a word of a language in Latin letters.
_LATIN_SIGNS = {
    "es": re.compile("[¿¡ñ]"),
    "de": re.compile("[ß„]"),
    "fr": re.compile(r"œ|\b[cdjlmnst]['’](?=[aeiouhéèêà])|\bqu['’]", re.IGNORECASE),
    "pt": re.compile("[ãõ]"),
    "it": re.compile(r"\b(?:l|un|dell|nell|all|sull)['’](?=[aeiouh])", re.IGNORECASE),
    "pl": re.compile("[ąęłśżźć]"),
    "tr": re.compile("[ğışİ]"),
}

_STOP_WORDS = {
    "en": """a about above across after again against all almost along already also although
        always am among an and another any anyone anything are around as at away back be became
        because become been before behind being below between both but by called came can cannot
        come could day did do does doing done down during each either else enough etc even ever
        every everyone everything few find first for from front further gave get give go goes
        going gone good got great had has have having he her here hers him his how however i if
        in inside into is it its itself just keep know known last least less let like long look
        looks made make makes making many may me mean might mine more most much must my near
        need never new next no nobody none nor not nothing now of off often on once one only
        onto or other others our out over own part per perhaps put quite rather really right
        said same say says see seem seen several she should show since so some someone something
        soon still such take taken than that the their them then there these they thing things
        think this those though three through time to together too toward two under until up
        upon us use used very via want was way we well went were what when where which while who
        whole whose why will with within without would year years yet you your yours little
        large hundred thousand million zero week don't isn't it's that's there's doesn't can't
        won't i'm you're we're they're didn't wasn't let's""",
    "es": """a al algo ante antes aquí así aunque bajo bien cada casi como con cuando cómo de
        del desde donde dos e el ella ellas ellos en entre era eran es esa ese eso esta estaba
        estamos estas este esto estos está están estás fue fueron gracias ha hace hacia han
        hasta hay hola la las le les lo los me mi mientras muy más mucho nada ni no nos nosotros
        nunca o otra otro para pero poco por porque puede pueden que quien qué se sea ser si sin
        sino sobre solo son su sus sí también tan te tiene tienen toda todas todo todos tu un
        una uno unos usted ya yo él""",
    "de": """aber alle allem allen aller alles als also am an auch auf aus bei beim bin bis bist
        da damit dann das dass dein dem den denn der des dich die dies diese dieser dieses doch
        dort du durch ein eine einem einen einer eines er es euch für ganz gegen geht gut habe
        haben hat hatte hatten hier ich ihm ihn ihnen ihr ihre im in ist ja jede jeder jedes
        jetzt kann kein keine können man mehr mein mich mir mit muss müssen nach nicht nichts
        noch nun nur ob oder ohne schon sehr sein seine sich sie sind so um und uns unter viel
        vom von vor war waren was weil wenn wer werden wie wieder wir wird wo wurde wurden zu
        zum zur zwischen über""",
    "fr": """à afin ainsi alors après au aucun aussi autre aux avait avant avec avez avoir bien
        bonjour car ce cela celle celui ces cet cette ceux chaque chez comme comment dans de
        depuis des deux donc du elle elles en encore entre est et étaient était été être eux
        fait font il ils je jusque la le les leur leurs lui là ma mais me même mes moi moins mon
        ne ni non nos notre nous on ont ou où par parce pas pendant peu peut peuvent plus pour
        pourquoi qu quand que quel quelle qui sa sans se ses si son sont sous sur ta te tous
        tout toute toutes tres très tu un une vers voici voilà vos votre vous y c'est d'un d'une
        il""",
    "pt": """a ainda ao aos aquele as assim até bem cada com como da das de dela dele depois do
        dos e ela elas ele eles em entre era eram essa esse esta estamos estava este está estão
        eu foi foram há isso isto já lhe mais mas me mesmo meu minha muito muitos na nas nem no
        nos nosso não nós nunca o obrigado olá os ou para pela pelas pelo pelos pode podem por
        porque qual quando que quem se sem ser seu seus sob sobre sua suas são só também tem
        todo todos tudo um uma umas uns você vocês à às é""",
    "it": """a agli ai al alla alle allo anche ancora avere bene buongiorno che chi ci ciao come
        con così cui da dai dal dalla dalle degli dei del della delle dello di dopo dove due e
        ed era erano essere fa fino fra gli ha hanno ho i il in io la le lei li lo loro lui ma
        me mentre mi mio molto ne negli nei nel nella nelle no noi non nostro o ogni per perché
        più poi prima può qualche quando quasi quella quello questa queste questi questo qui se
        sei senza si sia solo sono sotto stato su sua sul sulla suo suoi tra tu tutta tutte
        tutti tutto un una uno voi è c'è""",
    "nl": """aan al alle als altijd ben bij daar dan dat de der deze die dit doen door dus een
        en er geen goed haar had heb hebben heeft hem het hier hij hoe hun ik in is ja jaar je
        jij kan kunnen maar meer men met mijn moet naar niet niets nog nu of om omdat onder ons
        ook op over te tegen toch toen tot uit van veel veld voor waar waren wat we wel werd wie
        wij wordt worden zal ze zeer zich zij zijn zo zonder zou""",
    "sv": """alla allt att av blev bli där de dem den denna det detta dig din du då efter ej
        eller en ett från för ha hade han har henne hennes hon honom hur här i inte jag kan
        kommer man med men mig min mot mycket ni nu när någon något några och om oss på sedan
        sig sin som så till under upp ut utan vad var vara vi vid är över""",
    "pl": """ale bardzo bez bo być był była było były co czy dla do gdy gdzie go i ich im jak
        jako jednak jego jej jest jeszcze już ja każdy kiedy kto która które który lub ma mi
        mnie może można my na nad nie nic o od on ona oni po pod przed przez przy się są tak
        także tam te tego tej ten to tu tylko tym ty w we więc wszystko z za ze że""",
    "tr": """ama ancak bana bazı ben bir bu bunu bütün çok çünkü da daha de değil diye en gibi
        hem hep her hiç için ile ise kadar ki kim mi mu mı nasıl ne neden o olan olarak oldu
        olduğu onu onlar sen siz sonra şey şu tüm var ve veya ya yok""",
    "ru": """а без более больше бы был была были было быть в вам вас весь во вот все всего всё
        вы где да даже для до его ее если есть ещё её же за здесь и из или им их к как когда
        который которые которая кто ли между меня мне много может можно мы на над не него нет ни
        но ну о об один она они оно от очень по под после потому при про с сам свой себя со так
        также там тем то того тоже только том ты у уже чем что чтобы эта эти это этого этот я
        является""",
    "hi": """अगर अपना अपनी अपने आप इस इसके इसे उनके उस उसके उसे एक एवं और कर करता करते करना का
        कि किया की कुछ के को कोई क्या गया गई गए जब जाता जाती जाते जो तक तब तो था थी थे दिया
        द्वारा न नहीं ने पर बहुत भी मगर में यदि यह यहाँ या ये रहा रही रहे लिए लेकिन वह वहाँ वाला
        वाली वाले वे सकता सकते सब सबसे साथ से हम ही हुआ हुई हुए है हैं हो होता होती होते हूँ""",
}


_ADDRESS = re.compile(r"(?:https?://|www\.)[!-~]+|[\w.+-]++@[\w.-]+", re.ASCII)


@cache
def _word() -> re.Pattern[str]:
    # `\w` leaves out combining marks, and with them every vowel sign of the Indian scripts.
    marks = "".join(chr(code) for code in range(0x300, 0xFFFF) if category(chr(code))[0] == "M")
    letter = rf"(?:[^\W_]|[{marks}\u200c\u200d])"
    return re.compile(rf"[^\W_]{letter}*(?:['’-]{letter}+)*")


def plain_words(text: str) -> list[str]:
    """Return the words without the punctuation around them, in order."""
    return _word().findall(text)


@cache
def stop_words(language: str) -> frozenset[str]:
    """Return the words that carry no picture, lower case; empty for a language without a list."""
    return frozenset(_STOP_WORDS.get(language, "").split())


def scripts_of(text: str) -> dict[str, int]:
    """Count the letters of each writing system (`Latin`, `Han`, `Kana` ...), commonest first."""
    counts = Counter({name: len(letters.findall(text)) for name, letters in _LETTERS.items()})
    return {name: count for name, count in counts.most_common() if count}


_NAMES = {
    "ar": "Arabic",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fa": "Persian",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "zh": "Chinese",
}


def language_name(tag: str) -> str:
    """Return the English name of a language, or what to call one without."""
    return _NAMES.get(tag, f"the language {tag!r}")


def detect_language(text: str) -> str:
    """Return the BCP 47 primary tag of the language most of the text is in.

    The writing system decides; among languages in Latin letters (English, Spanish, German, French,
    Portuguese, Italian, Dutch, Swedish, Polish, Turkish) their commonest words do. English is the
    answer whenever there is too little to tell, such as a single foreign name.
    """
    # Addresses are in no language.
    sample = _ADDRESS.sub(" ", text[:20_000])
    letters = scripts_of(sample)
    if not letters:
        return "en"
    # A Han character says about as much as a short word: a brand name among them is no English.
    for name in letters.keys() & {"Han", "Kana", "Hangul"}:
        letters[name] *= 3
    system = max(letters, key=lambda name: letters[name])
    # Chinese has no kana; Japanese is half Han.
    if system == "Han" and letters.get("Kana", 0) * 20 > letters["Han"]:
        system = "Kana"
    if system == "Latin":
        return _latin_language(sample)
    language = _WRITING[system][1]
    for other, sign, contrary in _TELLTALES.get(language, ()):
        if sign.search(sample) and not (contrary and contrary.search(sample)):
            return other
    return language


def _latin_language(text: str) -> str:
    words = [word.replace("’", "'").lower() for word in plain_words(text)]
    counts = Counter(words)
    scores = {
        language: sum(count for word, count in counts.items() if word in stop_words(language))
        for language in _STOP_WORDS
    }
    for language, sign in _LATIN_SIGNS.items():
        scores[language] += len(sign.findall(text))
    best = max(scores, key=lambda language: scores[language])
    score = scores[best]
    # Two are enough in a short text, but "Vincent van Gogh met de Kooning" is no Dutch.
    told = score >= max(3, 0.15 * len(words)) or (score == 2 and score >= 0.4 * len(words))
    return best if told and score > scores["en"] else "en"
