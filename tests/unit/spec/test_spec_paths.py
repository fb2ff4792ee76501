"""Paths and globs: what they find, what they never reach."""

from __future__ import annotations

import os
import socket
import unicodedata
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from asstops.errors import Location
from asstops.spec import globs, load, paths
from asstops.spec.nodes import Problems, Source

HEAD = "stack: s\nservice: assistants\n"


def found(spec: Any, *patterns: str, files: dict[str, str] | None = None, **options: Any) -> list[str]:
    entries = ", ".join(f"{{glob: '{pattern}'}}" for pattern in patterns)
    stack = spec.load(f"vector_stores: {{v: {{files: [{entries}]}}}}\n", files, **options)
    return [address.key for address in stack.resources if address.kind == "file"]


TREE = dict.fromkeys(("a.md", "b.txt", "kb/a.md", "kb/c.md", "kb/deep/d.md", "kb/.x.md", ".h/e.md", "kb/[1].md"), "x")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.md", ["a.md"]),
        ("**/*.md", ["a.md", "kb/[1].md", "kb/a.md", "kb/c.md", "kb/deep/d.md"]),
        ("kb/**", ["kb/[1].md", "kb/a.md", "kb/c.md", "kb/deep/d.md"]),
        ("kb/**/d.md", ["kb/deep/d.md"]),
        ("kb/**/**/a.md", ["kb/a.md"]),
        ("kb/?.md", ["kb/a.md", "kb/c.md"]),
        ("kb/[ab].md", ["kb/a.md"]),
        ("kb/[!ab].md", ["kb/c.md"]),
        ("kb/[[]1].md", ["kb/[1].md"]),
        ("*/*/d.md", ["kb/deep/d.md"]),
        ("./kb//a.md", ["kb/a.md"]),
        ("kb/../a.md", ["a.md"]),
        (".h/*", [".h/e.md"]),
        ("kb/.*", ["kb/.x.md"]),
        ("k*/a*", ["kb/a.md"]),
        ("KB/*.md", []),
    ],
)
def test_patterns(spec: Any, pattern: str, expected: list[str]) -> None:
    if expected:
        assert found(spec, pattern, files=TREE) == expected
    else:
        spec.write(TREE)
        assert "matches no file" in spec.problems(f"vector_stores: {{v: {{files: [{{glob: '{pattern}'}}]}}}}\n")[0]


def test_secrets_are_never_matched(spec: Any) -> None:
    """Not even by a pattern that asks for hidden files."""
    files = {
        ".env": "x",
        ".env.local": "x",
        ".git/config": "x",
        ".asstops/local.db": "x",
        ".other": "x",
        "a/.envrc": "x",
    }

    assert found(spec, ".*", files=files) == [".other"]
    for pattern in ("**/.env*", "*/.e*", ".*/*"):
        text = f"vector_stores: {{v: {{files: [{{glob: '{pattern}', allow_empty: true}}]}}}}\n"
        assert spec.problems(text) if ".env" in pattern else len(spec.load(text).resources) == 1


def test_nothing_may_match_if_the_spec_says_so(spec: Any) -> None:
    stack = spec.load("vector_stores: {v: {files: [{glob: '*.pdf', allow_empty: true}]}}\n")

    assert [str(address) for address in stack.resources] == ["vector_store.v"]


def test_a_declared_file_keeps_its_key(spec: Any) -> None:
    """A path is one file, however often it is named."""
    stack = spec.load(
        "files: {mine: {path: ./kb/../kb/a.md}}\nvector_stores:\n  v: {files: [{glob: 'kb/*.md'}, mine]}\n"
        "  w: {files: [{glob: '**/a.md'}]}\n",
        {"kb/a.md": "a", "kb/b.md": "b"},
    )

    assert [str(address) for address in stack.resources] == [
        "file.kb/b.md",
        "file.mine",
        "vector_store.v",
        "vector_store.w",
    ]


def test_a_globbed_key_that_is_taken(spec: Any) -> None:
    problems = spec.problems(
        "files: {README: {path: a.md}}\nvector_stores: {v: {files: [README, {glob: 'REA*'}]}}\n",
        {"a.md": "a", "README": "r"},
    )

    assert [line.split(" |")[0] for line in problems] == [
        "4:44 vector_store.v: file 'README' has the key of the entry files.README, which is another file"
    ]


