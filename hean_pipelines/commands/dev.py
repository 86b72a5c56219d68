"""`hean dev`: Dagster's and MLflow's web pages on this home. Arguments and three processes; nothing else."""

from __future__ import annotations

import argparse

_EPILOG = """\
examples:
  hean dev                                  Dagster on http://127.0.0.1:3000, MLflow on http://127.0.0.1:5000
  HEAN_HOME=var/demo hean dev --port 3001   look at what the demo made

Schedules start stopped; turn them on in the UI, or set HEAN_PIPELINES_SCHEDULES_RUNNING=true. Ctrl-C ends it.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "dev",
        help="open Dagster's and MLflow's web pages on this home",
        description="Serve Dagster's UI with its daemon (backfills, schedules, checks) and MLflow's UI (comparing runs).",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=3000, help="Dagster's port (default %(default)s)")
    parser.add_argument(
        "--mlflow-port", type=int, default=5000, help="MLflow's port; 0 leaves it out (default %(default)s)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until one of them ends or Ctrl-C; returns the exit code."""
    import signal
    import subprocess
    import sys
    import time

    from hean_pipelines.instance import prepare_instance_folder
    from hean_pipelines.settings import load_settings

    settings = load_settings()
    prepare_instance_folder(settings)
    # The two processes a deployment runs, not `dagster dev`: that gives up when the machine is slow to answer it.
    module = ["-m", "hean_pipelines.definitions"]
    commands = [
        ["dagster_webserver", *module, "-h", args.host, "-p", str(args.port)],
        ["dagster._daemon", "run", *module],
    ]
    if args.mlflow_port:
        where = [
            "--backend-store-uri",
            settings.tracking_uri,
            "--default-artifact-root",
            settings.artifact_root,
        ]
        commands.append(["mlflow", "server", *where, "--host", args.host, "--port", str(args.mlflow_port)])
    # SIGTERM ends like Ctrl-C: the servers must not outlive this command.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    running = [subprocess.Popen([sys.executable, "-P", "-m", *command]) for command in commands]
    try:
        while all(process.poll() is None for process in running):
            time.sleep(0.3)
        return next((int(p.returncode) for p in running if p.returncode), 0)
    except KeyboardInterrupt:
        return 0
    finally:
        for process in running:
            if process.poll() is None:
                process.terminate()
        for process in running:
            process.wait(30)
