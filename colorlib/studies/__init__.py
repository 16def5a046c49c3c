"""Studies: a YAML file of rows, planned as one folder each, run side by side, and brought to a report."""

from colorlib.studies.engine import make_report, run_row, run_study
from colorlib.studies.file import Row, Study, find_study, load_study
from colorlib.studies.study import describe_data, open_study_data, prepare_study, read_study

__all__ = [
    "Row",
    "Study",
    "describe_data",
    "find_study",
    "load_study",
    "make_report",
    "open_study_data",
    "prepare_study",
    "read_study",
    "run_row",
    "run_study",
]
