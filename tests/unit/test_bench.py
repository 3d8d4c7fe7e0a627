"""The arithmetic and the texts of `make bench`; what it measures is measured by running it."""

import importlib.util
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from bench import gateway, report, sleepers, ui_pages
from bench.adding import Added, figures_together
from bench.adding import figures as adding_figures
from bench.converge import Converged, changed_tasks
from bench.converge import figures as converge_figures
from bench.convert import Converted
from bench.convert import figures as convert_figures
from bench.errors import NotMeasured
from bench.figures import Figure, percentile, spread
from bench.ui_client import token
from bench.ui_viewers import Viewer, delays
from bench.wake import Woken
from bench.wake import figures as wake_figures

from berth.samples import Samples
from webui.services.fleet import Fleet

REPOSITORY = Path(__file__).resolve().parents[2]
MACHINE = {"Machine": "2 cores"}
WRK = """Running 10s test @ http://127.0.0.1/projects/b001/rest/v1/todos
  2 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    10.41ms    2.92ms  41.52ms   84.19%
    Req/Sec   772.03     87.42     0.95k    71.50%
  Latency Distribution
     50%    9.98ms
     75%   11.56ms
  15389 requests in 10.02s, 10.27MB read
{more}Requests/sec:   1536.21
Transfer/sec:      1.02MB
"""


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 20), (95, 38), (100, 40), (1, 1), (2.5, 1), (2.6, 2)], ids=lambda value: str(value)
)
def test_percentile_is_a_measured_value_at_the_nearest_rank(percent: float, expected: float) -> None:
    assert percentile(list(range(40, 0, -1)), percent) == expected


def test_percentile_of_a_single_value_is_that_value() -> None:
    assert percentile([7.5], 95) == 7.5


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_percentile_refuses_what_has_no_answer(values: list[float], percent: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, percent)


@pytest.mark.parametrize(
    ("value", "at_least", "withheld", "verdict"),
    [
        (90, False, "", "met"),
        (90.1, False, "", "missed"),
        (90, True, "", "met"),
        (89.9, True, "", "missed"),
        (500, False, "a stand-in", "a stand-in"),
    ],
)
def test_verdict_of_a_figure(value: float, at_least: bool, withheld: str, verdict: str) -> None:
    figure = Figure("x", value, "s", "how", target=90, at_least=at_least, verdict_withheld=withheld)
    assert figure.verdict == verdict


def test_figure_without_target_has_neither_target_nor_verdict() -> None:
    figure = Figure("x", 1, "s", "how")
    assert (figure.wanted, figure.verdict) == ("", "")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.2149, "0.21 MiB"), (12.345, "12.3 MiB"), (1569.4, "1,569 MiB"), (0, "0 MiB"), (40, "40 MiB")],
)
def test_figure_shows_no_more_digits_than_it_has(value: float, shown: str) -> None:
    assert Figure("x", value, "MiB", "how").measured == shown


def test_spread_goes_from_lowest_to_highest() -> None:
    assert spread([3.0, 1.25, 2.0]) == "1.25 to 3"


def test_host_work_leaves_out_what_an_idle_module_takes() -> None:
    added = Added(seconds=9, commands=[0.01, 0.25, 0.7], idle_command=0.2, wrong_answers=0)
    assert added.work == pytest.approx(0.55)


def test_adding_one_is_judged_by_medians_and_adding_many_tells_what_it_took() -> None:
    one = [Added(seconds, [0.3, 1.2], 0.2, wrong) for seconds, wrong in ((9, 0), (8, 1), (30, 0))]
    judged = {figure.what: (figure.value, figure.verdict) for figure in adding_figures(one, 1)}
    assert judged["Add a project to 1"] == (9, "met")
    assert judged["Add a project to 1: the host's own work"] == (pytest.approx(1.1), "met")
    assert judged["Add a project to 1: wrong first answers"] == (1, "missed")
    told = {figure.what: figure.value for figure in figures_together(Added(20, [0.2, 5.2], 0.2, 0), 4)}
    assert told["Add 20 projects to 4"] == 20
    assert told["Add 20 projects to 4: the host's own work"] == pytest.approx(5)


