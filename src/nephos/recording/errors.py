"""What can go wrong with schedules and bookings."""

from nephos.lib import errors


class UnknownSchedule(errors.NotFound):
    """There is no such schedule."""


class UnknownBooking(errors.NotFound):
    """There is no such booking."""


class Taken(errors.NotNow):
    """That channel has a schedule of this name already."""


class AlreadyOver(errors.Invalid):
    """That time is already over."""


class NoSpace(errors.NotNow):
    """There is too little space to begin a recording."""


class SealBroken(errors.NephosError):
    """The joined file is not what its manifest says."""

    permanent = False
