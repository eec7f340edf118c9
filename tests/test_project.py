"""The conventions of CONTRIBUTING.md that a machine can check."""

import ast
import importlib
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.core.base import params
from flows import params as flow_params

ROOT = Path(__file__).resolve().parents[1]
COMPONENTS = ROOT / "components"
ORDER = {
    "base": 0,
    "media": 1,
    "diffusion": 1,
    "statistics": 1,
    "models": 2,
}  # in core, a library imports only those of a lower number
TOOLS = {
    "studio",
    "dub",
    "verify",
    "review",
    "rights",
    "promote",
    "published",
}  # the packages that run and are no stage
FILES = sorted(path for folder in ("components", "flows") for path in (ROOT / folder).rglob("*.py"))
PACKAGES = sorted(path.parent for path in COMPONENTS.glob("*/__init__.py") if path.parent.name != "core")
STAGES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
SECTIONS = {
    **dict.fromkeys(("studio", "ingest", "crop", "occluders", "generator", "pairs", "evaluate", "export"), "Params"),
    "bootstrap": "Bootstrap",
    "experts": "ExpertsParams",
    "validate.clips": "ClipsParams",
    "validate.crops": "CropsParams",
    "validate.pairs": "PairsParams",
    "validate.footage": "Limits",
    "validate.runs": "Limits",
    "editor.common": "Common",
    "editor.structure": "Structure",
    "editor.lip": "Lip",
    "editor.texture": "Texture",
}
HEAVY = (
    "torch",
    "lightning",
    "evidently",
    "great_expectations",
    "mediapipe",
    "onnxruntime",
    "prefect",
    "dvc",
)


def name(path: Path) -> str:
    """The path within the project."""
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    """The file parsed."""
    return ast.parse(path.read_text(), str(path))


