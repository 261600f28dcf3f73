"""Rules, processes and connection classes that people write: `from nephos.plugins import register_rule`."""

from nephos.plugins.registry import register_process, register_rule

__all__ = ["register_process", "register_rule"]
