"""The walls between the packages: who may import whom, and what the models must not touch."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

PACKAGES = ("models", "hean_live", "hean_pipelines", "dbt_like_sql")
IMPURE = {
    *(
        "os",
        "io",
        "time",
        "pathlib",
        "tempfile",
        "shutil",
        "glob",
        "socket",
        "ssl",
        "http",
        "urllib",
        "asyncio",
    ),
    *(
        "threading",
        "multiprocessing",
        "concurrent",
        "subprocess",
        "sqlite3",
        "logging",
        "sys",
        "random",
        "secrets",
    ),
    *("requests", "aiohttp", "httpx", "websockets", "dagster", "dagster_duckdb", "duckdb", "mlflow", "pybit"),
    *("polars", "pandas", "pyarrow", "pydantic", "pydantic_settings", "rich", "sqlglot", "sqlalchemy"),
}
HEAVY_ANYWHERE = ("dagster", "dagster_duckdb", "duckdb", "polars", "sklearn", "hean_pipelines")
HEAVY_FOR_THE_COMMAND = (*HEAVY_ANYWHERE, "pandas", "mlflow", "lightgbm", "scipy", "pybit", "aiohttp")


def _files(package: str) -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*.py") if "__pycache__" not in path.parts)


def _modules(package: str) -> list[str]:
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in _files(package)]
    return [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]


def _called(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Attribute):
        owner = function.value.id + "." if isinstance(function.value, ast.Name) else ""
        return owner + function.attr
    return function.id if isinstance(function, ast.Name) else ""


DYNAMIC = {"import_module", "__import__", "find_spec", "run_module", "resolve_name", "files"}


def imported(source: str) -> set[str]:
    """Every module a source names in an import statement or in a call that imports by name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= (
                {f"{node.module}.{alias.name}" for alias in node.names} if node.level == 0 else {"<relative>"}
            )
        elif isinstance(node, ast.Call) and _called(node).rpartition(".")[2] in DYNAMIC:
            texts = [
                a for a in [*node.args, *(k.value for k in node.keywords)] if isinstance(a, ast.Constant)
            ]
            names |= {a.value for a in texts if isinstance(a.value, str)}
    return names


def _tops(source: str) -> set[str]:
    return {name.partition(".")[0].partition(":")[0] for name in imported(source)}


CLOCKS = {f"{owner}.{call}" for owner in ("datetime", "date") for call in ("now", "utcnow", "today")}
INPUT_OUTPUT = {
    "open",
    "input",
    "print",
    "exec",
    "eval",
    "np.load",
    "np.save",
    "np.fromfile",
    "np.loadtxt",
    "np.savetxt",
}


def impurities(source: str) -> Iterator[str]:
    """Yield what a source does besides computing: I/O, clock, environment, unseeded chance."""
    yield from sorted(_tops(source) & IMPURE)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = _called(node)
            if name in CLOCKS | INPUT_OUTPUT or name.rpartition(".")[2] in (
                "tofile",
                "read_text",
                "write_text",
            ):
                yield name
            if name.rpartition(".")[2] == "default_rng" and not node.args:
                yield "an unseeded generator"
        is_global_random = (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "random"
            and node.attr.islower()
            and node.attr != "default_rng"
        )
        if is_global_random and isinstance(node, ast.Attribute):
            yield f"np.random.{node.attr}"


def _offenders(package: str, forbidden: set[str], but: tuple[str, ...] = ()) -> list[str]:
    found = []
    for path in _files(package):
        where = path.relative_to(ROOT)
        if not any(where.is_relative_to(exempt) for exempt in but):
            found += [f"{where} imports {name}" for name in sorted(_tops(path.read_text()) & forbidden)]
    return found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import hean_live.cli", {"hean_live.cli"}),
        ("def f():\n    from hean_live import cli", {"hean_live.cli"}),
        ("import importlib\nimportlib.import_module('hean_live.cli')", {"importlib", "hean_live.cli"}),
        (
            "from importlib import import_module as m\n__import__(name='a.b')",
            {"importlib.import_module", "a.b"},
        ),
        ("pkgutil.resolve_name('hean_live.cli:main')", {"hean_live.cli:main"}),
        ("from . import cli", {"<relative>"}),
        ("'import hean_live'\nprint('hean_live')", set()),
    ],
)
def test_imports_are_seen(source: str, expected: set[str]) -> None:
    assert imported(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.environ['X']",
        "def f():\n    import time",
        "from pathlib import Path",
        "import polars as pl",
        "datetime.now(tz=UTC)",
        "date.today()",
        "open('x')",
        "array.tofile('x')",
        "np.random.default_rng()",
        "np.random.normal(0, 1)",
    ],
)
def test_impurities_are_seen(source: str) -> None:
    assert list(impurities(source))


def test_pure_sources_pass() -> None:
    source = "import math\nfrom datetime import datetime, UTC\nnp.random.default_rng(3)\ndatetime.fromtimestamp(0, UTC)"
    assert list(impurities(source + "\ndef f(rng: np.random.Generator): ...")) == []


