import signal
import subprocess
import sys
import urllib.request


def test_the_sandbox_runs_as_a_process_and_ends_cleanly_on_sigterm():
    command = [sys.executable, "-m", "app.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        url = line.split()[-1]
        assert line.startswith("Sandbox listening on http://127.0.0.1:")
        with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert (rest, errors) == ("", "")


def test_the_sandbox_starts_without_the_product_behind_it():
    code = (
        "import sys, app.sandbox; app.sandbox.create_sandbox(); print([m for m in sys.modules if m.startswith('app.')])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "app.sandbox.factory" in loaded
    assert "app.core" not in loaded
