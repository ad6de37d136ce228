"""Words that name what is seen in a patient, or that nothing is: values and folders that hold them are labels."""

from __future__ import annotations

CLINICAL_WORDS = frozenset(
    [
        "normal",
        "abnormal",
        "benign",
        "malignant",
        "healthy",
        "disease",
        "tumor",
        "tumour",
        "cancer",
        "covid",
        "pneumonia",
        "melanoma",
        "nevus",
        "nodule",
        "effusion",
        "cardiomegaly",
        "opacity",
        "fracture",
        "carcinoma",
        "adenoma",
        "glioma",
        "stroke",
        "lesion",
        "edema",
        "oedema",
        "atelectasis",
        "positive",
        "negative",
        "control",
        "infected",
        "cnv",
        "dme",
        "drusen",
    ]
)
