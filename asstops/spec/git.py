"""Where a spec's repository is and what it is called, read from .git by hand: no process is started."""

from __future__ import annotations

import re
from pathlib import Path

_SECTION = re.compile(r'\[\s*remote\s+"((?:[^"\\]|\\.)*)"\s*\]', re.IGNORECASE)
_URL = re.compile(r"\s*url\s*=\s*(.*)", re.IGNORECASE)
_SCP = re.compile(r"(?:[^@/\s]+@)?([^:/\s]{2,}):(?!//)(.+)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^@/]*@)?(\[[^\]]*\]|[^:/]*)(?::\d*)?/*(.*)")


def top_level(folder: Path) -> Path | None:
    """The nearest folder at or above `folder` that has a .git, None outside a repository."""
    for candidate in (folder, *folder.parents):
        try:
            if (candidate / ".git").exists():
                return candidate
        except OSError:
            return None
    return None


def origin_of(spec: Path) -> str:
    """`<normalised remote>#<path in the repository>` of a spec file (absolute, resolved), "" without a remote."""
    top = top_level(spec.parent)
    if top is None:
        return ""
    remote = _remote(top / ".git")
    return f"{normalise(remote)}#{spec.relative_to(top).as_posix()}" if remote else ""


def normalise(url: str) -> str:
    """One text for every way to write a remote: no scheme, user, port, `.git` or case.

    Azure Repos spells its two protocols differently; both come out as dev.azure.com/org/project/repository.
    """
    text = url.strip().replace("\\", "/")
    if (found := _SCHEME.fullmatch(text)) or (found := _SCP.fullmatch(text)):
        host, path = found.groups()
    else:
        host, path = "", text
    path = re.sub(r"/+", "/", path.rstrip("/"))
    if path.endswith(".git") and not path.endswith("/.git"):
        path = path[: -len(".git")]
    host = host.lower()
    if host in ("ssh.dev.azure.com", "vs-ssh.visualstudio.com"):
        host, path = "dev.azure.com", re.sub(r"^/?v3/", "", path)
    elif host == "dev.azure.com":
        path = path.replace("/_git/", "/")
    elif host.endswith(".visualstudio.com"):
        path = (
            f"{host.removesuffix('.visualstudio.com')}/{path.replace('/_git/', '/').removeprefix('DefaultCollection/')}"
        )
        host = "dev.azure.com"
    return f"{host}/{path.lstrip('/')}".lower() if host else path


def _remote(dot_git: Path) -> str:
    """The URL of the remote `origin`, else of the first by name, "" when there is none."""
    try:
        text = (_common_folder(dot_git) / "config").read_text("utf-8", "replace")
    except (OSError, ValueError):
        return ""
    urls: dict[str, str] = {}
    name: str | None = None
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("["):
            section = _SECTION.match(stripped)
            name = section.group(1) if section else None
        elif name is not None and (url := _URL.fullmatch(line)):
            urls.setdefault(name, url.group(1).strip().strip('"'))
    if "origin" in urls:
        return urls["origin"]
    return urls[min(urls)] if urls else ""


def _common_folder(dot_git: Path) -> Path:
    """The folder with `config`: .git itself, or where the .git file of a worktree or submodule leads."""
    if dot_git.is_dir():
        return dot_git
    text = dot_git.read_text("utf-8").strip()
    git_dir = dot_git.parent / text.removeprefix("gitdir:").strip()
    common = git_dir / "commondir"
    return git_dir / common.read_text("utf-8").strip() if common.is_file() else git_dir
