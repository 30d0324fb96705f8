"""Where mlhw writes: the functions that open a file to write, rename one, write it whole or remove a folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import mlhw

PACKAGE = Path(mlhw.__file__).parent
WHOLE = {"atomic_write", "write_text", "write_bytes", "write_json", "LineFile", "RowWriter"}
RENAMES = {"rename", "replace"}
REMOVES = {"rmtree", "rmdir", "remove_folder"}  # of folders: a file is there or not


def write_sites() -> set[str]:
    """Every ``runs/metrics.py:__init__`` outside of files.py, whose functions the others write through."""
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name != "files.py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {f"{name}:{function}" for function, call in _calls(tree, "<module>") if writes(call)}
    return found


def _calls(node: ast.AST, function: str) -> Iterator[tuple[str, ast.Call]]:
    """Each call below ``node``, with the name of the innermost function that it stands in."""
    for child in ast.iter_child_nodes(node):
        inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        if isinstance(child, ast.Call):
            yield function, child
        yield from _calls(child, inner)


def writes(call: ast.Call) -> bool:
    """Whether ``call`` writes a file, gives one its name, or removes a folder."""
    owner, name = "", ast.unparse(call.func)
    if isinstance(call.func, ast.Attribute):
        owner, name = ast.unparse(call.func.value), call.func.attr
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if name in WHOLE or name in REMOVES:
        return True
    if name in RENAMES:
        return owner == "os" or (bool(owner) and len(given) == 1 and not call.keywords)  # text.replace has two
    if owner == "np":
        return name == "save" or (name.startswith("savez") and "file" not in ast.unparse(call.args[0]))
    if name == "open":
        return "O_WRONLY" in ast.unparse(call) or any(_is_mode(argument) for argument in given)
    return False


def _is_mode(argument: ast.expr) -> bool:
    value = argument.value if isinstance(argument, ast.Constant) else None
    return isinstance(value, str) and set(value) <= set("rwxabt+") and bool(set(value) & set("wxa+"))
