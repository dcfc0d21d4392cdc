"""The state that servers share, on SQLite and on a real PostgreSQL: its tables, files, secrets and faults."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.errors import BackendError
from shared.jobs.owners import Owners
from shared.settings import Secret, Settings, from_environment
from shared.state.database import Database, StateUnavailable, database_of, sql
from shared.state.files import FolderFiles, TableFiles, files_in
from shared.state.migrating import FOLDER, migrate

Opener = Callable[[], Database]


def names(database: Database) -> list[str]:
    with database.reading() as connection:
        return sorted(row[0] for row in sql(connection, "SELECT name FROM migrations"))


def test_two_servers_that_start_at_once_make_the_tables_once(opened: Opener) -> None:
    databases = [opened() for _ in range(4)]
    together = threading.Barrier(len(databases))
    found: list[object] = []

    def start(database: Database) -> None:
        together.wait()
        try:
            found.append(names(database))
        except Exception as error:
            found.append(error)

    threads = [threading.Thread(target=start, args=(each,)) for each in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [sorted(file.stem for file in FOLDER.glob("*.sql"))] * len(databases)


def test_a_migration_that_breaks_leaves_nothing_behind(opened: Opener, tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_good.sql").write_text("CREATE TABLE good (id TEXT);")
    (folder / "0002_bad.sql").write_text("CREATE TABLE half (id TEXT); CREATE TABEL nonsense;")
    database = opened()
    names(database)
    engine = database._opened(None)
    with pytest.raises(Exception, match="TABEL"):
        migrate(engine, folder)
    (folder / "0002_bad.sql").write_text("CREATE TABLE half (id TEXT);")
    assert migrate(engine, folder) == ["0001_good", "0002_bad"] and migrate(engine, folder) == []


def test_a_step_that_breaks_writes_nothing(opened: Opener) -> None:
    database = opened()
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        sql(connection, "INSERT INTO secrets (name, value) VALUES ('a', 'b')")
        raise ZeroDivisionError
    with database.reading() as connection:
        assert sql(connection, "SELECT * FROM secrets").all() == []


def test_results_lie_where_all_who_share_the_database_find_them(opened: Opener, tmp_path: Path) -> None:
    database = opened()
    files = files_in(tmp_path / "jobs", database)
    assert isinstance(files, TableFiles if database.shared else FolderFiles)
    assert files.read("a.mp4") is None and files.sizes() == {}
    files.write("a.mp4", b"\x00clip")
    files.write("a.mp4", b"\x00another\xff")
    again = files_in(tmp_path / "jobs", opened())
    assert again.read("a.mp4") == b"\x00another\xff" and again.sizes() == {"a.mp4": 9}
    again.remove("a.mp4")
    again.remove("a.mp4")
    assert files.read("a.mp4") is None


def test_a_browser_is_known_to_every_server(opened: Opener, tmp_path: Path) -> None:
    one, other = opened(), opened()
    folders = (tmp_path / "one", tmp_path / ("two" if one.shared else "one"))  # machines of their own share no folder
    token = Owners(folders[0], one).new()
    assert Owners(folders[1], other).owner(token) == Owners(folders[0], one).owner(token) != ""


def test_a_database_out_of_reach_is_told_without_where_it_is() -> None:
    database = Database(url=Secret("postgresql://ada:secret@127.0.0.1:9/class"))
    with pytest.raises(StateUnavailable) as error:
        names(database)
    assert "DATABASE_URL" in str(error.value) == database.why_not()
    assert not any(word in str(error.value) for word in ("ada", "secret", "127.0.0.1"))
    with pytest.raises(BackendError):
        Owners(Path("/nowhere"), database).new()


def test_the_address_is_a_secret_and_must_be_of_a_postgresql() -> None:
    address = "postgres://ada:secret@db/class"
    settings = from_environment({"DATABASE_URL": address})
    assert settings.database_url is not None and settings.database_url.reveal() == address
    assert "secret" not in repr(settings) and settings.without_keys(f"at {address}") == "at •••"
    assert database_of(settings).shared and database_of(settings) is database_of(settings)
    with pytest.raises(ValueError, match="DATABASE_URL") as error:
        from_environment({"DATABASE_URL": "mysql://ada:secret@db/class"})
    assert "secret" not in str(error.value)


def test_looking_makes_no_file(tmp_path: Path) -> None:
    database = database_of(Settings(data_dir=tmp_path / "data"))
    assert database.empty and not (tmp_path / "data").exists()


def _write(database: Database, name: str) -> None:
    with database.writing() as connection:
        sql(connection, "INSERT INTO secrets (name, value) VALUES (:name, '')", name=name)


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_a_forked_process_opens_its_own(opened: Opener) -> None:
    """As on ZeroGPU: a connection that two processes write to would answer one with what the other asked."""
    database = opened()
    _write(database, "parent")
    child = multiprocessing.get_context("fork").Process(target=_write, args=(database, "child"))
    child.start()
    child.join()
    _write(database, "parent again")
    with database.reading() as connection:
        found = {row[0] for row in sql(connection, "SELECT name FROM secrets")}
    assert found == {"parent", "child", "parent again"}
