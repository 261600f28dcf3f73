"""Settings that follow the file."""

from __future__ import annotations

from nephos.config import load
from nephos.config.live import Live


def test_a_change_between_loading_and_the_first_look_is_not_lost(home: load.Loaded) -> None:
    home.home.config_file.write_text("[web]\nport = 8601\n")

    following = Live(home)

    assert following.current().settings.web.port == 8601
