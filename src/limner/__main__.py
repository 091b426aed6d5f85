"""``python -m limner``: the command line."""

import sys

from limner.cli.main import main

sys.exit(main())
