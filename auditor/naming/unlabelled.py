"""Words that stand where a label should and are states of the work (`todo`, `k.A.`, `not read yet`), and missing codes.

Written as people write them: in any case, with any punctuation, in the languages that label tables come in. What a reader may
have concluded after looking (`indeterminate`, `equivocal`, `ungradable`, `other`) is an answer and stays a class; so is `NA`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from functools import lru_cache

_NUMBER = re.compile(r"[+-]?\d+(?:\.0+)?")
_BELOW_ZERO = frozenset((-1, -9, -99, -999, -9999))
_ABOVE_ALL = frozenset((99, 999, 9999))
_AMONG_WORDS = _BELOW_ZERO | _ABOVE_ALL | {9}
FEW_CODES = 20
"""Whole numbers below this are classes or grades: 99 beside them stands for a missing one."""

_PHRASES = """
    todo; to do; tbd; tba; tbc; unknown; unlabelled; unlabeled; unannotated; unread; unassigned; ungraded; unreviewed; unclear;
    unsure; uncertain; unspecified; undefined; undetermined; missing; missing data; skip; skipped; in progress; wip;
    work in progress; in review; under review; being read; not yet; later; n a; n d; nd; n k; n n; s o; k a; ka; nan; null;
    do not know; don t know;
    unbekannt; unklar; offen; noch offen; ausstehend; noch ausstehend; steht aus; steht noch aus; keine angabe; keine angaben;
    ohne angabe; unbefundet; ungelesen; fehlt; fehlend; in bearbeitung; in arbeit; zu befunden;
    noch zu befunden; wird nachgereicht; folgt; entfällt; weiß nicht; unsicher;
    inconnu; inconnue; en attente; à faire; à déterminer; à relire; à lire; à annoter; en cours; manquant; manquante; incertain;
    desconocido; desconocida; por hacer; por determinar; por leer; por revisar; en proceso; en curso; faltante; no consta;
    sin dato; sin datos; sin etiqueta; sin etiquetar; sin leer; sin anotar; sin informe; sin revisar; incierto;
    sconosciuto; sconosciuta; ignoto; in attesa; da fare; da definire; da refertare; da leggere; mancante; in corso; incerto;
    desconhecido; desconhecida; ignorado; a fazer; em andamento; sem dados; sem laudo; sem rótulo; sem informação; incerto;
    onbekend; nvt; n v t; nog te doen; te doen; in behandeling; ontbreekt; onduidelijk;
    nieznany; nieznana; nieznane; brak danych; brak opisu; brak etykiety; do zrobienia; oczekuje; w toku;
    ukjent; ukendt; okänd; okänt; saknas; mangler; väntar; venter; ei tiedossa; tuntematon; puuttuu;
    bilinmiyor; beklemede; belirsiz; neznámé; neznámý; chybí; ismeretlen; hiányzik; άγνωστο; εκκρεμεί;
    неизвестно; неизвестен; неясно; нет данных; ожидает; ожидается; в работе;
    未知; 不明; 待定; 未标注; 未標註; 未标记; 未读; 未閱; 未阅; 未阅片; 未评估; 未评; 未确定; 未確定; 未定;
    不确定; 不確定; 不清楚; 不详; 不詳;
    缺失; 暂无; 无数据; 待阅; 待阅片; 待标注; 待审核; 待复核; 未填; 未填写; 进行中; 不适用;
    未読; 未読影; 未入力; 未評価; 未診断; 未記入; 未ラベル; 保留; 読影待ち; 待ち; 未実施; データなし; 作業中; 確認中;
    미정; 미상; 불명; 미판독; 미확인; 미기재; 알 수 없음; 알수없음; 대기; 대기중; 보류; 모름; 진행중; 누락;
    غير معروف; قيد الانتظار
