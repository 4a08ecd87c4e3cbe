"""One module per command: `register` describes it to argparse, `main` does it and returns the exit code."""
