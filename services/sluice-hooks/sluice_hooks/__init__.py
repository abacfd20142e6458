"""Hosts functions with slime's signatures as webhooks, in processes that are killed when their time is over.

    sluice-hooks --reward my.module.reward --port 8090 --timeout 30 --workers 8

Differs from slime: functions run outside of the rollout process, one call a process at a time, and what they return
must be JSON. Standard library only.
"""

from .sample import DynamicFilterOutput, Sample

__all__ = ["DynamicFilterOutput", "Sample"]
