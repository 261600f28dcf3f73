"""`python -m nephos.daemon ROLE HOME`: a role without the weight of the command line.

A killed recorder must be back within the second, and importing the command line costs a third of one.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from nephos.config import load
from nephos.core import logs
from nephos.daemon import roles
from nephos.lib import errors

logger = logging.getLogger(__name__)


def main(role: str, home: str) -> int:
    """Run the role; errors are one sentence on stderr and an exit code."""
    try:
        return roles.run(role, load.load(Path(home)))
    except errors.NephosError as error:
        sys.stderr.write(f"{role}: {error.message}\n" + (f"hint: {error.hint}\n" if error.hint else ""))
        return int(error.exit_code)
    except Exception:
        # The last edge of a role; the supervisor starts it again. Once its log is up, `roles.run` has said it there.
        if not logs.is_up():
            logger.exception("The role crashed before its log was open", extra={"role": role})
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
