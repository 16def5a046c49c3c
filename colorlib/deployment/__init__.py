"""Deployment: real photographs and films in colour, by models that ship or that somebody trained."""

from typing import TYPE_CHECKING

from colorlib.imports import on_demand

if TYPE_CHECKING:
    from colorlib.deployment.batch import Result, colorize_files
    from colorlib.deployment.colorizer import PhotoColorizer
    from colorlib.deployment.contact_sheet import photographs_of, write_contact_sheet
    from colorlib.deployment.export import export_run
    from colorlib.deployment.film import colorize_film, plan_films
    from colorlib.deployment.loading import load_colorizer, shipped_models
    from colorlib.deployment.recipe import Recipe
else:
    __getattr__, __dir__ = on_demand(__name__)

__all__ = [
    "PhotoColorizer",
    "Recipe",
    "Result",
    "colorize_files",
    "colorize_film",
    "export_run",
    "load_colorizer",
    "photographs_of",
    "plan_films",
    "shipped_models",
    "write_contact_sheet",
]
