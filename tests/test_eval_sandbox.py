"""The sandbox that code of models runs in, and attempts to get out of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from evals import sandbox
from evals.core import Answer
from evals.sandbox import End, Limits, NoIsolation, Ran
from evals.suites.code import CODE

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=sandbox.unavailable() or "none")
LIBC = "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
PR_SET_NAME = 15


def ran(program: str, **limits: float) -> Ran:
    return sandbox.run(program, limits=Limits(**{"seconds": 60, **limits}))  # type: ignore[arg-type]


def test_a_program_reads_its_files_and_prints() -> None:
    done = sandbox.run("print(open('/box/a.txt').read())", {"a.txt": "hello"})
    assert (done.end, done.out) == (End.DONE, "hello\n")


def test_it_may_write_where_it_is_told_only() -> None:
    done = ran("open('/tmp/x', 'w').write('1'); print(open('/tmp/x').read())")
    assert (done.end, done.out) == (End.DONE, "1\n")


ESCAPES = {
    "write to the root": "open('/x', 'w')",
    "write beside the program": "open('/box/x', 'w')",
    "write to the system": "open('/usr/x', 'w')",
    "change the program": "open('/box/program.py', 'a')",
    "fill the disk": "f = open('/tmp/x', 'wb')\nfor _ in range(64): f.write(b'x' * 2**20); f.flush()",
    "reach the machine's own services": "import socket; socket.create_connection(('127.0.0.1', 22), 2)",
    "reach the net": "import socket; socket.create_connection(('192.0.2.1', 80), 2)",
    "ask for a name": "import socket; socket.getaddrinfo('example.com', 80)",
    "take all memory": "x = bytearray(4 << 30)",
    "read passwords": "open('/etc/passwd')",
    "read the machine's processes": "import os; os.listdir('/proc/1')",
    "read the environment of the parent": "import os; os.environ['SCOUT_CANARY']",
    "end other processes": "import os; os.kill(-1, 9)",
    "become root": "import os; os.setuid(0)",
    "make a device": "import os, stat; os.mknod('/tmp/d', 0o600 | stat.S_IFBLK, os.makedev(8, 0))",
    "make the root writable": LIBC + "assert libc.mount(b'none', b'/', b'tmpfs', 32, b'') == 0",
    "mount from a namespace of its own": LIBC
    + "assert libc.unshare(0x10020000) == 0 and libc.mount(b'', b'/usr', b'', 4096 | 32, b'') == 0",
    "leave by the old root": "import os; os.chroot('/old'); os.listdir('/root')",
    "trace its parent": LIBC + "import os; assert libc.ptrace(16, os.getppid(), 0, 0) == 0",
    "run a file that it wrote": "import os\nopen('/tmp/a', 'w').write('#!/bin/sh\\necho out')\nos.chmod('/tmp/a', 0o755)\n"
    "os.execv('/tmp/a', ['a'])",
}  # fmt: skip


@pytest.mark.parametrize("attempt", ESCAPES)
def test_nothing_gets_out(attempt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOUT_CANARY", "seen")
    done = ran(ESCAPES[attempt])
    assert done.end is End.FAILED, done.out
    assert "seen" not in done.out


def test_a_readers_files_are_not_there(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    assert ran(f"print(open({str(secret)!r}).read())").end is End.FAILED
    assert ran(f"import os; print(os.listdir({os.getcwd()!r}))").end is End.FAILED


def test_a_file_that_is_open_here_is_not_open_there(tmp_path: Path) -> None:
    with open(tmp_path / "x", "w", encoding="utf-8") as file:
        os.set_inheritable(file.fileno(), True)
        done = ran(
            "import os\nfor fd in range(3, 60):\n    try: os.fstat(fd); print('open', fd)\n    except OSError: pass"
        )
    assert done.out == ""


def test_endless_programs_are_ended() -> None:
    assert ran("while True: pass", seconds=1).end in (End.TOO_SLOW, End.FAILED)
    assert ran("import time; time.sleep(60)", seconds=0.6).end is End.TOO_SLOW
    assert ran("while True: print('x' * 1000)").end is End.TOO_MUCH


def called(name: str) -> str:
    """Lines that give a program and its children a name that this machine's list of processes shows."""
    return LIBC + f"libc.prctl({PR_SET_NAME}, b{name!r}, 0, 0, 0)\n"


