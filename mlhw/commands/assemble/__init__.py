"""The only place where names in a config meet objects. Below here nobody sees an ``Experiment``."""

from mlhw.commands.assemble.jobs import Job, build_recipe, count_parameters, is_buffer, job, preparation
from mlhw.commands.assemble.learner import build_learner, pick_device
from mlhw.commands.assemble.reporting import coarser_classes
from mlhw.commands.assemble.splits import load_splits, load_whole
from mlhw.commands.assemble.stack import stack_job
from mlhw.commands.assemble.tables import DATASETS, MODELS, SCHEDULES, ModelEntry, resolve, way

__all__ = [
    "DATASETS",
    "MODELS",
    "SCHEDULES",
    "Job",
    "ModelEntry",
    "build_learner",
    "build_recipe",
    "coarser_classes",
    "count_parameters",
    "is_buffer",
    "job",
    "load_splits",
    "load_whole",
    "pick_device",
    "preparation",
    "resolve",
    "stack_job",
    "way",
]
