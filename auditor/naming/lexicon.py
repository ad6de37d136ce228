"""The words that columns of label tables are called by. Names propose; `auditor.tables.roles` asks the content."""

from __future__ import annotations

import re
from collections.abc import Mapping

from auditor.naming.headers import plain

_EXACT: Mapping[str, str] = {
    "path": """
        path file filename filenames filepath image imagepath imagefile imagefilename imageindex imagename imageid img imgname
        imgpath imgid bild bilddatei datei dateiname imagen archivo fichier immagine obraz файл
        图像 图片 文件名 画像 ファイル名 影像 영상 파일
        dicom dicomid dicompath sopinstanceuid idcode isicid slide slideid relativepath fname picture photo""",
    "patient": """
        patient patientid patientids patients subject subjectid participant participantid person personid pid ptid patid mrn
        patientennummer paziente paciente pacjent пациент 患者 患者id 病人 病人id 환자 환자id
        caseid eid empi empianon patientnumber subjectnumber patientno patientname
        pat subj proband probanden probandin probandid patientin patienten versuchsperson""",
    "case": """
        case caseid casenumber caseno casename fall fallid fallnr fallnummer cas casnumero caso casoid przypadek случай 病例
        donor donorid donornumber spender volunteer volunteerid individual individualid individuo individu sujet sujeto soggetto
        animal animalid mouse mouseid rat ratid tier tierid owner ownerid""",
    "lesion": "lesion lesionid nodule noduleid tumourid tumorid woundid",
    "study": "study studyid studyinstanceuid accession accessionnumber exam examid examination accessionanon visitid",
    "series": "series seriesid seriesinstanceuid scanid volumeid sequenceid",
    "site": """
        site siteid hospital hospitalid center centre centerid centreid institution institutionname clinic facility institute
        hospitalname""",
    "split": "split set subset partition phase usage dataset splits datasplit menge teilmenge aufteilung",
    "fold": "fold folds kfold cvfold foldid foldnumber",
    "time": """
        date time datetime studydate acquisitiondate examdate timestamp scandate acquisitiontime visitdate contentdate
        seriesdate""",
    "rater": """
        rater raterid reader readerid annotator annotatorid worker workerid grader graderid radiologist radid observer expert
        expertid pathologist labeler labeller reviewer user userid doctor physicianid assessor rad md examiner scorer coder
        evaluator
        readby labeledby labelledby annotatedby gradedby scoredby reviewedby assessedby diagnosedby readername initials
        befunder befunderin befundetvon auswerter auswerterin untersucher untersucherin gutachter gutachterin arzt ärztin leser
        lecteur lectrice médecin medecin évaluateur evaluateur annotateur lupar
        lector lectora médico medico evaluador evaluadora anotador lettore valutatore annotatore leitor avaliador
        lezer beoordelaar arts lekarz oceniający bedömare granskare
        врач эксперт рентгенолог аннотатор 医生 医师 医師 读者 阅片者 阅片医生 标注者 标注人 专家
        読影医 読影者 評価者 판독자 판독의 의사 평가자""",
    "answer": """
        answer answers response reading vote rating judgment judgement annotation label class grade score value measurement
        said""",
    "item": """
        question questionid item itemid task taskid example sampleid case caseid record recordid id uid key index name""",
    "mask": "mask maskpath maskfile segmentation segmentationpath segpath seg annotationpath maskfilename",
}
"""Role → names that mean it, compared as letters and digits in lower case."""

_PART: Mapping[str, str] = {
    "path": "filename filepath path image img file",
    "patient": "patient subject participant",
    "lesion": "lesion nodule",
    "study": "study exam",
    "series": "series",
    "site": "site hospital center centre institution clinic facility",
    "split": "split subset partition",
    "fold": "fold",
    "time": "date datetime timestamp",
    "rater": "rater reader annotator worker grader radiologist observer expert pathologist labeler labeller reviewer assessor "
    "befunder auswerter untersucher gutachter",
    "answer": "answer response rating score measurement",
    "item": "question item task",
    "mask": "mask segmentation",
}
"""Role → words that suggest it."""

_NUMBER = "(?:nr|num|nummer|number|no|id|ids|code|key|kennung|pseudonym|k(?:ü|ue)rzel)"
_COMPOUND = {
    role: re.compile(words)
    for role, words in {
        "patient": rf"(?:id)?(?:pt|pat|patient(?:en|in)?|proband(?:en|in)?|subj|subject|participant|teilnehmer){_NUMBER}",
        "study": rf"(?:fall|auftrags?|untersuchungs?|studien|encounter|visit|accession|exam|study){_NUMBER}",
        "time": r"(?:untersuchungs|aufnahme|studien|bild|befund)?(?:datum|zeitpunkt)",
        "path": r"(?:bild|foto|datei|image|img)(?:datei)?(?:name|pfad|path|id|nr|nummer)",
        "site": r"(?:abteilung|station|klinik|klinikum|krankenhaus|standort|zentrum|spital|ward|h[oô]pital)(?:name|id|nr)?",
    }.items()
}
"""Role → words written as one, as German and abbreviating tables have them: `PatNr`, `Patientennummer`, `Fallnummer`."""
_EXACT_NAMES = {role: frozenset(names.split()) for role, names in _EXACT.items()}
_PART_WORDS = {role: frozenset(names.split()) for role, names in _PART.items()}

