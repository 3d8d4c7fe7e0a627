"""Pages of runs: list, one, live."""

from collections.abc import Iterator
from pathlib import Path

from flask import Blueprint, Response, abort, redirect, render_template, request, stream_with_context, url_for
from werkzeug.wrappers import Response as AnyResponse

from webui.core import core
from webui.models import Run
from webui.roles import MEMBER, VIEWER
from webui.security import access, actor, needs, require
from webui.services.runs import PAGE, role_to_change

bp = Blueprint("runs", __name__)

STREAM_SECONDS = 600.0
LOG_BYTES = 2 << 20


@bp.get("/runs")
@needs(MEMBER)
def index() -> str:
    """Show the runs that the person may see, newest first: runs, older (the number to go on before, or None)."""
    core().runs.sweep()
    runs = core().runs.page(before=request.args.get("before", type=int), projects=access().only)
    older = runs[-1].id if len(runs) == PAGE else None
    return render_template("runs/index.html", runs=runs, older=older)


@bp.get("/runs/<int:run_id>")
@needs(MEMBER)
def show(run_id: int) -> str:
    """Show one run: run, events (so far), last (number of the last one), usual_steps (or None), may (change it)."""
    core().runs.sweep()
    run = _run(run_id)
    events = core().runs.events(run_id)
    return render_template(
        "runs/show.html",
        run=run,
        events=events,
        last=events[-1].number if events else 0,
        usual_steps=core().runs.usual_steps(run),
        may=access().allows(role_to_change(run), run.project),
    )


@bp.get("/runs/<int:run_id>/stream")
@needs(MEMBER)
def stream(run_id: int) -> Response:
    """Send what happens as server-sent events whose data are pieces of a page.

    "step": runs/_event.html with event; "state": runs/_state.html with run and usual_steps; "end": the last state.
    It goes on after the event of the header Last-Event-ID or the argument after.
    """
    run = _run(run_id)
    usual_steps = core().runs.usual_steps(run)
    after = request.headers.get("Last-Event-ID", type=int) or request.args.get("after", 0, type=int)
    may = access().allows(role_to_change(run), run.project)

    def messages() -> Iterator[str]:
        last = None
        for news in core().watch.follow(run_id, after, STREAM_SECONDS):
            for event in news.events:
                yield _message("step", render_template("runs/_event.html", event=event), event.number)
            if news.run is not last:
                yield _message(
                    "state", render_template("runs/_state.html", run=news.run, usual_steps=usual_steps, may=may)
                )
            elif not news.events:
                yield ": still there\n\n"
            last = news.run
        if last is not None and last.over:
            yield _message("end", last.state)

    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    return Response(stream_with_context(messages()), mimetype="text/event-stream", headers=headers)


@bp.get("/runs/<int:run_id>/log")
@needs(MEMBER)
def log(run_id: int) -> Response:
    """Send the whole output of a run as text."""
    run = _run(run_id)
    path = Path(run.log) if run.log else None
    if path is None or not path.is_file():
        abort(404, "There is no log on this machine yet: the run goes on, never began, or ran elsewhere.")
    with path.open("rb") as stream:
        return Response(stream.read(LOG_BYTES), mimetype="text/plain", headers={"Content-Disposition": "inline"})


@bp.post("/runs/<int:run_id>/cancel")
@needs(MEMBER)
def cancel(run_id: int) -> AnyResponse:
    """Ask a run to end."""
    return _act(run_id, core().actions.cancel)


@bp.post("/runs/<int:run_id>/again")
@needs(MEMBER)
def again(run_id: int) -> AnyResponse:
    """Run it once more."""
    return _act(run_id, core().actions.again)


@bp.post("/runs/<int:run_id>/carry-out")
@needs(MEMBER)
def carry_out(run_id: int) -> AnyResponse:
    """Do what the run has planned."""
    return _act(run_id, core().actions.carry_out)


def _act(run_id: int, what) -> AnyResponse:
    run = _run(run_id)
    require(role_to_change(run), run.project)
    return redirect(url_for("runs.show", run_id=what(actor(), run_id).id), 303)


def _run(run_id: int) -> Run:
    run = core().runs.get(run_id)
    require(VIEWER, run.project)
    return run


def _message(kind: str, data: str, number: int | None = None) -> str:
    """A server-sent event."""
    lines = [f"event: {kind}", *([f"id: {number}"] if number else [])]
    lines += [f"data: {line}" for line in data.splitlines()]
    return "\n".join(lines) + "\n\n"
