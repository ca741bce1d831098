"""Rules of the house that a compiler does not check."""

import re
import subprocess

from running import ROOT


def tracked(pattern):
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", pattern], cwd=ROOT, check=True,
        capture_output=True, text=True).stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).exists()]


def matches(pattern, *globs):
    expression = re.compile(pattern)
    return sorted({
        str(path.relative_to(ROOT)) for glob in globs for path in tracked(glob)
        if expression.search(path.read_text(errors="replace"))})


def test_only_guards_jobs_loaders_and_commands_make_the_right_to_a_workspace():
    assert matches(r"@_spi\(Guard\)", "Sources/*.swift") == [
        "Sources/CLI/BenchDataCommand.swift",
        "Sources/CLI/FiguresCommand.swift",
        "Sources/EStars/Demo/BulkHistory.swift",
        "Sources/EStars/Demo/DemoWorkspace.swift",
        "Sources/EStars/Jobs/Worker.swift",
        "Sources/EStars/Workspaces/Directory.swift",
        "Sources/EStars/Workspaces/Workspace+Open.swift",
        "Sources/EStars/Workspaces/Workspace.swift",
        "Sources/Ledger/WorkspaceScope.swift",
        "Sources/Web/Serving/Guards.swift",
    ]


def test_only_the_settings_read_the_environment():
    found = matches(r"ProcessInfo\.processInfo\.environment|getenv\(", "Sources/*.swift")
    # Looking a program up on the PATH is no configuration.
    found.remove("Sources/Postgres/ServerPrograms.swift")
    assert all(name.startswith("Sources/CLI/") for name in found), found


def test_nothing_is_left_open():
    assert matches(r"\b(TODO|FIXME|XXX)\b|fatalError\(|try!", "Sources/*", "Migrations/*") == []


def test_no_export_of_operator_data():
    assert matches(r"(?i)text/csv|content-disposition|application/vnd", "Sources/Web/*", "Sources/EStars/*") == []


def test_nothing_of_dependencies_is_committed():
    names = [str(path.relative_to(ROOT)) for path in tracked(".")]
    assert not [name for name in names if "Package.resolved" in name or name.startswith(".build")]


def test_migrations_are_numbered_without_gaps():
    numbers = sorted(int(path.name[:4]) for path in tracked("Migrations/[0-9]*.sql"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_only_the_ledgers_functions_touch_its_tables():
    writes = r"(?i)(insert into|update|delete from)\s+(public\.)?(accounts|entries|lots|holds|clawbacks)\b"
    assert matches(writes, "Sources/*.swift") == []