def test_converge_is_judged_by_ratio_of_medians_and_all_changes() -> None:
    figures = converge_figures(Converged(1, [10, 12, 90], []), Converged(100, [20, 18, 19], ["a", "b", "a"]))
    by_name = {figure.what: figure for figure in figures}
    assert by_name["Ratio of 100 to 1"].value == pytest.approx(19 / 12)
    changed = by_name["Changed by all these runs"]
    assert (changed.value, changed.verdict, changed.method) == (3, "missed", "a (2), b (1)")
    assert "Converge unchanged, 1 project" in by_name


def test_pause_of_a_conversion_is_judged_by_the_longest_write() -> None:
    whole, pause = convert_figures([Converted(100, "isolated", 14.0, 5.5, 4.2)])
    assert (whole.what, whole.verdict) == ("Convert 100 MB to isolated", "")
    assert (pause.value, pause.verdict) == (5.5, "missed")
    assert "held for 4.20 s" in pause.method


def test_changed_tasks_are_named() -> None:
    printed = [
        "TASK [berth.supabase.base : Ensure it is there] ****",
        "changed: [bench]",
        "TASK [Read facts] ****",
        "ok: [bench]",
        "RUNNING HANDLER [Reload nginx] ****",
        "changed: [bench]",
    ]
    assert changed_tasks(printed) == ["berth.supabase.base : Ensure it is there", "Reload nginx"]


def test_stand_in_gets_no_verdict_but_its_wrong_answers_do() -> None:
    median, high, wrong = wake_figures(Woken("auth", [300.0, 900.0], 1), "a stand-in")
    assert (median.value, high.value, high.verdict, wrong.verdict) == (300, 900, "a stand-in", "missed")


def test_memory_adds_up_by_program_without_the_buffers_of_postgresql() -> None:
    memory = sleepers.parse("systemd 100\nbuffers 5000\npostgres 10\npostgres 20\nPM2 v5: God 7\ntmpfs 3")
    assert memory.kib["postgres"] == 30
    assert memory.kib["PM2 v5: God"] == 7
    assert memory.total == 140


def test_memory_of_a_sleeper_is_the_growth_divided_by_the_projects() -> None:
    before = sleepers.Memory({"systemd": 1000, "nginx": 500, "buffers": 0})
    after = sleepers.Memory({"systemd": 1000 + 1024, "nginx": 500 + 512, "cron": 512, "buffers": 4096})
    processes, each, buffers = sleepers.figures(before, after, added=2, processes=0)
    assert (processes.verdict, each.value, each.verdict, buffers.value) == ("met", 1.0, "met", 2.0)
    assert "systemd 512 KiB, nginx 256 KiB" in each.method
    assert "others 256 KiB" in each.method


def test_load_is_read_from_wrk() -> None:
    assert gateway.parse(WRK.format(more="")) == gateway.Load(1536.21, 9.98)


@pytest.mark.parametrize(("printed", "ms"), [("9.98ms", 9.98), ("812.00us", 0.812), ("1.20s", 1200.0)])
def test_latency_of_wrk_is_read_in_every_unit(printed: str, ms: float) -> None:
    assert gateway.parse(WRK.format(more="").replace("9.98ms", printed)).median_ms == pytest.approx(ms)


@pytest.mark.parametrize(
    "more", ["  Non-2xx or 3xx responses: 4\n", "  Socket errors: connect 0, read 3, write 0, timeout 0\n"]
)
def test_load_with_errors_measures_nothing(more: str) -> None:
    with pytest.raises(NotMeasured, match="errors"):
        gateway.parse(WRK.format(more=more))


def test_gateway_is_judged_by_the_ratio_of_medians() -> None:
    loads = {
        "gateway": [gateway.Load(rate, 9) for rate in (900, 100, 880)],
        "direct": [gateway.Load(rate, 8) for rate in (1000, 990, 2000)],
    }
    ratio = gateway.figures(loads)[-1]
    assert (ratio.value, ratio.verdict) == (88, "missed")


def test_delay_counts_what_was_news_to_all_viewers() -> None:
    early, late = Viewer({1: 10.0, 2: 12.5, 3: 20.25}), Viewer({1: 12.0, 2: 12.5, 3: 21.0})
    assert delays([early, late], {1: 9.0, 2: 11.0, 3: 20.0}) == [0.25, 1.0]


def test_page_without_a_form_measures_nothing() -> None:
    assert token('<input type="hidden" name="csrf_token" value="abc">') == "abc"
    with pytest.raises(NotMeasured, match="without a form"):
        token("<p>503</p>")


