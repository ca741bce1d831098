"""Backup and restore, by the very commands of the README."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from cluster import PrivateCluster
from running import BINARY, ROOT, wait_until

SERVER_USER = "postgres"


def programs() -> pathlib.Path:
    versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return (versions[-1] if versions else pathlib.Path(shutil.which("initdb"))).parent


def documented(word: str) -> str:
    """The shell block of the README in which this word stands."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    return next(block for block in blocks if word in block)


def roles() -> str:
    return next(
        block for block in re.findall(r"```sql\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
        if "create role estars_app" in block)


class Shell:
    """Commands as the database's user, who must not be root."""

    def __init__(self, folder: pathlib.Path, **environment):
        self.environment = {
            "PATH": f"{programs()}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "PGUSER": "postgres",
            "BACKUP": str(folder), **environment}

    def __call__(self, script: str, **environment) -> str:
        user = ["runuser", "-u", SERVER_USER, "--"] if os.geteuid() == 0 else []
        result = subprocess.run(
            [*user, "bash", "-euo", "pipefail", "-c", script], cwd="/", text=True,
            env={**self.environment, **environment}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=120)
        assert result.returncode == 0, (script, result.stdout, result.stderr)
        return result.stdout.strip()


def estars(*arguments, url, ok=True, **environment) -> str:
    result = subprocess.run(
        [BINARY, *arguments], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "DATABASE_URL": url, **environment})
    assert (result.returncode == 0) == ok, (result.stdout, result.stderr)
    return result.stdout + result.stderr


@pytest.fixture
def folder():
    # Short: a socket's path ends at 107 bytes.
    path = pathlib.Path(tempfile.mkdtemp(prefix="estars-backup-"))
    path.chmod(0o755)
    if os.geteuid() == 0:
        shutil.chown(path, SERVER_USER)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def source(product, folder):
    """A shell beside the running product's server."""
    url = PrivateCluster(product.data).url()
    return Shell(folder, PGHOST=re.search(r"host=(\S+)", url)[1])


def server(folder, data, run):
    """Ends with the block that it is opened for."""
    shell = Shell(folder, PGHOST=str(folder), PGDATA=str(folder / data))
    (folder / data).exists() or run(f"initdb --username=postgres --auth=trust {folder / data}")
    with open(folder / "settings", "w") as settings:
        settings.write(f"listen_addresses = ''\nunix_socket_directories = '{folder}'\n")
    shell(f"cat {folder}/settings >> $PGDATA/postgresql.auto.conf")
    shell("pg_ctl start --wait --pgdata=$PGDATA --log=$BACKUP/log >/dev/null")
    return shell


def counts(shell) -> str:
    """What has to be there again, as the superuser sees it."""
    return shell("""psql -AtX estars -c "select (select count(*) from entries),
        (select sum(balance) from accounts), (select count(*) from payments),
        (select count(*) from audit_entries), (select sum(stars) from sale_days)" """)


def app(folder) -> str:
    return f"host={folder} user=estars_app dbname=estars"


def owner(folder) -> str:
    return f"host={folder} user=estars_owner dbname=estars"


def change_the_sealing_key(folder, product):
    """What is sealed is sealed by a new key, and then by another, as the README has it."""
    one, two = os.urandom(32).hex(), os.urandom(32).hex()

    def reseal(ok=True, **keys):
        return estars(
            "reseal", url=app(folder), ok=ok,
            ESTARS_SECRET_KEY_FILE=str(product.data / "secret.key"), **keys)

    assert re.search(r"^[1-9]\d* sealed anew", reseal(ESTARS_SEALING_KEY=one), re.M)
    assert re.search(r"^0 sealed anew", reseal(ESTARS_SEALING_KEY=one), re.M)
    assert "could not be opened" in reseal(ok=False, ESTARS_SEALING_KEY=two)
    assert "once more" in reseal(
        ok=False, ESTARS_SEALING_KEY=two, ESTARS_SEALING_KEY_OTHER=two)
    both = {"ESTARS_SEALING_KEY": two, "ESTARS_SEALING_KEY_OTHER": one}
    assert re.search(r"^[1-9]\d* sealed anew", reseal(**both), re.M)
    assert re.search(r"^0 sealed anew", reseal(ESTARS_SEALING_KEY=two), re.M)


def quiet(product):
    """Nothing is being counted any more."""
    url = PrivateCluster(product.data).url("estars_app")
    wait_until(lambda: "0 differences" in estars("figures", "verify", url=url))


def age(product, source):
    """Rows with higher numbers of transactions than a new server has counted to."""
    source("""psql -qX estars -c "set synchronous_commit = off" -c 'do $$ begin
        for i in 1..20000 loop perform pg_current_xact_id(); commit; end loop; end $$' """)
    bot = product.bot()
    debit = product.api(
        "POST", "/v1/debits", {"user": bot["customer"], "action": bot["action"]},
        key="before-the-dump")
    assert debit.status in (200, 201), debit.body


def test_a_dump_is_restored_into_another_server(product, source, folder):
    age(product, source)
    quiet(product)
    before = counts(source)
    source(documented("pg_dump"))
    epoch = source(
        """psql -AtX estars -c "select (pg_current_xact_id()::text::bigint >> 32) + 1" """)
    other = server(folder, "other", source)
    try:
        for statement in roles().split(";\n"):
            # Databases are not made in a transaction with others.
            if statement.strip() and "create database" not in statement:
                other(f'psql -qX postgres -c "{statement}"')
        restore = documented("pg_restore").replace(
            'pg_ctl start', 'pg_ctl start --log="$BACKUP/log"')
        load, counter = restore.split("pg_ctl stop")
        other(load)
        assert counts(other) == before
        # Without the counter the figures would stand still, and it is said how to put it right.
        assert f"pg_resetwal --epoch={epoch}" in estars(
            "figures", "verify", url=app(folder), ok=False)
        other("pg_ctl stop" + counter + ":", EPOCH=epoch)
        assert counts(other) == before
        assert "nothing to do" in estars(
            "migrate", url=app(folder), DATABASE_OWNER_URL=owner(folder))
        assert "0 problems" in estars("ledger", "verify", url=app(folder))
        assert "0 differences" in estars("figures", "verify", url=app(folder))
        change_the_sealing_key(folder, product)
        # What is booked from now on is counted, too.
        slug = product.demo["workspace"]
        estars(
            "bench-data", "--workspace", slug, "--customers", "5", "--entries", "50",
            url=app(folder), ESTARS_SECRET_KEY_FILE=str(product.data / "secret.key"))
        assert "0 problems" in estars("ledger", "verify", url=app(folder))
        assert "0 differences" in estars("figures", "verify", url=app(folder))
        assert counts(other) != before
    finally:
        other("pg_ctl stop --mode=immediate --pgdata=$PGDATA >/dev/null")


def test_a_copy_of_the_server_goes_on_as_it_is(product, source, folder):
    quiet(product)
    before = counts(source)
    source(documented("pg_basebackup"))
    copy = server(folder, "base", source)
    try:
        assert counts(copy) == before
        assert "0 problems" in estars("ledger", "verify", url=app(folder))
        assert "0 differences" in estars("figures", "verify", url=app(folder))
    finally:
        copy("pg_ctl stop --mode=immediate --pgdata=$PGDATA >/dev/null")
