"""The notebooks as a course: expectations that are put to the test, exercises that know whether they are solved."""

from colorlib.course.exercises import check
from colorlib.course.expectations import expected

__all__ = ["check", "expected"]