_LABEL_WORDS = """
    befund befunde bildbefund beurteilung diagnose hauptdiagnose klasse
    kategorie etikett diagnostic diagnostico diagnóstico diagnosi diagnoza rozpoznanie
    etiqueta clase classe etichetta étiquette hallazgo диагноз метка класс διάγνωση
    诊断 標籤 标签 類別 类别 診断 ラベル 分類 分类 진단 라벨 레이블 分级 病变 病理"""

LABEL_NAMES = frozenset(
    [
        *_LABEL_WORDS.split(),
        "label",
        "labels",
        "class",
        "classes",
        "class_name",
        "classname",
        "target",
        "targets",
        "diagnosis",
        "diagnoses",
        "dx",
        "finding",
        "findings",
        "finding_labels",
        "category",
        "grade",
        "level",
        "pathology",
        "outcome",
        "y",
        "ground_truth",
        "gt",
        "truth",
        "disease",
        "malignancy",
        "malignant",
        "severity",
        "label_name",
        "class_label",
        "cell_type",
        "cls",
        "boneage",
        "consensus",
        "benign_malignant",
        "stage",
        "birads",
        "density",
        "kl_grade",
        "cdr",
        "edss",
        "isup_grade",
        "histology",
        "subtype",
        "answer",
    ]
)

TRUTH_NAMES = frozenset(
    [
        "truth",
        "gold",
        "consensus",
        "gt",
        "groundtruth",
        "final",
        "adjudicated",
        "released",
        "majority",
        "reference",
        "label",
        "target",
    ]
)

RATER_WORDS = _EXACT_NAMES["rater"] | frozenset(
    [
        "r",
        "raters",
        "readers",
        "doctors",
        "experts",
        "annot",
        "annotators",
        "rad",
        "obs",
        "md",
        "graders",
        "observers",
        "radiologists",
        "radiologe",
        "radiologin",
        "radiologue",
        "radiologo",
        "radiólogo",
        "dermatologist",
        "cardiologist",
        "ophthalmologist",
        "clinician",
        "physician",
        "experte",
        "expertin",
        "reads",
        "rdr",
    ]
)

GRADE_WORDS = frozenset(["grade", "level", "stage", "severity", "score", "kl", "birads", "isup", "gleason"])

NOT_A_LABEL = frozenset(
    [
        "age",
        "sex",
        "gender",
        "race",
        "ethnicity",
        "view",
        "position",
        "laterality",
        "date",
        "time",
        "id",
        "ids",
        "uid",
        "width",
        "height",
        "spacing",
        "manufacturer",
        "device",
        "modality",
        "url",
        "uri",
        "count",
        "votes",
        "confidence",
        "probability",
        "prob",
        "seconds",
        "session",
        "hospital",
        "site",
        "year",
        "month",
        "day",
        "weight",
        "bmi",
        "smoker",
        "smoking",
        "history",
        "number",
        "male",
        "female",
        "filename",
        "path",
        "file",
        "split",
        "fold",
        "version",
        "comment",
        "comments",
        "notes",
        "bits",
        "size",
        "kvp",
        "columns",
        "rows",
        "region",
        "localization",
        "localisation",
        "x",
        "index",
        "order",
        "duration",
        "quality",
        "fu",
        "follow",
    ]
)


def words(name: str) -> list[str]:
    """Lower-case words of a name: `patientId` → patient, id; `reader_1` → reader."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return [word.lower() for word in re.findall(r"[^\W\d_]+", split)]


def name_score(name: str, role: str) -> float:
    """1 when the name means the role, .75 when one of its words suggests it, else 0."""
    if plain(name) in _EXACT_NAMES[role] or (role in _COMPOUND and _COMPOUND[role].fullmatch(plain(name))):
        return 1.0
    said = words(name)
    if role == "site" and {"anatom", "anatomic", "anatomical", "body", "primary", "biopsy", "tumor", "tumour", "website"} & set(
        said
    ):
        return 0.0
    if role in ("patient", "study", "series", "lesion") and not (
        {"id", "ids", "uid", "no", "number", "name", "code", "key"} & set(said)
    ):
        return 0.0
    return 0.75 if set(said) & _PART_WORDS.get(role, frozenset()) else 0.0
