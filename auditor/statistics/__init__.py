"""The statistics that the checks share, one concept per module. Unit of evidence = the patient.

`coding` (any field → integer codes), `targets` (which classes are asked for), `clusters` (patients and folds), `association`
(out-of-fold prediction and AUC, Cramér's V), `permutation` (the two-level test), `multiplicity` (FDR, max-T, Holm),
`intervals` (clustered variance, bootstrap, detectable effect), `purity`, `interactions`, `combined` (one score of many fields).
"""