def imports(path: Path) -> Iterator[str]:
    """Every module that the file imports anywhere, `from package import module` as package.module."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_file(module: str) -> Path | None:
    """The file of one of our modules; `module` may end with a name that it defines."""
    parts = module.split(".")
    while parts:
        path = ROOT.joinpath(*parts)
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
        parts.pop()
    return None


def closure(package: Path) -> set[Path]:
    """Every file of ours that runs when the package runs: its own and what they import, and so on."""
    todo, seen = set(package.rglob("*.py")), set[Path]()
    while todo:
        path = todo.pop()
        seen.add(path)
        found = {module_file(module) for module in imports(path) if module.startswith("components.")}
        todo |= {file for file in found if file is not None} - seen
    return seen


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of the file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def words(stage: dict[str, Any]) -> list[str]:
    """The words of its command, or of all of them."""
    commands = stage["cmd"] if isinstance(stage["cmd"], list) else [stage["cmd"]]
    return [word for command in commands for word in shlex.split(command)]


def package_of(stage: dict[str, Any]) -> str:
    """The component that the stage runs."""
    python, option, module = words(stage)[:3]
    assert (python, option) == ("python", "-m")
    return module.removeprefix("components.")


def paths(entries: list[Any]) -> list[str]:
    """The paths of a list of dvc.yaml, with or without options."""
    return [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_point_one_way(path: Path) -> None:
    parts = path.relative_to(ROOT).parts
    for module in imports(path):
        head, *rest = module.split(".")
        if parts[0] == "components":
            assert head != "flows", f"{name(path)} imports {module}"
        if head == "dvc":
            assert name(path) == "flows/graph.py"
        if head != "components" or parts[0] != "components" or len(parts) == 2:
            continue
        if parts[1] == "core":
            assert rest[0] == "core", f"{name(path)}: core imports {module}"
            same = rest[1] == parts[2]
            assert same or ORDER[rest[1]] < ORDER[parts[2]], f"{name(path)}: {parts[2]} imports {module}"
        else:
            assert rest[0] in ("core", parts[1]), f"{name(path)} imports another component: {module}"


@pytest.mark.parametrize("package", ["core/base", "core/media", "dub"])
def test_the_dubbing_runtime_needs_no_torch(package: str) -> None:
    banned = {"torch", "lightning", "pandas"} | ({"pyarrow"} if package == "dub" else set())
    for path in closure(COMPONENTS / package):
        assert not banned & {module.partition(".")[0] for module in imports(path)}, name(path)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_size(path: Path) -> None:
    text = path.read_text()
    lines = text.count("\n")
    assert lines <= 300 or (lines <= 500 and "# Long: " in text), f"{lines} lines; 500 with a reason after '# Long: '"
    if path.name == "__main__.py":
        assert lines <= 60, f"{lines} lines in an entry point"
    for function in functions(path):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= 40, f"{function.name} has {length} lines"
        arguments = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
        count = sum(argument.arg not in ("self", "cls") for argument in arguments)
        assert count <= 6, f"{function.name} has {count} parameters: a record is missing"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_print_and_no_broad_except(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            assert name(path) == "components/core/base/errors.py", f"line {node.lineno} prints"
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            if (name(path), caught) == ("components/dub/batch.py", "Exception"):
                continue  # a line of a batch, which goes on with the next and says what it caught
            assert caught not in ("everything", "Exception", "BaseException"), f"line {node.lineno} catches {caught}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_randomness_has_an_explicit_seed(path: Path) -> None:
    assert "random" not in set(imports(path)), "use components.core.base.seeds"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random"):
            assert node.attr in ("default_rng", "Generator"), f"line {node.lineno} draws from a state that all share"
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("default_rng", "manual_seed")):
            assert node.args, f"line {node.lineno} has no seed"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_device_is_named_in_a_model(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.keyword) and node.arg == "device":
            assert not isinstance(node.value, ast.Constant), f"line {node.value.lineno} names a device"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_names_and_docstrings(path: Path) -> None:
    assert not {"utils", "util", "helpers", "misc"} & {path.stem, *path.relative_to(ROOT).parts}
    assert ast.get_docstring(tree(path)), "the module has no docstring"


@pytest.mark.parametrize("package", PACKAGES, ids=name)
def test_every_component_runs_and_says_what_it_does(package: Path) -> None:
    assert (package / "__main__.py").is_file()
    assert "main" in {function.name for function in functions(package / "__main__.py")}
    assert 3 <= len((package / "README.md").read_text().splitlines()) <= 30


@pytest.mark.parametrize("package", sorted({package_of(stage) for stage in STAGES.values()}))
def test_a_stage_keeps_its_core_from_the_shell(package: str) -> None:
    folder = COMPONENTS / package
    assert [function.name for function in functions(folder / "core.py") if not function.name.startswith("_")]
    for path in set(folder.rglob("*.py")) - {folder / "__main__.py", folder / "shell.py"}:
        assert not {"argparse", "typer"} & set(imports(path)), name(path)
        for node in ast.walk(tree(path)):
            assert not (isinstance(node, ast.Constant) and node.value == "params.yaml"), name(path)
            assert not (isinstance(node, ast.Attribute) and node.attr in ("environ", "argv", "cwd")), name(path)


@pytest.mark.parametrize("path", sorted(COMPONENTS.glob("*/params.py")), ids=name)
def test_params_are_frozen_and_carry_no_defaults(path: Path) -> None:
    classes = [node for node in tree(path).body if isinstance(node, ast.ClassDef) and node.decorator_list]
    assert classes
    for node in classes:
        assert "dataclass(frozen=True)" in map(ast.unparse, node.decorator_list), node.name
        fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
        assert all(field.value is None for field in fields), f"{node.name} has a default; values live in configs/"


def test_stages_and_packages_agree() -> None:
    assert {package_of(stage) for stage in STAGES.values()} | TOOLS >= {package.name for package in PACKAGES}
    assert {package_of(stage) for stage in STAGES.values()} <= {package.name for package in PACKAGES}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_the_code_that_it_imports(stage: str) -> None:
    files = closure(COMPONENTS / package_of(STAGES[stage]))
    depth = {True: 3, False: 2}
    needed = {"/".join(p.relative_to(ROOT).parts[: depth["core" in p.parts]]) for p in files if p.parent.name != "core"}
    declared = {path for path in STAGES[stage]["deps"] if path.startswith("components")}
    assert declared == needed


@pytest.mark.parametrize("stage", STAGES)
def test_every_path_of_a_command_is_declared(stage: str) -> None:
    definition = STAGES[stage]
    declared = [path for key in ("deps", "outs", "metrics", "plots") for path in paths(definition.get(key, []))]
    used = [word for word in words(definition) if "/" in word or word == "data"]
    for path in used:
        assert path in declared or any(other.startswith(f"{path}/") for other in declared), path
    written = paths([*definition["outs"], *definition.get("metrics", []), *definition.get("plots", [])])
    assert set(written) <= set(used)


@pytest.mark.parametrize("stage", STAGES)
def test_the_params_of_a_stage_exist(stage: str) -> None:
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    for key in STAGES[stage].get("params", []):
        node = values
        for part in key.split("."):
            node = node[part]


def test_params_are_composed_from_the_default_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert (ROOT / "params.yaml").read_text() == flow_params.compose()


def require_valid(path: Path) -> None:
    """Every stage takes its section of the file."""
    for section, class_name in SECTIONS.items():
        package = {"bootstrap": "editor"}.get(section, section.partition(".")[0])
        record = getattr(importlib.import_module(f"components.{package}.params"), class_name)
        params.load(record, section, path)


@pytest.mark.parametrize("scale", ["smoke", "studio", "gpu", "paper"])
def test_every_scale_is_valid_for_every_stage(scale: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    path = tmp_path / "params.yaml"
    path.write_text(flow_params.compose([f"scale={scale}"]))
    assert params.scalar("scale", str, path) == scale
    require_valid(path)


@pytest.mark.parametrize("path", sorted((ROOT / "configs/experiment").glob("*.yaml")), ids=name)
def test_an_experiment_changes_what_it_names_and_no_more(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    composed = tmp_path / "params.yaml"
    composed.write_text(flow_params.compose([f"+experiment={path.stem}"]))
    default, changed = (dict(params.leaves(params.read(file))) for file in (ROOT / "params.yaml", composed))
    named = dict(params.leaves(yaml.safe_load(path.read_text())))
    assert {key: value for key, value in changed.items() if value != default[key]} == named
    require_valid(composed)


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.yaml")), ids=name)
def test_configs_hold_values_only(path: Path) -> None:
    keys = set(re.findall(r"([A-Za-z_]+):", path.read_text()))
    assert not keys & {"_target_", "device", "workers", "precision"}, "code belongs in code, the machine into arguments"


def test_every_section_has_a_record() -> None:
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert set(values) - {"about", "scale", "seed"} == {section.partition(".")[0] for section in SECTIONS}


def test_entry_points_start_light() -> None:
    """`--help` is quick: no entry point imports anything heavy before it is told what to do."""
    code = f"""
import importlib, json, sys
for package in {[package.name for package in PACKAGES]}:
    importlib.import_module("components." + package + ".__main__")
print(json.dumps(sorted(set(sys.modules) & set({HEAVY}))))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_tests_mirror_the_tree() -> None:
    for path in (ROOT / "tests").rglob("test_*.py"):
        folder = path.parent.relative_to(ROOT / "tests")
        assert any((root / folder).is_dir() for root in (ROOT, COMPONENTS)), name(path)


def test_no_path_of_one_machine_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    machine = "/" + "work" + "/"
    for file in filter(None, listed.split("\0")):
        content = (ROOT / file).read_bytes() if (ROOT / file).is_file() else b""
        assert machine.encode() not in content, file
