"""Run the simulator from the command line; ``python run_sim.py --help`` says how."""

import sys

from sim.cli import main

if __name__ == "__main__":
    sys.exit(main())