def test_models_import_nothing_of_ours() -> None:
    assert len(_files("models")) > 20
    assert _offenders("models", {"hean_live", "hean_pipelines", "dbt_like_sql", "tests", "benchmarks"}) == []


def test_models_only_compute() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {what}"
        for path in _files("models")
        for what in impurities(path.read_text())
    ]
    assert found == []


def test_the_shells_never_import_each_other() -> None:
    assert _offenders("hean_live", {"hean_pipelines"}) == []
    assert _offenders("hean_pipelines", {"hean_live"}) == []


def test_no_package_imports_tests_or_benchmarks() -> None:
    for package in PACKAGES:
        assert _offenders(package, {"tests", "benchmarks"}) == [], package


def test_only_venues_speak_pybit() -> None:
    assert _offenders("hean_live", {"pybit"}, but=("hean_live/venues",)) == []
    assert _offenders("hean_pipelines", {"pybit"}) == []
    assert "pybit" in {top for path in _files("hean_live/venues") for top in _tops(path.read_text())}


def test_the_executor_never_fits_nor_loads_the_pipelines_tools() -> None:
    assert (
        _offenders("hean_live", {"dagster", "dagster_duckdb", "duckdb", "polars", "pandas", "sklearn"}) == []
    )
    fitting = [
        str(path.relative_to(ROOT))
        for path in _files("hean_live")
        if any(
            name.startswith(("models.funding.training", "models.funding.walk_forward"))
            for name in imported(path.read_text())
        )
    ]
    assert fitting == []


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_are_absolute_and_modules_have_docstrings(package: str) -> None:
    assert _files(package)
    for path in _files(package):
        source = path.read_text()
        assert "<relative>" not in imported(source), path
        assert ast.get_docstring(ast.parse(source)), (
            f"{path.relative_to(ROOT)} should have a module docstring"
        )


def test_every_folder_with_python_is_a_package() -> None:
    for package in PACKAGES:
        for folder in {path.parent for path in _files(package)}:
            assert (folder / "__init__.py").exists(), f"{folder.relative_to(ROOT)} has no __init__.py"


def test_the_sql_package_holds_no_python() -> None:
    assert [path.name for path in _files("dbt_like_sql")] == ["__init__.py"]
    body = ast.parse((ROOT / "dbt_like_sql/__init__.py").read_text()).body
    assert all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)


def _loaded_by(modules: list[str], watched: tuple[str, ...]) -> list[str]:
    """Names among `watched` that are in sys.modules once a fresh interpreter has imported `modules`."""
    code = (
        "import importlib, sys\n"
        f"for name in {modules!r}:\n    importlib.import_module(name)\n"
        f"print(sorted(name for name in {watched!r} if name in sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    found = ast.literal_eval(done.stdout.strip().splitlines()[-1])
    assert isinstance(found, list)
    return found


def test_the_light_import_test_sees_what_is_loaded() -> None:
    assert _loaded_by(["json", "sqlite3"], ("json", "sqlite3", "duckdb")) == ["json", "sqlite3"]


def test_the_command_line_starts_light() -> None:
    if not (ROOT / "hean_live/cli.py").exists():
        pytest.skip("hean_live/cli.py does not exist yet")
    commands = [name for name in _modules("hean_live") if name.startswith("hean_live.commands")]
    assert _loaded_by(["hean_live.cli", *commands], HEAVY_FOR_THE_COMMAND) == []


def test_the_pipelines_commands_start_light() -> None:
    commands = [name for name in _modules("hean_pipelines") if name.startswith("hean_pipelines.commands")]
    if not commands:
        pytest.skip("hean_pipelines/commands does not exist yet")
    heavy = (
        "dagster",
        "dagster_duckdb",
        "duckdb",
        "polars",
        "sklearn",
        "pandas",
        "mlflow",
        "lightgbm",
        "hean_live",
    )
    assert _loaded_by(commands, heavy) == []


def test_the_executor_loads_no_tool_of_the_pipelines() -> None:
    # LightGBM loads scikit-learn and pandas where they happen to be installed; nothing imports it before it is used.
    assert _loaded_by(_modules("hean_live"), HEAVY_ANYWHERE) == []


def test_models_the_executor_needs_load_no_fitting_library() -> None:
    needed = [
        "models.bundle",
        "models.funding.predictor",
        "models.portfolio.regime_matrix",
        "models.regimes.rules",
    ]
    assert _loaded_by(needed, ("sklearn", "lightgbm", "scipy", "pandas")) == []


def test_declared_commands_name_functions_of_the_shells() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][
        "hean.commands"
    ]
    assert declared
    for command, target in declared.items():
        module, _, function = target.partition(":")
        assert module.partition(".")[0] in ("hean_live", "hean_pipelines"), command
        path = ROOT / (module.replace(".", "/") + ".py")
        if path.exists():
            names = {n.name for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef)}
            assert function in names, f"{command}: {path.relative_to(ROOT)} should define {function}"
