"""ED002: a reader leans to a class, grades harshly, copies, never varies, or is often wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from auditor.check import Check
from auditor.dataset import Dataset
from auditor.experts.habits import Copy, Leaning, class_leaning, constant_raters, copied_dissents, grade_leaning
from auditor.experts.models import DawidSkene, dawid_skene
from auditor.experts.raters import compare_raters
from auditor.experts.readings import Readings, class_values, collect_readings
from auditor.experts.summary import set_similarity
from auditor.experts.agreement import similarity_matrix
from auditor.experts.readings import finding_sets
from auditor.statistics.intervals_of_shares import wilson
from auditor.types import Cell, Chart, Column, Coverage, Finding, Location, Severity, Table, Verdict
