"""The doctor: looks at everything that must be right before a warning can come. Mends nothing, changes nothing."""

from daemon.doctor.files import permissions
from daemon.doctor.finding import Finding, Result
from daemon.doctor.looking import look

__all__ = ["Finding", "Result", "look", "permissions"]
