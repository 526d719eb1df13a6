"""`python -m visionpulse`."""

from visionpulse.cli import main

if __name__ == "__main__":
    main()
