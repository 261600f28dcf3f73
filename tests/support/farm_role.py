"""`python -m tests.support.farm_role`: the farm role alone on the home of NEPHOS_HOME."""

from __future__ import annotations

from nephos.config import load
from nephos.daemon import roles

if __name__ == "__main__":
    raise SystemExit(roles.run("farm", load.load()))