"""

_DONE = (
    "read labell?ed annotated graded reviewed assessed done evaluated reported scored rated classified determined specified "
    "available applicable known stated given recorded documented provided entered filled checked seen coded tested performed "
    "assigned diagnosed sure decided"
)
_NICHT = (
    "befundet gelesen beurteilt bewertet annotiert gelabelt bekannt verfügbar vorhanden erhoben angegeben zutreffend anwendbar "
    "bestimmt klassifiziert erfasst untersucht durchgeführt gemacht entschieden bearbeitet"
)
_NON = (
    "lue?s? renseignée?s? annotée?s? disponibles? applicables? évaluée?s? précisée?s? faite?s? étiquetée?s? déterminée?s? "
    "communiquée?s? connue?s? interprétée?s? "
    "disponibile letto refertato annotato valutato applicabile noto specificato pervenuto eseguito"
)
_NO = (
    "disponible leíd[oa] etiquetad[oa] anotad[oa] evaluad[oa] aplica aplicable informad[oa] especificad[oa] determinad[oa] "
    "realizad[oa] revisad[oa] conocid[oa] diagnosticad[oa]"
)
_NAO = "lid[oa] disponível avaliad[oa] anotad[oa] aplicável informad[oa] rotulad[oa] realizad[oa] especificad[oa] laudad[oa]"
_NIET = "gelezen beoordeeld beschikbaar bekend ingevuld gedaan gelabeld geannoteerd gescoord"
_NIE = "opisan[oaey]+ dotyczy ocenion[oaey]+ dostępn[yae]"
_NORDIC = "bedömd granskad läst tillämpligt lest vurdert bedømt tilgjengelig tilgængelig oppgitt oplyst læst vurderet relevant"
_NE = "указано определено описано размечено прочитано оценено известно заполнено"
_THING = (
    "labels? annotations? data reports? results? readings? reads? grades? grading info information values? entry answers? "
    "responses? consensus"
)
_LOOKED = "findings? diagnosis diagnoses impression"
_TASK = "review reading annotation labell?ing adjudication grading"


@lru_cache(maxsize=1)
def _patterns() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """Whole phrases, and what a phrase is built like; both folded."""

    def any_of(words: str) -> str:
        return "(?:" + "|".join(_letters(word) for word in words.split()) + ")"

    built = (
        rf"(?:still )?(?:not|never)(?: yet)?(?: been)? {any_of(_DONE)}(?: yet)?",
        rf"not yet (?:been )?{any_of(_DONE)}",
        rf"(?:no|without) {any_of(_THING)}(?: (?:yet|so far|available|given|entered))?",
        rf"no {any_of(_LOOKED)} (?:yet|so far|available|given|entered)",
        r"to be \w+(?: \w+)?",
        r"(?:pending|awaiting|awaits|waiting)(?: \w+){0,3}",
        r"(?:\w+ ){1,2}(?:pending|outstanding)",
        rf"(?:needs?|requires?|for) (?:second )?{any_of(_TASK)}",
        rf"(?:noch )?nicht {any_of(_NICHT)}",
        rf"(?:non|pas)(?: encore)? {any_of(_NON)}",
        rf"(?:aún |todavía )?no {any_of(_NO)}",
        r"pendiente(?: de \w+)?|pendente(?: de \w+)?",
        rf"(?:ainda )?não {any_of(_NAO)}",
        rf"(?:nog )?niet (?:{any_of(_NIET)}|van toepassing)",
        rf"(?:jeszcze )?nie {any_of(_NIE)}",
        rf"(?:ännu )?(?:ej|inte|ikke|ikke enda|endnu ikke) {any_of(_NORDIC)}",
        rf"(?:ещё |еще )?не {any_of(_NE)}",
    )
    phrases = frozenset(_folded(phrase) for phrase in _PHRASES.split(";"))
    return phrases, tuple(re.compile(_letters(pattern)) for pattern in built)


def _letters(text: str) -> str:
    """Without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _folded(text: str) -> str:
    """Words without case, accents and punctuation: `K. A.` → k a."""
    return re.sub(r"[\W_]+", " ", _letters(text)).strip()


_AS_WRITTEN = frozenset(("<na>", "#n/a", "#value!", "#ref!", "#div/0!", "#name?", "#null!", "#num!"))
_BRACKETED = re.compile(r"[(<\[{]\s*(?:blank|empty|none?|null|nil|nothing|leer|vide|vac[ií]o|vuoto|vazio|leeg)\s*[)>\]}]")
_MARKS = re.compile(r"[^\w\s+±✓✔☑☒•<>=]+")


@lru_cache(maxsize=100_000)
def is_state_of_work(name: str) -> bool:
    """The cell says where the work stands, not what is seen."""
    written = name.strip().lower()
    if not written:
        return False
    if written in _AS_WRITTEN or _BRACKETED.fullmatch(written) or _MARKS.fullmatch(written):
        return True
    if len(written) > 40 or written == "na":
        return False
    phrases, built = _patterns()
    folded = _folded(written)
    return folded in phrases or any(pattern.fullmatch(folded) for pattern in built)


def unlabelled_words(classes: Collection[str]) -> set[str]:
    """Those of the classes that are states of the work, or codes for a missing label (`9` among words, `-9` or `99` among small
    numbers), and no diseases; none where that leaves none.

    The class `NA` is a class; `-` is one beside `+`.
    """
    names = {name for name in classes if name.strip()}
    states = {name for name in names if is_state_of_work(name)}
    if any(name.strip().endswith("+") for name in names):
        states = {name for name in states if not _MARKS.fullmatch(name.strip()) or set(name.strip()) <= set("?…*.")}
    states |= missing_codes(names - states)
    return states if len(states) < len(names) else set()


def missing_codes(names: Collection[str]) -> set[str]:
    """Numbers that stand for a missing label among these classes."""
    numbers: Mapping[str, float] = {name: float(name) for name in names if _NUMBER.fullmatch(name)}
    words = len(names) - len(numbers)
    if len(numbers) == 1 and words > 1:
        return {name for name, number in numbers.items() if number in _AMONG_WORDS}
    if words:
        return set()
    missing = {name for name, number in numbers.items() if number in _BELOW_ZERO}
    if len(missing) != 1 or any(number < 0 for name, number in numbers.items() if name not in missing):
        missing = set()
    rest = [number for name, number in numbers.items() if number not in _ABOVE_ALL and name not in missing]
    if rest and max(rest) < FEW_CODES:
        missing |= {name for name, number in numbers.items() if number in _ABOVE_ALL}
    return missing if len(numbers) - len(missing) > 1 else set()
