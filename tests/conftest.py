"""What the tests in a browser share: Chromium, once a file, and pages that are opened in it with the network off."""

from __future__ import annotations

import lab
import pytest


@pytest.fixture(scope="module")
def chromium():
    with lab.browser() as browser:
        yield browser


@pytest.fixture
def opened(chromium):
    with lab.opener(chromium) as open_file:
        yield open_file
