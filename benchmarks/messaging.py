"""How fast messages go: contacts over HTTP, recipients frozen, messages accepted by a provider that answers at once,
how even a pace is kept, what still leaves after a STOP, and whether memory stays flat. All of it in one run.

    python benchmarks/messaging.py                                      # 1,000,000 people
    python benchmarks/messaging.py --people 50000 --run-seconds 20 --only freeze send
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.messaging_data import fill, make_key  # noqa: E402 - found only after the line above
from benchmarks.messaging_servers import Processes  # noqa: E402
from benchmarks.messaging_steps import Steps  # noqa: E402
from benchmarks.segments_data import seconds  # noqa: E402
from benchmarks.segments_report import Report  # noqa: E402
from tests.support.valkey import Valkey  # noqa: E402

STEPS = ("imports", "freeze", "send", "stop", "pacing")
WORKERS = 2


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--imports", type=int, default=100_000, help="contacts over HTTP")
    parser.add_argument("--run-seconds", type=int, default=120, help="how long the campaign of everyone runs")
    parser.add_argument("--stops", type=int, default=5, help="times twenty people say STOP at once")
    parser.add_argument("--pace-seconds", type=int, default=30, help="how long each pace is watched")
    parser.add_argument("--only", nargs="+", choices=STEPS, default=STEPS, help="not all of it")
    parser.add_argument("--folder", help="where the data goes; kept when given, and used again when there")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    folder = Path(asked.folder or tempfile.mkdtemp(prefix="parley-bench-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    store, processes = Valkey(folder), Processes(folder)
    store.start()
    os.environ |= settings(folder, store.url, processes)
    try:
        processes.run("-m", "flask", "--app", "wsgi", "db", "upgrade")
        run(asked, processes)
    finally:
        processes.stop()
        store.stop()
        if not asked.folder:
            shutil.rmtree(folder)


def settings(folder: Path, store_url: str, processes: Processes) -> dict[str, str]:
    """Of this process and all it starts: the sandbox is the installation's account, with no pace of its own."""
    from app.sandbox.services.twilio_account import ACCOUNT_SID, AUTH_TOKEN, SMS_SENDERS

    base = f"http://127.0.0.1:{processes.sandbox_port}/twilio"
    return {
        "ENVIRONMENT": "test", "DATA_DIR": str(folder), "DATABASE_URL": "", "REDIS_URL": store_url,
        "LOG_LEVEL": "WARNING", "RATE_LIMIT_FACTOR": "1000000", "ALLOW_PRIVATE_URLS": "true",
        "PUBLIC_URL": f"http://127.0.0.1:{processes.web_port}", "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN, "TWILIO_SMS_SENDER": SMS_SENDERS[0], "TWILIO_SENDER_RATE": "0",
        "TWILIO_BASE_URL": base, "TWILIO_CONTENT_BASE_URL": f"{base}/content",
        "TWILIO_MESSAGING_BASE_URL": f"{base}/messaging", "SANDBOX_URL": "",
    }  # fmt: skip


def run(asked: argparse.Namespace, processes: Processes) -> None:
    from app import create_app
    from app.core.config import get_settings
    from app.core.tenancy import tenant_scope

    wanted, report, asked.sender = set(asked.only), Report(), get_settings().twilio_sms_sender
    steps = Steps(asked, processes, report)
    with create_app().app_context():
        tenant_id = 0

        def prepare() -> None:
            nonlocal tenant_id
            tenant_id = fill(asked.people)

        print(f"{asked.people:,} people in {seconds(prepare):.0f} s", flush=True)
        with tenant_scope(tenant_id):
            processes.key = make_key()
            processes.start_sandbox()
            everyone = steps.freeze() if wanted & {"freeze", "send", "stop"} else 0
            measure(wanted, steps, processes, everyone)
    report.tell()


def measure(wanted: set[str], steps: Steps, processes: Processes, everyone: int) -> None:
    """What needs the processes: imports with the campaign at rest, then sending, STOPs, and one pace after another."""
    from app.core.db import unit_of_work
    from app.messaging.services import campaigns

    if everyone:
        with unit_of_work():
            campaigns.pause(everyone)
    processes.start_web()
    processes.start_workers(WORKERS)
    if "imports" in wanted:
        steps.imports()
    if everyone and wanted & {"send", "stop"}:
        with unit_of_work():
            campaigns.resume(everyone)
        if "send" in wanted:
            steps.send(everyone)
        if "stop" in wanted:
            steps.stop(everyone)
        with unit_of_work():
            campaigns.pause(everyone)
    if "pacing" in wanted:
        steps.pacing()


if __name__ == "__main__":
    main()
