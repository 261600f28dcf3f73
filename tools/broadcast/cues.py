"""What the test broadcast says, and when, in seconds after its first picture."""

from __future__ import annotations

from dataclasses import dataclass

FRAMES_PER_SECOND = 25


@dataclass(frozen=True)
class Cue:
    """A caption of one or two lines, shown from one frame to another."""

    start: float
    end: float
    lines: tuple[str, ...]

    @property
    def start_frame(self) -> int:
        return round(self.start * FRAMES_PER_SECOND)

    @property
    def end_frame(self) -> int:
        return round(self.end * FRAMES_PER_SECOND)


# Only characters that CEA-608 and English teletext share; & and < are there because WebVTT must escape them.
CUES = (
    Cue(2.0, 4.52, ("GOOD EVENING FROM NEPHOS",)),
    Cue(6.0, 8.8, ("THE FIRST LINE OF TWO", "AND HERE IS THE SECOND")),
    Cue(10.52, 13.52, ("Rain & wind, then 5 < 6 degrees",)),
    Cue(15.0, 17.6, ("Is this caption 4? Yes, it is!",)),
    Cue(19.6, 22.4, ("The harbour opens at 07:30", "and closes at 22:45.")),
    Cue(24.0, 27.0, ("Fifty-two ships - a record.",)),
    Cue(28.52, 30.88, ("HALF A MINUTE IS OVER",)),
    Cue(33.0, 36.0, ("A caption that is as long as", "the width of a row permits it")),
    Cue(37.52, 40.52, ("(music)",)),
    Cue(42.0, 44.8, ("Results: 3-1, 2-2 and 0-0",)),
    Cue(46.52, 49.48, ("The last word is for the", "people who stayed up late.")),
    Cue(51.0, 54.0, ("Good night.",)),
    Cue(56.0, 59.0, ("THIS WAS THE TEST BROADCAST",)),
)
