"""`python -m visionpulse`."""

from visionpulse.cli import main

main()
