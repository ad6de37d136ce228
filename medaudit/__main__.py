"""`python -m medaudit`."""

from medaudit.cli import main

raise SystemExit(main())
