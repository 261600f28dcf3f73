"""The same settings as a module, for the tools that want one (`manage`, the type checker's plug-in)."""

from nephos.config import load
from nephos.core import settings

globals().update(settings.build(load.load()))
