"""Whether a result that is there is of the same job: in a folder of films, those that are done need not be done
again."""

from __future__ import annotations

import json
from pathlib import Path

from .identity import file_identity, plain, same_file
from .output import saved_plan
from .run import Job, settings_of


def cleaned_before(job: Job, target: Path) -> bool:
    """Whether the target is there, and the plan beside it says that it came of the same film by the same options."""
    if not target.exists() or job.plan is not None or job.work.exists():
        return False
    try:
        plan = json.loads(saved_plan(target).read_text(encoding="utf-8"))
        return same_file(plan["source"], file_identity(job.source)) and plan["settings"] == plain(settings_of(job))
    except (OSError, ValueError, KeyError, TypeError):
        return False
