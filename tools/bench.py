"""Measures what docs/benchmarks.md shows, on a local host of its own: `make bench`, `make bench ARGS="--only wake"`."""

import argparse
import signal
import sys
from pathlib import Path

from rich.console import Console

REPOSITORY = Path(__file__).resolve().parents[1]
# The tests know how local hosts are made, and what stands in for GoTrue where it cannot be had.
sys.path.insert(0, str(REPOSITORY / "tests"))

from bench import machine, report  # noqa: E402
from bench.course import PARTS, Course  # noqa: E402
from bench.errors import NotMeasured  # noqa: E402
from bench.host import BenchHost  # noqa: E402

PAGE = REPOSITORY / "docs" / "benchmarks.md"
console = Console(highlight=False)


def parts(text: str) -> list[str]:
    """Return the measurements that a list with commas names; ArgumentTypeError for any other."""
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"found {', '.join(unknown)!r}, allowed: {', '.join(PARTS)}")
    return names


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the options; ends with a message when one is wrong."""
    parser = argparse.ArgumentParser(prog="tools/bench.py", description=__doc__)
    parser.add_argument("--only", type=parts, default=list(PARTS), metavar="A,B", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--keep", action="store_true", help="leave the host running; the next run removes it")
    return parser.parse_args(argv)


def remove(host: BenchHost) -> None:
    """Remove the host; a second interrupt must not leave half of it."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    console.print("Removing the host")
    host.remove()


def interrupt(signum: int, _frame: object) -> None:
    """Turn a signal into an exception, so that the host is removed."""
    raise SystemExit(128 + signum)


def main() -> None:
    """Measure, print, and keep the table when all of it was measured."""
    options = arguments()
    load = machine.load_before()
    host = BenchHost()
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, interrupt)
    try:
        console.print("Making a fresh host")
        host.start()
        figures = Course(host, options.only, console.print).run()
        described = machine.describe(host, load)
    except (NotMeasured, AssertionError) as error:
        raise SystemExit(f"bench: {error}") from error
    finally:
        if not options.keep:
            remove(host)
    report.show(console, described, figures)
    if set(options.only) == set(PARTS):
        report.write(PAGE, report.markdown(described, figures))
        console.print(f"Written to {PAGE.relative_to(REPOSITORY)}")
    else:
        console.print(f"{PAGE.relative_to(REPOSITORY)} is left alone: not all was measured")


if __name__ == "__main__":
    main()
