"""Names that stand for an artist's and are none; and genres of which an artist's says little.

Names are compared by ``names.artist_key``, so neither case nor accents count, nor the marks around
a name.
"""

from __future__ import annotations

# Of albums by several: their tracks have an album in common and little else.
VARIOUS = (
    *("various", "various artists", "various artist", "various composers", "various performers"),
    *("va", "v.a.", "v/a", "v. a.", "diverse", "div.", "sampler", "compilation", "compilations"),
    *("diverse interpreten", "verschiedene", "verschiedene interpreten", "verschiedene künstler"),
    *("artistes divers", "artistes variés", "multi-interprètes", "interprètes divers"),
    *("varios", "varios artistas", "varios intérpretes", "artistas varios"),
    *("artisti vari", "aa.vv.", "aavv", "vários", "vários artistas", "vários intérpretes"),
    *("diverse artiesten", "diverse kunstnere", "diverse artister", "blandade artister"),
    *("eri esittäjiä", "różni wykonawcy", "różni artyści", "różni", "různí interpreti", "různí"),
    *("rôzni interpreti", "vegyes előadók", "diverși artiști", "çeşitli sanatçılar", "çeşitli"),
    *("διάφοροι", "διάφοροι καλλιτέχνες", "разные исполнители", "разные", "сборник"),
    *("різні виконавці", "разни изпълнители", "razni izvođači", "אמנים שונים", "فنانون متنوعون"),
    *("ヴァリアス・アーティスト", "ヴァリアスアーティスト", "オムニバス", "群星", "合辑", "合輯"),
    *("various (original artists)", "여러 아티스트", "여러 가수", "nghệ sĩ khác nhau"),
)

# Of whom nobody knows, or who is not a person or a band that makes one kind of music.
NOBODY = (
    *("unknown", "unknown artist", "unknown artists", "artist unknown", "no artist", "artist"),
    *("none", "n/a", "na", "null", "untitled artist", "anonymous", "anon", "anon.", "anonymus"),
    *("unbekannt", "unbekannter interpret", "unbekannter künstler", "unbekannter artist"),
    *("artiste inconnu", "inconnu", "anonyme", "desconocido", "artista desconocido", "anónimo"),
    *("artista sconosciuto", "sconosciuto", "anonimo", "artista desconhecido", "desconhecido"),
    *("onbekend", "onbekende artiest", "okänd", "okänd artist", "ukendt", "ukendt kunstner"),
    *("ukjent", "ukjent artist", "tuntematon", "tuntematon esittäjä", "nieznany"),
    *("nieznany wykonawca", "neznámý interpret", "neznámy interpret", "ismeretlen előadó"),
    *("artist necunoscut", "bilinmeyen sanatçı", "άγνωστος καλλιτέχνης", "неизвестен"),
    *("неизвестный исполнитель", "неизвестный", "невідомий виконавець", "不明なアーティスト"),
    *("未知艺术家", "未知藝術家", "未知演出者", "알 수 없는 아티스트", "佚名"),
    *("traditional", "trad", "trad.", "traditionell", "traditionnel", "tradicional", "народная"),
    *("soundtrack", "soundtracks", "original soundtrack", "ost", "o.s.t.", "motion picture"),
    *("original motion picture soundtrack", "original motion picture score", "original score"),
    *("original cast", "original broadway cast", "original london cast", "film score"),
    *("bande originale", "bande originale du film", "banda sonora", "banda sonora original"),
    *("colonna sonora", "trilha sonora", "filmmusik", "soundtrack zum film", "саундтрек"),
    *("サウンドトラック", "原声带", "原聲帶", "ost.", "game soundtrack", "video game music"),
    *("podcast", "podcasts", "audiobook", "audio book", "hörbuch", "hörspiel", "livre audio"),
    *("speech", "spoken word", "[dialogue]", "[data]", "sound effects", "sfx", "karaoke"),
    *("church chimes", "language instruction", "christmas music", "religious music"),
    *("classical music", "musical theater", "dj mix", "mixtape"),
)

