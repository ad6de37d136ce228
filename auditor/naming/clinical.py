"""Words that name what is seen in a patient, or that nothing is: values and folders that hold them are labels."""

from __future__ import annotations

_WORDS = """
    normal abnormal benign malignant healthy disease tumor tumour cancer covid pneumonia melanoma nevus nodule effusion
    cardiomegaly opacity fracture carcinoma adenoma glioma stroke lesion edema oedema atelectasis positive negative
    control infected cnv dme drusen glaucoma cataract retinopathy maculopathy amd tuberculosis meningioma metastasis
    metastases metastatic adenocarcinoma sarcoma lymphoma leukemia leukaemia myeloma glioblastoma hgg lgg hemorrhage
    haemorrhage pneumothorax emphysema fibrosis consolidation infiltration infiltrate hernia polyp polyps ulcer colitis
    esophagitis gastritis osteoarthritis scoliosis dementia demented nondemented alzheimer alzheimers parkinson cirrhosis
    steatosis psoriasis eczema keratosis naevus dermatofibroma infarct infarction ischemia ischaemia thrombus embolism
    aneurysm stenosis calcification calcifications appendicitis malaria parasitized uninfected sick diseased diabetic
    hypertension
    gesund krank gutartig bösartig auffällig unauffällig karzinom melanom nävus
    fraktur erguss infiltrat
    kardiomegalie metastase blutung infarkt schlaganfall rezidiv rückfall entzündung verstorben relapse recurrence
    sain malade bénin bénigne malin maligne récidive sano sana enfermo enferma benigno benigna maligno maligna recidiva
    malato"""
CLINICAL_WORDS = frozenset(_WORDS.split())
