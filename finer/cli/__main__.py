"""``python -m finer.cli``: the command, where its script is not on the path."""

import sys

from finer.cli import main

sys.exit(main())
