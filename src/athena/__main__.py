"""`athena`, and `python -m athena`."""

from athena.terminal.app import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
