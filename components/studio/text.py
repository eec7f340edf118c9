"""Sentences to speak: a small seeded grammar per language, its words split between training and benchmark."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

Use = Literal["train", "benchmark", "recital"]
_VOWELS = "aeiouyáéíóúãõâêôäöüàèìòù"
# Consonants, vowels, and a consonant that no vowel follows.
_SYLLABLE = re.compile(rf"[^{_VOWELS}]*[{_VOWELS}]+(?:[^{_VOWELS}](?![{_VOWELS}]))?")


@dataclass(frozen=True)
class Grammar:
    """Word lists of one language; a sentence takes one phrase of each list, in order.

    Every list is split: the last third of it is spoken in the benchmark only, so that no benchmark sentence, and
    hardly a benchmark phrase, was ever heard in training. Recitals, which are there to train on, mix sentences of the
    training's words with pseudo-words of their syllables, so that sounds meet in more contexts than the lists offer.
    """

    voice: str
    joint: str
    openings: tuple[str, ...]
    actions: tuple[str, ...]
    things: tuple[str, ...]
    endings: tuple[str, ...]

    def sentence(self, use: Use, rng: np.random.Generator) -> str:
        """One sentence of the words kept for `use`; of a recital's every other one is of pseudo-words."""
        if use == "recital" and rng.random() < 0.5:
            return self.joint.join(self._pseudo_word(rng) for _ in range(int(rng.integers(4, 9))))
        return self.joint.join(pool[int(rng.integers(len(pool)))] for pool in self._pools(use))

    def _pools(self, use: Use) -> list[tuple[str, ...]]:
        """The phrases of each list that are kept for `use`."""
        lists = (self.openings, self.actions, self.things, self.endings)
        return [w[len(w) * 2 // 3 :] if use == "benchmark" else w[: len(w) * 2 // 3] for w in lists]

    def _pseudo_word(self, rng: np.random.Generator) -> str:
        """One to three syllables of the training's phrases."""
        pool = _syllables(self)
        return "".join(pool[int(rng.integers(len(pool)))] for _ in range(int(rng.integers(1, 4))))


@cache
def _syllables(grammar: Grammar) -> tuple[str, ...]:
    """All syllables of the training's phrases, as often as they occur; the characters of a language without spaces."""
    words = [word for pool in grammar._pools("train") for phrase in pool for word in phrase.lower().split()]
    return tuple(part for word in words for part in (_SYLLABLE.findall(word) if grammar.joint else word))


def _words(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split("|"))


ENGLISH = Grammar(
    "en-us",
    " ",
    _words(
        "my brother|the old farmer|nobody here|our new teacher|every morning she|the baker|a famous painter|we|"
        "both pilots|maybe you|the people upstairs|her father|most visitors|the young woman|Barbara"
    ),
    _words(
        "bought|wanted to move|put away|forgot about|will never sell|carefully opened|used to love|found|"
        "promised to bring|painted|could not fix|wrote about|borrowed|should have packed|quietly admired"
    ),
    _words(
        "the blue umbrella|five wooden boxes|a bowl of warm soup|the map above the fireplace|both bicycles|"
        "a very small boat|the photographs of Venice|some fresh apple pie|the brown leather shoes|a bottle of milk|"
        "that beautiful old piano|every book about mushrooms|the broken window|a pair of yellow gloves|the big parcel"
    ),
    _words(
        "before the show began|last February|on the way home|for almost forty years|by the river|without a word|"
        "because of the weather|at half past five|in front of everybody|after the meeting|if the bus is late|"
        "when the moon came up|from the village shop|with both hands|as fast as possible"
    ),
)
SPANISH = Grammar(
    "es",
    " ",
    _words(
        "mi hermano|la vecina|el médico del pueblo|nadie|una buena amiga|el abuelo|los pescadores|mañana Pablo|"
        "la profesora|el perro blanco|muchas personas|la bibliotecaria"
    ),
    _words(
        "compró|quería vender|nunca olvida|va a preparar|abrió despacio|buscaba|prometió pintar|guarda|"
        "encontró por fin|lleva siempre|podría arreglar|dejó caer"
    ),
    _words(
        "el paraguas azul|una mesa de madera|las fotos del viaje|un plato de sopa|los zapatos viejos|"
        "la ventana pequeña|un bote muy bonito|las llaves del coche|el pan caliente|una flor amarilla|"
        "el libro de música|muchas manzanas"
    ),
    _words(
        "antes de comer|en el mes de febrero|por la mañana|junto al río|sin decir nada|con mucho cuidado|"
        "cuando llueve|desde hace un año|para toda la familia|después de la fiesta|a las cinco y media|en el mercado"
    ),
)
GERMAN = Grammar(
    "de",
    " ",
    _words(
        "mein Bruder|die alte Frau|der Bäcker|niemand|unsere Lehrerin|das Mädchen|der Mann am Fenster|heute Abend Eva|"
        "die beiden Freunde|ein junger Maler|Frau Baumann|der Pilot"
    ),
    _words(
        "kaufte|sucht|brachte|vergaß|öffnet langsam|verkauft nie|malte|braucht|findet bestimmt|bewundert|trug|holte"
    ),
    _words(
        "den blauen Schirm|fünf schöne Bücher|eine warme Suppe|das kleine Boot|die braunen Schuhe|"
        "den Apfelkuchen|ein altes Foto|die Blumen vom Markt|das offene Fenster|eine Flasche Milch|"
        "den großen Koffer|zwei gelbe Hüte"
    ),
    _words(
        "vor dem Frühstück|im Februar|auf dem Weg nach Hause|am Fluss|ohne ein Wort|mit beiden Händen|"
        "wegen des Wetters|um halb fünf|für die ganze Familie|nach der Oper|bei Vollmond|aus dem Museum"
    ),
)
ITALIAN = Grammar(
    "it",
    " ",
    _words(
        "mio fratello|la nonna|il medico|nessuno|una cara amica|il pittore famoso|domani Paolo|i bambini|"
        "la maestra|il gatto bianco|molte persone|Beatrice"
    ),
    _words(
        "ha comprato|voleva vendere|prepara sempre|ha aperto piano|cercava|non dimentica|può riparare|porta|"
        "ha trovato finalmente|guarda spesso|ha dipinto|vuole cambiare"
    ),
    _words(
        "un ombrello blu|il tavolo di legno|le foto del viaggio|una zuppa calda|le scarpe marroni|"
        "la finestra piccola|una barca a vela|il pane fresco|una bottiglia di vino|i fiori gialli|"
        "un libro di musica|la vecchia bicicletta"
    ),
    _words(
        "prima di pranzo|a febbraio|tornando a casa|vicino al fiume|senza parlare|con molta pazienza|"
        "quando piove|da molti anni|per tutta la famiglia|dopo la festa|alle cinque e mezza|al mercato"
    ),
)
PORTUGUESE = Grammar(
    "pt-br",
    " ",
    _words(
        "meu irmão|a vizinha|o velho pescador|ninguém|uma boa amiga|o padeiro|amanhã a Ana|os meninos|"
        "a professora|o cachorro branco|muita gente|a bibliotecária"
    ),
    _words(
        "comprou|queria vender|nunca esquece|vai preparar|abriu devagar|procurava|prometeu pintar|guarda|"
        "achou finalmente|leva sempre|podia consertar|deixou cair"
    ),
    _words(
        "o barco azul|uma mesa de madeira|as fotos da viagem|um prato de sopa|os sapatos velhos|"
        "a janela pequena|um bolo muito bom|as chaves do carro|o pão quente|uma flor amarela|"
        "o livro de música|muitas maçãs"
    ),
    _words(
        "antes do almoço|em fevereiro|pela manhã|perto do rio|sem falar nada|com muito cuidado|"
        "quando chove|há um ano|para toda a família|depois da festa|às cinco e meia|no mercado"
    ),
)
MANDARIN = Grammar(
    "cmn",
    "",
    _words("我哥哥|那位老师|邻居|没有人|我的好朋友|爷爷|明天妈妈|孩子们|那个画家|王先生|很多人|图书馆的阿姨"),
    _words("买了|想卖掉|从来不忘|要准备|慢慢打开|一直在找|答应修理|喜欢|终于找到了|带来了|画过|放下"),
    _words(
        "蓝色的雨伞|五本新书|一碗热汤|旅行的照片|两双皮鞋|木头桌子|白色的小船|苹果和葡萄|那扇窗户|一朵黄花|"
        "美丽的钢琴|很大的包裹"
    ),
    _words(
        "在吃饭以前|在去年八月|在回家的路上|在河边|不说一句话|非常小心|因为下雨了|已经很多年|给全家人|"
        "在晚会以后|在下午五点半|从市场出来"
    ),
)

GRAMMARS = {grammar.voice: grammar for grammar in (ENGLISH, SPANISH, GERMAN, ITALIAN, PORTUGUESE, MANDARIN)}
