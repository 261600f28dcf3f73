"""The CEA-608 decoder, fed by hand with pairs as a station would send them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from nephos.processing.captions import cue, line21

RESUME_LOADING, BACKSPACE, DELETE_TO_END = (0x14, 0x20), (0x14, 0x21), (0x14, 0x24)
ROLL_UP_2, RESUME_DIRECT, TEXT_RESTART = (0x14, 0x25), (0x14, 0x29), (0x14, 0x2A)
ERASE_SHOWN, RETURN, ERASE_HIDDEN, FLIP = (0x14, 0x2C), (0x14, 0x2D), (0x14, 0x2E), (0x14, 0x2F)
ROW_1, ROW_14, ROW_15 = (0x11, 0x50), (0x14, 0x50), (0x14, 0x70)

Pair = tuple[int, int]


def text(words: str) -> list[Pair]:
    raw = words.encode("ascii") + (b"\0" if len(words) % 2 else b"")
    return list(zip(raw[::2], raw[1::2], strict=True))


def controls(*codes: Pair) -> list[Pair]:
    """Each one twice, as it is sent."""
    return [code for code in codes for _ in range(2)]


def second_channel(code: Pair) -> Pair:
    return code[0] | 0x08, code[1]


class Screen:
    """Sends one pair a frame of a tenth of a second."""

    def __init__(self, field: int = 1) -> None:
        self.field = line21.Field(field)
        self.at = 0.0

    def send(self, pairs: Iterable[Pair]) -> Screen:
        for first, second in pairs:
            self.field.take(first, second, self.at)
            self.at = round(self.at + 0.1, 3)
        return self

    def wait(self, until: float) -> Screen:
        while self.at < until:
            self.send([(0x80, 0x80)])
        return self

    def cues(self, channel: int = 0) -> list[tuple[float, float, str]]:
        self.field.interrupt(self.at)
        found = cue.tidy(self.field.decoders[channel].cues)
        return [(one.start.total_seconds(), one.end.total_seconds(), one.text) for one in found]


def test_a_pop_on_caption_is_shown_from_its_flip_to_its_erasure() -> None:
    screen = Screen()

    screen.send(controls(RESUME_LOADING, ERASE_HIDDEN, ROW_14) + text("GOOD") + controls(ROW_15) + text("NIGHT"))
    screen.wait(3).send(controls(FLIP)).wait(5).send(controls(ERASE_SHOWN))

    assert screen.cues() == [(3.0, 5.0, "GOOD\nNIGHT")]


def test_a_flip_replaces_the_caption_before_it() -> None:
    screen = Screen()

    screen.send(controls(RESUME_LOADING, ERASE_HIDDEN, ROW_15) + text("ONE")).wait(2).send(controls(FLIP))
    screen.send(controls(RESUME_LOADING, ERASE_HIDDEN, ROW_15) + text("TWO")).wait(4).send(controls(FLIP)).wait(6)

    assert screen.cues() == [(2.0, 4.0, "ONE"), (4.0, 6.0, "TWO")]


def test_roll_up_text_becomes_one_cue_a_line_and_repeats_none() -> None:
    screen = Screen()

    for number, line in enumerate(["first line", "second line", "third"], 1):
        screen.send(controls(ROLL_UP_2, RETURN, ROW_15) + text(line)).wait(3.0 * number)
    screen.send(controls(ERASE_SHOWN))

    assert screen.cues() == [(0.6, 3.2, "first line"), (3.6, 6.2, "second line"), (6.6, 9.0, "third")]


def test_paint_on_text_is_shown_from_its_first_character() -> None:
    screen = Screen()

    screen.send(controls(RESUME_DIRECT, ROW_14) + text("LIVE")).wait(1).send(controls(ROW_15) + text("TEXT"))
    screen.wait(4).send(controls(ERASE_SHOWN))

    assert screen.cues() == [(0.4, 4.0, "LIVE\nTEXT")]


def test_paint_on_text_that_is_written_over_ends_there() -> None:
    screen = Screen()

    screen.send(controls(RESUME_DIRECT, ROW_15) + text("FORMER")).wait(2)
    screen.send(controls(RESUME_DIRECT, ROW_15) + text("NEW")).wait(4)

    assert screen.cues() == [(0.4, 2.2, "FORMER"), (2.4, 4.0, "NEW")]


def test_control_codes_that_are_sent_once_count_too() -> None:
    screen = Screen()

    screen.send([RESUME_LOADING, ERASE_HIDDEN, ROW_15, *text("ONCE"), FLIP]).wait(2).send([ERASE_SHOWN])

    assert screen.cues() == [(0.5, 2.0, "ONCE")]


def test_the_third_of_three_equal_codes_is_no_repetition() -> None:
    screen = Screen()

    screen.send([*controls(RESUME_DIRECT, ROW_15), *text("ABCD"), BACKSPACE, BACKSPACE, BACKSPACE]).wait(2)

    assert [words for _, _, words in screen.cues()] == ["AB"]


def test_both_channels_of_a_field_are_kept_apart() -> None:
    screen = Screen()

    for codes, words in (((lambda code: code), "ENGLISH"), (second_channel, "SPANISH")):
        loading = [codes(code) for code in controls(RESUME_LOADING, ERASE_HIDDEN, ROW_15)]
        screen.send(loading + text(words) + [codes(FLIP)] * 2)
    screen.wait(5)

    assert [words for _, _, words in screen.cues(0)] == ["ENGLISH"]
    assert [words for _, _, words in screen.cues(1)] == ["SPANISH"]


def test_programme_data_in_the_second_field_is_no_text() -> None:
    screen = Screen(field=2)
    resume, row, flip = (0x15, 0x20), (0x15, 0x70), (0x15, 0x2F)

    screen.send([*controls(resume, row), (0x01, 0x05), *text("Title"), (0x0F, 0x20)])
    screen.send(controls(resume) + text("WORDS") + controls(flip)).wait(4)

    assert [words for _, _, words in screen.cues()] == ["WORDS"]


def test_text_service_is_no_caption() -> None:
    screen = Screen()

    screen.send(controls(TEXT_RESTART) + text("WEATHER")).wait(3)

    assert screen.cues() == []


def test_a_caption_whose_beginning_was_not_received_is_left_out() -> None:
    screen = Screen()

    screen.send([*text("LF A CAPTION"), *controls(FLIP)]).wait(2)
    screen.send(controls(RESUME_LOADING, ERASE_HIDDEN, ROW_15) + text("WHOLE") + controls(FLIP)).wait(6)

    assert [words for _, _, words in screen.cues()] == ["WHOLE"]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(0x11, 0x37), (0x11, 0x37)], "\u266a"),
        ([*text("A"), (0x12, 0x21), (0x12, 0x21)], "\u00c9"),
        ([*text("u"), (0x13, 0x31), (0x13, 0x31)], "\u00e4"),
        ([(0x5C, 0x7E)], "\u00e9\u00f1"),
        ([*text("AB"), (0x11, 0x2E), (0x11, 0x2E), *text("CD")], "AB CD"),
        ([*text("AB"), (0x17, 0x22), (0x17, 0x22), *text("CD")], "AB CD"),
        ([*text("WRONG!"), *controls(BACKSPACE), *controls(DELETE_TO_END), *text("X")], "WRONGX"),
    ],
    ids=["note", "spanish", "german", "basic", "italics", "tab", "delete-to-end"],
)
def test_other_characters_and_codes(pairs: list[Pair], expected: str) -> None:
    screen = Screen()

    screen.send(controls(RESUME_LOADING, ERASE_HIDDEN, ROW_1) + pairs + controls(FLIP)).wait(5)

    assert [words for _, _, words in screen.cues()] == [expected]


def test_filling_between_the_two_copies_of_a_code_does_not_part_them() -> None:
    screen = Screen()

    screen.send([*controls(ROLL_UP_2, RETURN), *text("HELLO"), RETURN, (0x80, 0x80), RETURN]).wait(3)

    assert [words for _, _, words in screen.cues()] == ["HELLO"]
