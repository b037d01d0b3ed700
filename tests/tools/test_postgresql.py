"""The tests of test_optuna.py on a PostgreSQL server of their own, in a folder that goes away with it. Debian's package
postgresql brings the server; without it the test is skipped."""
import glob
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time

import test_optuna as shared

SKIPPED = 77
NAMES = ("ours", "theirs", "front", "together", "killed")  # one database for each test


def find_programs():
    for name in sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True) + [""]:
        where = name or os.path.dirname(shutil.which("initdb") or "")
        if where and all(os.access(os.path.join(where, p), os.X_OK) for p in ("initdb", "postgres", "createdb")):
            return where
    return None


class Server:
    """Listens on a socket in its folder and nowhere else. The server does not run as root: then it is nobody's."""

    def __init__(self, programs):
        self.programs = programs
        self.folder = tempfile.mkdtemp(prefix="deepq-postgresql-")
        self.user = "nobody" if os.geteuid() == 0 else None
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        self.log = open(os.path.join(self.folder, "log"), "w")
        data = os.path.join(self.folder, "data")
        self.run("initdb", "--pgdata", data, "--username", "deepq", "--auth", "trust", "--encoding", "UTF8", "--locale",
                 "C", "--no-sync")
        self.process = subprocess.Popen(
            [os.path.join(programs, "postgres"), "-D", data, "-k", self.folder, "-c", "listen_addresses=", "-c",
             "fsync=off", "-c", "shared_buffers=16MB"], user=self.user, cwd=self.folder, stdout=self.log,
            stderr=self.log)
        for _ in range(300):
            if os.path.exists(os.path.join(self.folder, ".s.PGSQL.5432")):
                break
            assert self.process.poll() is None, open(self.log.name).read()
            time.sleep(0.1)
        for name in NAMES:
            self.run("createdb", "--host", self.folder, "--username", "deepq", name)

    def run(self, program, *words):
        for attempt in range(50):  # the socket is there a moment before the server answers
            done = subprocess.run([os.path.join(self.programs, program), *words], user=self.user, cwd=self.folder,
                                  stdout=self.log, stderr=subprocess.STDOUT)
            if done.returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError(open(self.log.name).read())

    def url(self, name):
        return f"postgresql+psycopg2://deepq@/{name}?host={self.folder}"

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    programs = find_programs()
    if not programs:
        print("skipped: there is no PostgreSQL server on this machine (Debian's package is postgresql)")
        return SKIPPED
    server = Server(programs)
    try:
        tests = ((shared.optuna_reads_deepq, "ours", []), (shared.deepq_continues_optuna, "theirs", ["symlink"]),
                 (shared.several_objectives, "front", []), (shared.three_processes, "together", []),
                 (shared.killed_workers, "killed", []))
        for test, name, words in tests:
            started = time.monotonic()
            test(server.url(name), *words)
            print(f"{test.__name__} in PostgreSQL: {time.monotonic() - started:.1f} s", flush=True)
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