def left(name: str) -> int:
    """How many processes of that name there are; other tests run programs meanwhile."""
    listed = subprocess.run(["ps", "-eo", "comm"], capture_output=True, text=True, check=True).stdout
    return listed.split().count(name)


def test_a_program_that_multiplies_is_stopped_and_leaves_nothing_behind() -> None:
    bomb = (
        "import os, time\nn = 0\nwhile n < 500:\n    try:\n        if os.fork() == 0: time.sleep(600)\n        n += 1\n"
        "    except OSError: print('stopped', flush=True); os._exit(0)"
    )
    name = f"bomb-{os.getpid()}"
    done = ran(called(name) + bomb)
    assert (done.end, done.out) == (End.DONE, "stopped\n")
    assert left(name) == 0


def test_a_child_that_detaches_ends_with_the_rest() -> None:
    detached = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\nprint('gone', flush=True)"
    name = f"gone-{os.getpid()}"
    done = ran(called(name) + detached)
    assert (done.end, done.out) == (End.DONE, "gone\n")
    assert left(name) == 0


def test_without_isolation_nothing_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "init.py"
    script.write_text("import sys; sys.stderr.write('sandbox: [Errno 1] unshare'); sys.exit(126)")
    monkeypatch.setattr(sandbox, "INIT", script)
    with pytest.raises(NoIsolation, match="unshare"):
        sandbox.run("print(1)")
    sandbox.unavailable.cache_clear()
    assert "offers no isolation" in sandbox.unavailable()
    monkeypatch.undo()
    sandbox.unavailable.cache_clear()


def test_elsewhere_than_on_linux_the_suite_says_that_it_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    sandbox.unavailable.cache_clear()
    assert "Linux" in CODE.unavailable()
    monkeypatch.undo()
    sandbox.unavailable.cache_clear()


FORGED = {
    "prints results of its own": "import json, os\nprint(json.dumps([['returned', 0]] * 12), flush=True)\nos._exit(0)",
    "answers with an object that equals all": "class E:\n    def __eq__(self, other): return True\ndef solve(*a): return E()",
    "patches json": "import json\njson.dumps = lambda *a, **k: '[]'\ndef solve(*a): return 1",
    "ends before it is called": "import sys\nsys.exit(0)",
    "is no Python": "def solve(:",
    "looks for the answers": "import os\ndef solve(*a): return open('/box/expected.json').read()",
}


@pytest.mark.parametrize("way", FORGED)
def test_a_solution_wins_by_being_right_only(way: str) -> None:
    case = CODE.build(5, 1)[0]
    assert CODE.verify(case, CODE.gold_answer(case)).score == 1
    assert CODE.verify(case, Answer(case_id=case.id, text=f"```python\n{FORGED[way]}\n```")).score == 0


AS_A_USER = """
import json, sys
from evals import sandbox
told = {name: sandbox.run(text, limits=sandbox.Limits(seconds=60)).end for name, text in json.load(sys.stdin).items()}
print(json.dumps(told))
"""


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="runs as an ordinary user already")
@pytest.mark.skipif(not os.access("/usr/bin/python3", os.X_OK), reason="there is no Python that everybody may run")
def test_an_ordinary_user_is_as_safe_as_root() -> None:
    wanted = (
        "write to the system", "reach the net", "read passwords", "end other processes", "become root",
        "make the root writable", "mount from a namespace of its own", "leave by the old root", "run a file that it wrote",
    )  # fmt: skip
    programs = {"works": "open('/tmp/x', 'w').write('1')", **{name: ESCAPES[name] for name in wanted}}
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "evals"
        package.mkdir()
        for name in ("sandbox.py", "sandbox_init.py"):
            shutil.copy(Path(sandbox.__file__).with_name(name), package / name)
        (package / "__init__.py").touch()
        for path in (Path(folder), package, *package.iterdir()):
            path.chmod(0o755)
        user = [
            "setpriv",
            "--reuid",
            "12345",
            "--regid",
            "12345",
            "--clear-groups",
            "/usr/bin/python3",
            "-c",
            AS_A_USER,
        ]
        done = subprocess.run(
            user, input=json.dumps(programs), capture_output=True, text=True, cwd=folder, env={"TMPDIR": "/tmp"}, check=False
        )  # fmt: skip
    if "NoIsolation" in done.stderr:
        pytest.skip("this machine gives ordinary users no namespaces")
    assert json.loads(done.stdout) == {"works": "done", **dict.fromkeys(wanted, "failed")}
