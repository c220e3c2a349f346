from __future__ import annotations

import pytest

from accounts.templatetags.browsers import browser

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"
LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0)"


class TestBrowser:
    @pytest.mark.parametrize(
        ("user_agent", "said"),
        [
            (f"{LINUX} Gecko/20100101 Firefox/141.0", "Firefox on Linux"),
            (f"{WINDOWS} Chrome/142.0.0.0 Safari/537.36", "Chrome on Windows"),
            (f"{WINDOWS} Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
            (f"{IPHONE} Version/18.5 Mobile Safari/604.1", "Safari on iPhone"),
            ("curl/8.5.0 Linux", "Linux"),
            ("", "Unknown browser"),
        ],
    )
    def test_is_said_as_people_say_it(self, user_agent, said):
        assert browser(user_agent) == said