def test_matches_are_bounded(spec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(globs, "MAX_MATCHES", 3)

    assert len(found(spec, "*.md", files={f"{i}.md": "x" for i in range(3)})) == 3
    assert (
        "matches more than 3 files"
        in spec.problems("vector_stores: {v: {files: [{glob: '*.md'}]}}\n", {"3.md": "x"})[0]
    )


def test_the_walk_is_bounded(spec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(globs, "MAX_VISITED", 5)
    text = "vector_stores: {v: {files: [{glob: '**/*.pdf'}]}}\n"

    assert "looks through more than 5 files and folders" in spec.problems(text, {f"d/{i}.md": "x" for i in range(6)})[0]


def test_links_are_followed_inside_only(spec: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.md").write_text("s")
    spec.write({"kb/a.md": "a"})
    (spec.root / "inside.md").symlink_to(spec.root / "kb" / "a.md")
    (spec.root / "out.md").symlink_to(outside / "secret.md")
    (spec.root / "outdir").symlink_to(outside)
    (spec.root / "loop").symlink_to(spec.root)
    (spec.root / "round").symlink_to(spec.root / "round")
    (spec.root / "gone").symlink_to(spec.root / "nothing")

    assert found(spec, "inside.md", "**/a.md") == ["inside.md", "kb/a.md"]
    for path in ("out.md", "outdir/secret.md"):
        problems = spec.problems(f"files: {{f: {{path: {path}}}}}\nvector_stores: {{v: {{files: [f]}}}}\n")
        assert problems == [
            f"3:19 file.f: path '{path}' leads out of the repository | copy the file into the repository"
        ]
    for pattern in ("o*.md", "outdir/*", "*/secret.md"):
        assert (
            "leads out of the repository"
            in spec.problems(f"vector_stores: {{v: {{files: [{{glob: '{pattern}'}}]}}}}\n")[0]
        )
    assert "cannot be" in spec.problems("files: {f: {path: round}}\n")[0]
    assert "is a link to nothing" in spec.problems("files: {f: {path: gone}}\n")[0]


def test_outside_is_allowed_on_request(spec: Any) -> None:
    root = spec.root
    (root / "x.txt").write_text("x")
    spec.root = root / "sub"
    stack = spec.load("files: {f: {path: ../x.txt}}\nvector_stores: {v: {files: [f]}}\n", allow_outside=True)
    absolute = spec.load(
        f"files: {{f: {{path: '{root}/x.txt'}}}}\nvector_stores: {{v: {{files: [f]}}}}\n", allow_outside=True
    )

    assert [item.source.path for item in (*stack.resources.values(), *absolute.resources.values()) if item.source] == [
        root / "x.txt"
    ] * 2
    assert "leads into .env" in spec.problems("files: {f: {path: ../.env}}\n", allow_outside=True)[0]


def test_the_repository_is_the_border(spec: Any) -> None:
    """Beside the spec's folder all of the repository may be named, but nothing beyond it."""
    spec.write(
        {"repo/.git/HEAD": "", "repo/sub/asstops.yaml": HEAD + "vector_stores: {v: {files: [{glob: '../kb/*'}]}}\n"}
    )
    spec.write({"repo/kb/a.md": "a", "beyond.md": "b"})
    stack = load([Path("repo/sub/asstops.yaml")], base=spec.root)

    assert [str(address) for address in stack.resources] == ["file.../kb/a.md", "vector_store.v"]


def test_odd_files(spec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket, a file that may not be read, and one that is too large each have their own words."""
    spec.write({"x.txt": "x", "large.txt": "x"})
    os.truncate(spec.root / "large.txt", paths.MAX_FILE_BYTES + 1)
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(spec.root)
        server.bind("s.sock")
        problems = spec.problems("files: {a: {path: s.sock}, b: {path: large.txt}}\n")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    problems += spec.problems("files: {a: {path: x.txt}}\n")

    assert [line.split(" |")[0] for line in problems] == [
        "3:19 file.a: file 's.sock' is no regular file",
        "3:38 file.b: file 'large.txt' has 536,870,913 bytes, at most 536,870,912 are allowed",
        "3:19 file.a: file 'x.txt' may not be read by this user",
    ]


def test_a_file_of_the_largest_size_is_accepted(spec: Any) -> None:
    spec.write({"large.txt": "x"})
    os.truncate(spec.root / "large.txt", paths.MAX_FILE_BYTES)

    assert found(spec, "large.txt") == ["large.txt"]


def test_file_names_are_kept(spec: Any) -> None:
    stack = spec.load("vector_stores: {v: {files: [{glob: 'd/**'}]}}\n", {"d/A b%20ü.MD": "x"})

    (source,) = (item.source for item in stack.resources.values() if item.source)
    assert (source.name, source.shown, source.size_bytes) == ("A b%20ü.MD", "d/A b%20ü.MD", 1)


# Many files: the short way to see that nothing is wrong, and how much is asked of the file system


PIECES = (
    ".",
    "git",
    "GIT",
    "env",
    "Env",
    "asstops",
    "asstop",
    "ASSTOP",
    "~1",
    "~x",
    ":",
    " ",
    "x",
    "\u00ad",
    "\uff0e",
    "\uff47",
)


def test_a_name_is_forbidden_however_it_is_spelt() -> None:
    """The short way for names in ASCII comes to the same."""
    forbidden = 0
    for name in ("".join(pieces) for count in range(4) for pieces in product(PIECES, repeat=count)):
        visible = "".join(char for char in name if unicodedata.category(char) != "Cf")
        folded = unicodedata.normalize("NFKC", visible).casefold().partition(":")[0].rstrip(" .")
        short = folded.partition(".")[0] in ("git~1", "env~1", "asstop~1")
        expected = folded in (".git", ".asstops") or folded.startswith(".env") or short
        forbidden += expected
        assert paths.is_forbidden(name) == expected, name

    assert forbidden > 100


def test_the_short_way_agrees_with_the_long_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What it lets pass has nothing wrong with it, and what is as files are it lets pass."""
    top, outside = tmp_path_factory.mktemp("top"), tmp_path_factory.mktemp("outside")
    plain = ["a.md", "kb/a.md", "kb/deep/a b.md", "kb/grüße.md", "sub/own.md", "elsewhere/a.md"]
    forbidden = ["kb/.env", "kb/.ENV.local", "kb/.git/config", ".git/HEAD", "kb/git~1", "kb/.asstops/x", ".env.d/a.md"]
    for name in (*plain, *forbidden, "empty.md", "large.md"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text("x" if name != "empty.md" else "")
    os.truncate(top / "large.md", paths.MAX_FILE_BYTES + 1)
    (outside / "o.md").write_text("o")
    (top / "kb" / "inside.md").symlink_to(top / "a.md")
    (top / "kb" / "out.md").symlink_to(outside / "o.md")
    (top / "kb" / "round").symlink_to(top / "kb" / "round")
    (top / "out").symlink_to(outside)
    (top / "back").symlink_to(top / "kb")
    odd = ["kb/inside.md", "kb/out.md", "kb/round", "out/o.md", "kb", "kb/gone.md", "gone/a.md", "empty.md", "large.md"]
    naming = Source(top / "sub" / "asstops.yaml", "asstops.yaml")
    where = Location("asstops.yaml")
    passed = []
    for name in (*plain, *forbidden, *odd, "back/a.md", f"../{outside.name}/o.md"):
        problems = Problems()
        found = paths.Paths(top / "sub", top, problems, allow_outside=False)
        path = os.path.normpath(top / name)
        size = found.plain_size(path, naming)
        if size is not None:
            passed.append(name)
            assert found.allowed(Path(path), found.shown(path), naming, "x", where)
            assert found.file_size(Path(path), name, "x", where) == size
            assert len(problems) == 0

    assert passed == [*plain, "back/a.md"]


def test_where_outside_is_allowed_the_short_way_leads_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    top, outside = tmp_path_factory.mktemp("top"), tmp_path_factory.mktemp("outside")
    (outside / "o.md").write_text("oo")
    (outside / ".env.d").mkdir()
    (outside / ".env.d" / "o.md").write_text("oo")
    naming = Source(top / "asstops.yaml", "asstops.yaml")
    open_to_all = paths.Paths(top, top, Problems(), allow_outside=True)

    assert open_to_all.plain_size(str(outside / "o.md"), naming) == 2
    assert open_to_all.plain_size(str(outside / ".env.d" / "o.md"), naming) is None


def test_the_name_from_the_root(tmp_path: Path) -> None:
    """With `/`, and composed; the same for a path as for its text."""
    found = paths.Paths(tmp_path / "sub", tmp_path, Problems(), allow_outside=False)
    for path, shown in (
        ("sub/a.md", "a.md"),
        ("sub/x/a.md", "x/a.md"),
        ("b.md", "../b.md"),
        ("c/b.md", "../c/b.md"),
        ("sub/u\u0308/o\u0308.md", "\u00fc/\u00f6.md"),
    ):
        assert found.shown(tmp_path / path) == found.shown(str(tmp_path / path)) == shown


def test_a_file_more_is_one_look_more(spec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is true of a folder is asked once: ten thousand files are ten thousand looks, and no more than that."""
    calls: Counter[str] = Counter()
    for module, name in ((os, "lstat"), (os, "stat"), (os, "access"), (os, "readlink"), (os, "scandir")):
        monkeypatch.setattr(module, name, _counted(getattr(module, name), name, calls))
    monkeypatch.setattr(os.path, "relpath", _counted(os.path.relpath, "relpath", calls))
    seen = []
    for count in (10, 40):
        spec.write({f"kb/{n % 3}/{n}.md": "x" for n in range(count)})
        calls.clear()
        assert len(found(spec, "kb/**/*.md")) == count
        seen.append(Counter(calls))

    assert seen[1] - seen[0] == {"lstat": 30, "access": 30}


def _counted(call: Any, name: str, calls: Counter[str]) -> Any:
    def counting(*given: Any, **more: Any) -> Any:
        calls[name] += 1
        return call(*given, **more)

    return counting
