"""What Strava calls a kind of sport in an account's language, and which of its own `sport_type` words it is.

English exports write those words with spaces ("Trail Run")."""

import unicodedata

from daemon.recordings.sports import STRAVA

# The runs in many languages; the rest in a few. What is missing here stays as the table has it, and the recordings
# tell what it means.
_WORDS = {
    "Run": (
        "carrera|course à pied|course|lauf|laufen|corsa|corrida|hardloopsessie|hardlopen|hardloop|ラン|ランニング|跑步|"
        "달리기|забег|бег|löpning|löppass|løb|løbetur|løping|løpetur|løp|juoksu|bieg|bieganie|běh|beh|koşu|lari|futás|"
        "τρέξιμο|біг|пробіжка|alergare|cursa|correr|วิ่ง|chạy bộ|chạy|бягане|trčanje|tek|ריצה|جري"
    ),
    "TrailRun": (
        "trail|trailrunning|carrera de trail|carrera de montaña|carrera por montaña|carrera de sendero|"
        "course de trail|course sur sentier|traillauf|corsa su sentiero|corsa in montagna|corsa trail|"
        "corrida em trilha|corrida de trilha|corrida de trail|trailloop|trailhardlopen|トレイルラン|トレイルランニング|"
        "越野跑|트레일 러닝|트레일 달리기|"
        "трейл|трейлраннинг|забег по пересеченной местности|бег по пересеченной местности|"
        "traillöpning|terränglöpning|trailløb|terrengløping|terrengløp|polkujuoksu|bieg terenowy|bieg trailowy|"
        "bieg przełajowy|trailový běh|patika koşusu|lari trail|lari lintas alam"
    ),
    "VirtualRun": (
        "carrera virtual|course virtuelle|course à pied virtuelle|virtueller lauf|virtuelles laufen|corsa virtuale|"
        "corrida virtual|virtuele hardloopsessie|virtueel hardlopen|"
        "バーチャルラン|バーチャルランニング|虚拟跑步|虛擬跑步|"
        "가상 달리기|виртуальный забег|виртуальный бег|virtuell löpning|virtuelt løb|virtuell løping|virtuelt løp|"
        "virtuaalijuoksu|wirtualny bieg|bieg wirtualny|virtuální běh|sanal koşu|lari virtual"
    ),
    "Walk": (
        "caminata|marche|spaziergang|gehen|camminata|caminhada|wandeling|ウォーキング|步行|걷기|ходьба|promenad|gåtur"
    ),
    "Hike": "excursión|senderismo|randonnée|wanderung|escursione|trilha|hike|ハイキング|徒步|하이킹|поход|vandring",
    "Ride": (
        "bicicleta|vuelta en bicicleta|vuelta ciclista|vélo|sortie à vélo|radfahrt|giro in bici|pedalada|"
        "fietsrit|ライド|骑行|라이딩"
    ),
    "Swim": "natación|natation|schwimmen|nuoto|natação|zwemsessie|zwemmen|スイム|游泳|수영|плавание|simning|svømning",
    "Workout": "entrenamiento|entraînement|training|allenamento|treino|workout|ワークアウト|体能训练|운동|тренировка",
    "WeightTraining": "entrenamiento con pesas|musculation|krafttraining|pesi|treinamento com peso|krachttraining",
}


def _plain(word: str) -> str:
    """Letters alone, lower case: "Trail Run", "TrailRun" and "trail-run" are one word."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", word).casefold() if letter.isalnum())


_KNOWN = {_plain(word): sport for sport, words in _WORDS.items() for word in words.split("|")}
_KNOWN |= {_plain(sport): sport for sport in STRAVA} | {"footballsoccer": "Soccer"}


def sport_type(word: str) -> str | None:
    """Strava's `sport_type` for a word of the account's language, None where it isn't known."""
    return _KNOWN.get(_plain(word))
