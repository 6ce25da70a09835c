"""``python -m digitcli`` and the ``digitcli`` command."""

import sys

from digitcli.errors import ExitCode


def main() -> None:
    """Run the command line."""
    try:
        from digitcli.cli.app import run

        run()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    main()
