"""``python -m digitcli`` and the ``digitcli`` command."""


def main() -> None:
    """Run the command line."""
    from digitcli.cli.app import app

    app()


if __name__ == "__main__":
    main()