# Titles that programs give to an album of which they know none.
NO_ALBUMS = (
    *("unknown", "unknown album", "unknown title", "no album", "untitled", "untitled album"),
    *("none", "n/a", "null", "album", "misc", "miscellaneous", "various", "unbekannt"),
    *("unbekanntes album", "album inconnu", "álbum desconocido", "album sconosciuto"),
    *("onbekend album", "okänt album", "ukendt album", "ukjent album", "tuntematon albumi"),
    *("nieznany album", "neznámé album", "neznámy album", "ismeretlen album", "album necunoscut"),
    *("bilinmeyen albüm", "άγνωστο άλμπουμ", "неизвестный альбом", "невідомий альбом"),
    *("不明なアルバム", "未知专辑", "未知專輯", "알 수 없는 앨범"),
)

# MusicBrainz's special purpose artists.
# Source: https://musicbrainz.org/doc/Style/Unknown_and_untitled/Special_purpose_artist
VARIOUS_ID = "89ad4ac3-39f7-470e-963a-56509c546377"
NOBODY_IDS = frozenset(
    {
        VARIOUS_ID,
        "125ec42a-7229-4250-afc5-e057484327fe",  # [unknown]
        "f731ccc4-e22a-43af-a747-64213329e088",  # [anonymous]
        "9be7f096-97ec-4615-8957-8d40b5dcbc41",  # [traditional]
        "eec63d3c-3b81-4ad4-b1e4-7c147d4d2b61",  # [no artist]
        "33cf029c-63b0-41a0-9855-be2a3665fb3b",  # [data]
        "314e1c25-dde7-4e4d-b2f4-0a7b9f7c56dc",  # [dialogue]
        "0187fe48-c87d-4dd8-beca-9c07ef535603",  # [christmas music]
        "66ea0139-149f-4a0c-8fbf-5ea9ec4a6e49",  # [Disney]
        "a0ef7e1d-44ff-4039-9435-7d5fefdeecc9",  # [musical theater]
        "9e44f539-f3fc-4120-bce2-94c8716437fa",  # [classical music]
        "d6bd72bc-b1e2-4525-92aa-0f853cbb41bf",  # [soundtrack]
        "ae636985-40e8-4010-ae02-0f35930f8017",  # [religious music]
        "90068d37-bae7-4292-be4a-704c145bd616",  # [church chimes]
        "80a8851f-444c-4539-892b-ad2a49292aa9",  # [language instruction]
    }
)

# Genres of which an artist's name tells little: a composer's name may stand over any orchestra's
# record, a film's or a podcast's over anything. Compared as ``names.tells_of_no_artist`` does it.
OF_NO_ARTIST = (
    *("classical", "classical music", "modern classical", "contemporary classical", "klassik"),
    *("klassische musik", "klassisk", "klassiek", "classique", "musique classique", "clásica"),
    *("música clásica", "classica", "musica classica", "clássica", "música clássica"),
    *("классика", "классическая музыка", "古典", "クラシック", "클래식"),
    *("baroque", "barock", "renaissance", "medieval", "romantic era", "early music"),
    *("opera", "opéra", "oper", "operetta", "symphony", "symphonic", "orchestral", "choral"),
    *("chamber music", "kammermusik", "concerto", "sonata"),
    *("soundtrack", "film music", "filmmusik", "film score", "score", "original score"),
    *("bande sonore originale", "bande originale", "colonna sonora", "banda sonora"),
    *("саундтрек", "サウンドトラック", "game", "game music", "video game music"),
    *("musical", "musicals", "show tunes", "podcast", "podcasts", "audiobook", "audiobooks"),
    *("hörbuch", "hörspiel", "speech", "spoken", "spoken word", "comedy", "kabarett", "radio"),
    *("audio theatre", "news", "interview", "sound clip", "sound effects", "karaoke"),
)
