"""`hean doctor`: arguments and printing; the checks are in `hean_live.doctor`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

_DESCRIPTION = """\
Print the executor's effective settings, secrets masked, and check what it needs: folders, disk, venues,
clock, key, registry, bundle, kill switch. Every check that fails says what to do.
"""

_EPILOG = """\
examples:
  hean doctor           for people
  hean doctor --json    for programs

exit codes: 0 all checks passed, 1 some did not, 2 the settings are wrong
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `hean doctor`."""
    parser = subparsers.add_parser(
        "doctor",
        help="show effective settings and check that everything needed is there",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check everything; returns 0 if all is well, 1 otherwise."""
    from hean_live.doctor import environment_notes, examine
    from hean_live.settings import effective, load_settings

    settings = load_settings()
    values = effective(settings)
    if arguments.json:
        findings = list(examine(settings))
        body = {"settings": values, "checks": [asdict(finding) for finding in findings]}
        print(json.dumps(body, indent=1))
        return 0 if all(finding.ok for finding in findings) else 1
    print("settings")
    for name, value in values.items():
        print(f"  {name:<22} {value}")
    print(f"  {'variables set':<22} {', '.join(environment_notes()) or 'none'}")
    print("checks")
    failed = 0
    for finding in examine(settings):
        print(f"  {'✓' if finding.ok else '✗'} {finding.name:<15} {finding.detail}", flush=True)
        if not finding.ok:
            failed += 1
            print(f"    {'':<15} remedy: {finding.remedy or 'see the message'}")
    print(f"{failed} of the checks failed" if failed else "all checks passed")
    return 1 if failed else 0
