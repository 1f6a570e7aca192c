"""Durable ingest beside a bare Flask app that answers 200 and nothing else, on the same server and worker class.

    python bench/ingest.py --seconds 5 --connections 1,8,32,128
    python bench/ingest.py --postgres            # PostgreSQL too, on a server of its own from the tests' wheel
    python bench/ingest.py --database postgresql://user:password@host/name

On PostgreSQL each figure has a database of its own (the role may create them), and beside Segue runs a Flask app
that neither verifies nor groups: one insert and one commit for each request.

Every request is a new signed Stripe event of some 3 kB: verified, journalled and fsynced before its 200. The load
generator shares the machine, so read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

from load import Figures, drive, post

from translators.kit import HmacKvHeader
from webhooks.signatures import sign

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "tests"))
from support.postgres_server import Server, fresh_database  # noqa: E402

SECRET = "whsec_bench"
SCHEME = HmacKvHeader(header="Stripe-Signature")
APPS = {
    "bare": "ingest:bare()",
    "segue": "webhooks.cli.gunicorn_conf:create_app()",
    "segue, postgresql": "webhooks.cli.gunicorn_conf:create_app()",
    "insert, postgresql": "ingest:insert()",
}
ON_POSTGRES = ("segue, postgresql", "insert, postgresql")


def bare() -> object:
    """Return a Flask app that reads the body and answers 200."""
    from flask import Flask, request

    app = Flask("bare")

    @app.post("/webhooks/stripe")
    def webhook() -> dict[str, str]:
        request.get_data()
        return {"status": "accepted"}

    @app.get("/readyz")
    def ready() -> str:
        return "ready"

    return app


def insert() -> object:
    """Return a Flask app that stores the body in PostgreSQL, one commit each, before it answers 200."""
    import psycopg
    from flask import Flask, request

    app, idle = Flask("insert"), LifoQueue[Any]()

    @app.post("/webhooks/stripe")
    def webhook() -> dict[str, str]:
        body = request.get_data()
        try:
            db = idle.get_nowait()
        except Empty:
            db = psycopg.connect(os.environ["SEGUE_DATABASE"], autocommit=True)
        db.execute("INSERT INTO events VALUES (%s, %s) ON CONFLICT DO NOTHING", (json.loads(body)["id"], body))
        idle.put(db)
        return {"status": "accepted"}

    @app.get("/readyz")
    def ready() -> str:
        return "ready"

    return app


def charge(number: int, run: str) -> bytes:
    """Return a charge.succeeded of Stripe's usual size."""
    created = int(time.time())
    address = dict.fromkeys(["city", "country", "line1", "line2", "postal_code", "state"])
    card = {"brand": "visa", "country": "US", "exp_month": 8, "exp_year": 2030, "last4": "4242", "network": "visa"}
    charge_ = {
        "id": f"ch_{run}_{number}", "object": "charge", "amount": 1999, "amount_captured": 1999, "currency": "usd",
        "created": created, "customer": f"cus_{number % 997}", "billing_details": {"address": address, "email": None},
        "description": "Subscription update " * 20, "metadata": {"user_id": f"u{number}", "note": "x" * 900},
        "payment_method_details": {"card": card, "type": "card"}, "status": "succeeded", "paid": True,
        "receipt_url": "https://pay.example.com/receipts/" + "r" * 200,
        "outcome": {"network_status": "approved_by_network", "risk_level": "normal", "seller_message": "y" * 300},
    }  # fmt: skip
    return json.dumps(
        {
            "id": f"evt_{run}_{number}", "object": "event", "api_version": "2025-06-30", "created": created,
            "data": {"object": charge_}, "livemode": True, "pending_webhooks": 1, "type": "charge.succeeded",
        }
    ).encode()  # fmt: skip


def requests(run: str, count: int) -> list[bytes]:
    """Yield signed requests, made before the clock runs."""
    made = []
    for number in range(count):
        body = charge(number, run)
        signed = sign(SCHEME, body=body, secret=SECRET, now=datetime.now(UTC))
        made.append(post("/webhooks/stripe", dict(signed.headers), body))
    return made


def prepare(database: str) -> None:
    """Make the table of the Flask app."""
    import psycopg

    with psycopg.connect(database) as db:
        db.execute("CREATE TABLE events (key text PRIMARY KEY, body bytea NOT NULL)")


@contextmanager
def server(kind: str, *, worker_class: str, processes: int, log_level: str, admin: str) -> Iterator[int]:
    """Run Segue or a Flask app under gunicorn until the block ends; `admin` is PostgreSQL's URL, or empty."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        database = f"sqlite:///{folder}/segue.db"
        if kind in ON_POSTGRES:
            database = stack.enter_context(fresh_database(admin))
            prepare(database)
        env = {
            **os.environ, "PORT": str(port), "SEGUE_HOST": "127.0.0.1", "WEB_CONCURRENCY": str(processes),
            "SEGUE_WORKER_CLASS": worker_class, "SEGUE_DATABASE": database,
            "STRIPE_WEBHOOK_SECRET": SECRET, "SEGMENT_WRITE_KEY": "wk_bench", "SEGUE_LOG_LEVEL": log_level,
        }  # fmt: skip
        app = APPS[kind]
        command = [sys.executable, "-m", "gunicorn", app, "--config", "python:webhooks.cli.gunicorn_conf"]
        process = subprocess.Popen(command, env=env, cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait(port)
            yield port
        finally:
            process.terminate()
            process.wait(40)


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="per figure")
    parser.add_argument("--connections", default="1,8,32,128")
    parser.add_argument("--worker-class", default="gevent", choices=["gevent", "gthread", "sync"])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--log-level", default="info", help="info is the default of the service")
    parser.add_argument("--most", type=int, default=12000, help="requests per second to prepare for")
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL too, on a server of its own")
    parser.add_argument("--database", default="", help="PostgreSQL too, on this one, such as postgresql://...")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        if arguments.postgres:
            arguments.database = stack.enter_context(Server(settings={"max_connections": "300"})).url()
        table(arguments)


def table(arguments: argparse.Namespace) -> None:
    """Print a line for each server and number of connections."""
    kinds = [kind for kind in APPS if arguments.database or kind not in ON_POSTGRES]
    run = f"{arguments.worker_class}, {arguments.processes} processes, {arguments.seconds:.0f} s each"
    print(f"{run}, log level {arguments.log_level}")
    print(f"{'connections':>11} {'':>18} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8}  ratio to bare Flask")
    for connections in map(int, arguments.connections.split(",")):
        rates: dict[str, Figures] = {}
        for kind in kinds:
            with server(
                kind,
                worker_class=arguments.worker_class,
                processes=arguments.processes,
                log_level=arguments.log_level,
                admin=arguments.database,
            ) as port:
                drive(port, iter(requests("warm", 200)), connections=min(connections, 8), seconds=2)
                made = requests(f"{kind[:6]}{connections}", int(arguments.most * arguments.seconds))
                rates[kind] = drive(port, iter(made), connections=connections, seconds=arguments.seconds)
        for kind, figures in rates.items():
            wrong = {status: n for status, n in figures.statuses.items() if status != 200}
            ratio = f"{figures.rate / rates['bare'].rate:.2f}" if kind != "bare" else ""
            print(
                f"{connections:>11} {kind:>18} {figures.rate:>8.0f} {figures.percentile(0.5):>8.2f} "
                f"{figures.percentile(0.99):>8.2f}  {ratio} {wrong or ''}",
                flush=True,
            )


if __name__ == "__main__":
    main()