def test_many_hosts_are_made_as_hosts_tell_of_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, number in (("HOSTS", 2), ("PROJECTS", 5), ("SAMPLES", 3)):
        monkeypatch.setattr(ui_pages, name, number)
    inventory = ui_pages.make(tmp_path / "inventory")
    fleet = Fleet(inventory)
    assert (list(fleet.hosts()), len(fleet.projects())) == (["h00", "h01"], 5)
    history = Samples(inventory).history("h01")
    assert len(history) == 3
    assert [project.name for project in history[0].projects] == ["p0001", "p0003", "p0005"]


def test_block_replaces_what_stands_between_the_markers_and_nothing_else() -> None:
    page = f"# Title\n\n{report.BEGIN}\nold\n{report.END}\n\nProse after.\n"
    assert report.replace_block(page, "new") == f"# Title\n\n{report.BEGIN}\n\nnew\n\n{report.END}\n\nProse after.\n"


def test_replacing_a_block_twice_leaves_one() -> None:
    page = f"{report.BEGIN}\n{report.END}\n"
    assert report.replace_block(report.replace_block(page, "old"), "new") == report.replace_block(page, "new")


@pytest.mark.parametrize(
    "page",
    [
        "no markers",
        report.BEGIN,
        f"{report.END}\n{report.BEGIN}",
        f"{report.BEGIN}\n{report.BEGIN}\n{report.END}",
        f"{report.BEGIN}\n{report.END}\n{report.END}",
    ],
)
def test_page_without_right_markers_is_left_alone(page: str, tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.md"
    path.write_text(page)
    with pytest.raises(ValueError, match=r"benchmarks\.md: one line"):
        report.write(path, "new")
    assert path.read_text() == page


def test_markdown_describes_the_machine_and_escapes_cells() -> None:
    figure = Figure("a|b", 2, "s", "how", target=1)
    assert report.markdown(MACHINE, [figure]).splitlines() == [
        "- Machine: 2 cores",
        "",
        "| What | Measured | To reach | Result | How |",
        "| --- | --- | --- | --- | --- |",
        "| a&#124;b | 2 s | at most 1 s | missed | how |",
    ]


def test_page_of_the_repository_has_the_markers() -> None:
    page = REPOSITORY / "docs" / "benchmarks.md"
    assert "new block" in report.replace_block(page.read_text(), "new block")


class FakeHost:
    """Counts what is asked of it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def start(self) -> None:
        self.done.append("start")

    def remove(self) -> None:
        self.done.append("remove")


@pytest.fixture
def command() -> Iterator[ModuleType]:
    """Give tools/bench.py as a module; signals are handled as before at the end."""
    kept = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    spec = importlib.util.spec_from_file_location("bench_command", REPOSITORY / "tools" / "bench.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for signum, handler in kept.items():
        signal.signal(signum, handler)


def run_failing(command: ModuleType, monkeypatch: pytest.MonkeyPatch, failure: BaseException, *argv: str) -> FakeHost:
    """Run the command with measurements that fail so, and return its host."""

    def fail(_course: object) -> None:
        raise failure

    host = FakeHost()
    monkeypatch.setattr(command, "BenchHost", lambda: host)
    monkeypatch.setattr(command.Course, "run", fail)
    monkeypatch.setattr(sys, "argv", ["bench.py", *argv])
    with pytest.raises((SystemExit, KeyboardInterrupt)):
        command.main()
    return host


@pytest.mark.parametrize(
    "failure", [NotMeasured("no"), AssertionError("a play failed"), KeyboardInterrupt(), SystemExit(143)], ids=repr
)
def test_host_is_removed_when_measuring_ends_early(
    command: ModuleType, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    assert run_failing(command, monkeypatch, failure).done == ["start", "remove"]


def test_host_stays_when_it_is_to_be_kept(command: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_failing(command, monkeypatch, NotMeasured("no"), "--keep").done == ["start"]


def test_unknown_measurement_is_refused_with_those_there_are(
    command: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.arguments(["--only", "wake,speed"])
    allowed = "ready, converge, add, sleepers, wake, gateway, isolated, convert, ui"
    assert f"found 'speed', allowed: {allowed}" in capsys.readouterr().err


def test_measurements_are_all_taken_unless_some_are_named(command: ModuleType) -> None:
    assert command.arguments([]).only == list(command.PARTS)
    assert command.arguments(["--only", "wake, gateway"]).only == ["wake", "gateway"]
