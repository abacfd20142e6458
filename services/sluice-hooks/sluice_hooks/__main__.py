"""`python3 -m sluice_hooks` is `sluice-hooks`."""

from .server import main

main()
