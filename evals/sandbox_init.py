"""The first process of a sandbox: builds a small read-only world of its own, locks itself in, and becomes the program.

Run by `evals.sandbox` as a script, with a folder that holds `config.json`; the standard library only. Namespaces: mounts,
processes, network, IPC, host name, and users where it is not started as root. Any step that fails ends it with 126.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
DETACH = 2
PDEATHSIG, CAPBSET_DROP, NO_NEW_PRIVS, DUMPABLE = 1, 24, 38, 4
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
NOBODY = 65_534

libc = ctypes.CDLL(None, use_errno=True)


def must(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    must(libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()), f"mount {target}")


def readonly(source: str, target: str) -> None:
    os.makedirs(target, exist_ok=True)
    mount(source, target, "", BIND | REC)
    mount("", target, "", BIND | REMOUNT | RDONLY | NOSUID | NODEV)


def build(root: str, config: dict[str, Any]) -> None:
    """A root of memory with the system's libraries and Python in it, read-only but for /tmp."""
    mount("", "/", "", PRIVATE | REC)
    mount("none", root, "tmpfs", NOSUID | NODEV, "size=4m,mode=755")
    for path in config["shown"]:
        if os.path.islink(path):
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            os.symlink(os.readlink(path), root + path)
        elif os.path.isdir(path):
            readonly(path, root + path)
    for name in ("box", "tmp", "dev", "old"):
        os.makedirs(f"{root}/{name}", exist_ok=True)
    for name, text in config["files"].items():
        with open(f"{root}/box/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    open(f"{root}/dev/null", "w").close()
    mount("/dev/null", f"{root}/dev/null", "", BIND)
    mount("none", f"{root}/tmp", "tmpfs", NOSUID | NODEV | NOEXEC, f"size={config['disk']},mode=1777")  # noqa: S108  the sandbox\'s own
    must(libc.syscall(PIVOT_ROOT[os.uname().machine], root.encode(), f"{root}/old".encode()), "pivot_root")
    os.chdir("/")
    must(libc.umount2(b"/old", DETACH), "umount")
    mount("none", "/", "tmpfs", REMOUNT | RDONLY | NOSUID | NODEV, "size=4m,mode=755")


def lock(config: dict[str, Any], uid: int) -> None:
    """No privileges, now or later, and limits."""
    for capability in range(64):
        libc.prctl(CAPBSET_DROP, capability, 0, 0, 0)
    if uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    must(libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    must(libc.prctl(PDEATHSIG, signal.SIGKILL, 0, 0, 0), "pdeathsig")
    limits = {
        resource.RLIMIT_AS: config["memory"], resource.RLIMIT_CPU: config["cpu"], resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: config["disk"], resource.RLIMIT_NOFILE: 64, resource.RLIMIT_NPROC: config["processes"],
    }  # fmt: skip
    for which, value in limits.items():
        resource.setrlimit(which, (value, value))


def main(folder: str) -> int:
    with open(f"{folder}/config.json", encoding="utf-8") as file:
        config = json.load(file)
    outer, group, flags = os.geteuid(), os.getegid(), NEWNS | NEWUTS | NEWIPC | NEWPID | NEWNET
    must(libc.unshare(flags if outer == 0 else flags | NEWUSER), "unshare")
    if outer != 0:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{NOBODY} {outer} 1"),
            ("gid_map", f"{NOBODY} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="utf-8") as file:
                file.write(text)
    child = os.fork()
    if child == 0:
        try:
            libc.prctl(PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            build(f"{folder}/root", config)
            lock(config, config["uid"] if outer == 0 else 0)
            os.chdir("/box")
            environment = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}  # noqa: S108
            os.execve(config["command"][0], config["command"], environment)  # noqa: S606
        except BaseException as err:
            os.write(2, f"sandbox: {err}\n".encode())
        os._exit(126)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) & 0xFF


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except OSError as err:
        sys.stderr.write(f"sandbox: {err}\n")
        sys.exit(126)
