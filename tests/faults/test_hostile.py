"""Specs that somebody wrote to do harm: bounds, paths and files, each with a clear error at its place, and soon.

Through the command line, offline. What only the loader can show is in tests/unit/spec.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.inside import Inside

HEAD = "stack: s\nservice: assistants\n"
SECRET = "hunter2-was-here"
USER = "assistants: {a: {model: m, tools: [{function: t}]}}\n"


class Repository:
    """A checkout with a spec in it, and something to steal beside it."""

    def __init__(self, folder: Path) -> None:
        self.root, self.outside = folder / "repo", folder / "outside"
        self.program = Inside(self.root, {})
        (self.root / ".git").mkdir(parents=True)
        self.outside.mkdir()
        self.write({".git/config": SECRET, ".env": SECRET, ".asstops/local.db": SECRET, "../outside/id_rsa": SECRET})

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def spec(self, text: str | bytes) -> None:
        self.write({"asstops.yaml": text if isinstance(text, bytes) else HEAD + text})

    def refused(self, *options: str, says: str, at: str = "", code: int = 1) -> None:
        """`validate` says this, there, to people and to programs, and shows nothing of what is secret."""
        ended = self.program.run("validate", *options, code=code)
        told = " ".join(ended.stderr.split())
        assert says in told
        assert code != 1 or f"at: {at}" in told
        assert "unexpected" not in told
        assert SECRET not in told
        if code == 1:
            problems = json.loads(self.program.run("validate", "--format", "json", *options, code=1).stdout)
            assert problems["valid"] is False

    def accepted(self, *options: str) -> None:
        self.program.run("validate", *options)


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


# What is too large, too deep or without an end


def test_an_alias_bomb(repo: Repository) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    repo.spec("\n".join(lines))
    repo.refused(says="the file has more than 1,000,000 values once aliases are expanded", at="asstops.yaml:")


def test_a_bomb_of_merged_maps(repo: Repository) -> None:
    """`<<` copies as well."""
    lines = ["m0: &m0 {k: [x, x, x, x, x, x, x, x, x, x]}"]
    lines += [f"m{n}: &m{n} {{{', '.join(f'k{i}: {{<<: *m{n - 1}}}' for i in range(10))}}}" for n in range(1, 12)]
    repo.spec("\n".join(lines))
    repo.refused(says="the file has more than 1,000,000 values once aliases are expanded", at="asstops.yaml:")


@pytest.mark.parametrize("depth", [101, 50_000])
def test_deep_nesting_in_yaml(repo: Repository, depth: int) -> None:
    repo.spec("assistants: {a: {model: m, metadata: " + "{a: " * depth + "1" + "}" * depth + "}}")
    repo.refused(says="maps and lists stand more than 100 deep", at="asstops.yaml:3:")


@pytest.mark.parametrize("depth", [101, 50_000])
@pytest.mark.parametrize("inner", ['{"a": ', "["])
def test_deep_nesting_in_a_schema_file(repo: Repository, depth: int, inner: str) -> None:
    closing = "}" if inner[0] == "{" else "]"
    repo.spec("tools: {t: {description: d, parameters: {file: s.json}}}\n" + USER)
    repo.write({"s.json": inner * depth + "1" + closing * depth})
    repo.refused(says="objects and arrays stand more than 100 deep", at="s.json:1:")
    repo.write({"s.yaml": inner * depth + "1" + closing * depth})
    repo.spec("tools: {t: {description: d, parameters: {file: s.yaml}}}\n" + USER)
    repo.refused(says="maps and lists stand more than 100 deep", at="s.yaml:1:")


def test_a_glob_of_too_many_files(repo: Repository) -> None:
    (repo.root / "kb").mkdir()
    for number in range(10_001):
        os.close(os.open(repo.root / f"kb/{number}.md", os.O_CREAT | os.O_WRONLY))
    repo.spec("vector_stores:\n  v:\n    files: [{glob: 'kb/*'}]\n")
    told = repo.program.run("validate", code=1).stderr
    assert "vector_store.v: pattern 'kb/*' matches more than 10,000 files" in " ".join(told.split())
    assert "at: asstops.yaml:5:20" in told


def test_a_file_past_the_bound(repo: Repository) -> None:
    """What is read whole is bounded before it is read; the hole on the disk costs nothing."""
    for name in ("asstops.yaml", "values.yaml", "prompt.md"):
        repo.spec("assistants: {a: {model: m, instructions: {file: prompt.md}}}\n")
        repo.write({"values.yaml": "", "prompt.md": "x"})
        os.truncate(repo.root / name, 40 * 1024**3)
        options = ("--var-file", "values.yaml") if name == "values.yaml" else ()
        most = "at most 8,388,608 are allowed" if name == "prompt.md" else "at most 67,108,864 are read"
        repo.refused(
            *options,
            says=f"has 42,949,672,960 bytes, {most}",
            at="asstops.yaml:3:49" if name == "prompt.md" else name,
        )


@pytest.mark.parametrize(
    "text",
    [
        "sk-" * 400_000,  # each might begin a key
        "eyJ" * 400_000,
        "eyJ-" * 300_000,
        "${" * 500_000,  # each might begin a variable
        "$${" * 300_000,
        "-----BEGIN " * 100_000,
        "AccountKey " * 100_000,
        "a" * 1_500_000,
    ],
    ids=lambda text: text[:11],
)
def test_texts_made_to_be_slow(repo: Repository, text: str) -> None:
    """Past the patterns that look for keys and variables, in the spec and in a file with variables."""
    repo.write({"prompt.md": text})
    repo.spec("assistants: {a: {model: m, instructions: {file: prompt.md, vars: true}}}\n")
    repo.program.run("validate", code=1)
    repo.spec(f"assistants: {{a: {{model: m, instructions: '{text}'}}}}\n")
    repo.program.run("validate", code=1)
    assert "unexpected" not in "".join(repo.program.all_output)


def test_more_mistakes_than_anybody_reads(repo: Repository) -> None:
    repo.write({"prompt.md": "${x}\n" * 20_000})
    repo.spec("assistants: {a: {model: m, instructions: {file: prompt.md, vars: true}}}\n")
    told = repo.program.run("validate", code=1).stderr
    assert "at: prompt.md:1:1" in told
    assert "… and 9,950 more" in told


@pytest.mark.parametrize("number", ["0x" + "f" * 3990, "9" * 3990, "1e999", "-.inf", ".nan", "0o" + "7" * 3990])
def test_numbers_without_measure(repo: Repository, number: str) -> None:
    """Whole numbers of thousands of digits, and those that are none."""
    repo.spec(f"vector_stores: {{v: {{files: [], expires_after_days: {number}}}}}\n")
    repo.refused(says="expires_after_days is", at="asstops.yaml:3:")
    schema = f"{{type: object, properties: {{a: {{type: number, maximum: {number}}}}}}}"
    repo.spec(f"tools: {{t: {{description: d, parameters: {schema}}}}}\n{USER}")
    repo.program.run("validate", code=None)
    repo.program.run("validate", "--format", "json", code=None)
    assert "unexpected" not in "".join(repo.program.all_output)


# Files that are none


def test_pipes_and_devices(repo: Repository) -> None:
    """Nothing waits for a pipe that nobody writes to, or reads a device that never ends."""
    os.mkfifo(repo.root / "pipe")
    (repo.root / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        for line in (
            f"files: {{f: {{path: {name}}}}}\nvector_stores: {{v: {{files: [f]}}}}\n",
            f"assistants: {{a: {{model: m, instructions: {{file: {name}}}}}}}\n",
        ):
            for option in ((), ("--allow-outside",)):
                repo.spec(line)
                leads = "leads out of the repository" if name == "zero" and not option else "is no regular file"
                repo.refused(*option, says=leads, at="asstops.yaml:3:")
        repo.spec("")
        for option in ((), ("--allow-outside",)):
            leads = (
                "a link that leads out of the repository" if name == "zero" and not option else "it is no regular file"
            )
            repo.refused("--var-file", name, *option, says=leads, at=name)
        repo.refused("-f", name, says=f"{name} is neither a file nor a folder", code=64)
    # A glob passes over what is no file.
    repo.spec("vector_stores: {v: {files: [{glob: '*', allow_empty: true}]}}\n")
    repo.accepted()


def test_variables_through_a_shells_pipe(repo: Repository) -> None:
    """`--var-file <(…)` is what a careful person types; that pipe has an end."""
    repo.spec("vars: {x: {}}\nassistants: {a: {model: '${x}'}}\n")
    ours, theirs = os.pipe()
    os.write(theirs, b"x: gpt-4o\n")
    os.close(theirs)
    try:
        repo.accepted("--var-file", f"/dev/fd/{ours}")
    finally:
        os.close(ours)


def test_a_folder_that_may_not_be_read(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A permission that is missing is no folder without files. (Root, as who tests may run, could read it.)"""
    scandir = os.scandir

    def guarded(path: str) -> Any:
        if Path(path).name == "kb":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    repo.write({"kb/a.md": "a"})
    repo.spec("vector_stores:\n  v:\n    files: [{glob: '**/*.md'}]\n")
    monkeypatch.setattr(os, "scandir", guarded)
    repo.refused(says="folder 'kb' cannot be read: Permission denied", at="asstops.yaml:5:20")


def test_links_that_go_round(repo: Repository) -> None:
    """Folders that hold themselves end; a file that is a link to itself says so."""
    repo.write({"kb/a.md": "a"})
    (repo.root / "kb/up").symlink_to(repo.root)
    (repo.root / "kb/self").symlink_to(repo.root / "kb/self")
    (repo.root / "ping").symlink_to("pong")
    (repo.root / "pong").symlink_to("ping")
    repo.spec("vector_stores: {v: {files: [{glob: '**/*.md'}, {glob: '*/*/*/*/*.md', allow_empty: true}]}}\n")
    repo.accepted()
    for name in ("kb/self", "ping"):
        repo.spec(f"files: {{f: {{path: {name}}}}}\n")
        repo.refused(says=f"file.f: path '{name}' cannot be followed", at="asstops.yaml:3:19")
    repo.refused("-f", "ping", says="there is no file ping", code=64)


# Paths that lead where they must not


def cases_of(name: str) -> list[str]:
    """Spellings that some file system takes for the same name."""
    upper, wide = name.upper(), "".join(chr(ord(char) + 0xFEE0) if char.isalpha() else char for char in name)
    return [name, upper, name.title(), wide, name[:2] + "\u200c" + name[2:], f"{name}.", f"{name}..", f"{name} "]


FORBIDDEN = [
    *cases_of(".git"),
    *cases_of(".env"),
    *cases_of(".asstops"),
    ".env.local",
    ".envrc",
    ".a\u017f\u017ftops",
    "git~1",
]


@pytest.mark.parametrize("name", FORBIDDEN, ids=ascii)
def test_secrets_by_any_spelling(repo: Repository, name: str) -> None:
    """In paths, files and globs, also past a folder that does not matter; `--allow-outside` opens none of them."""
    paths = [name, f"./{name}", f"kb/../{name}", f"{name}/config", f"kb/{name}/x"]
    files = {f"f{n}": {"path": path} for n, path in enumerate(paths)}
    prompts = {f"a{n}": {"model": "m", "instructions": {"file": path}} for n, path in enumerate(paths)}
    stores = {f"v{n}": {"files": [{"glob": path}]} for n, path in enumerate(paths)}
    repo.spec(f"files: {json.dumps(files)}\nassistants: {json.dumps(prompts)}\nvector_stores: {json.dumps(stores)}\n")
    for option in ((), ("--allow-outside",)):
        told = " ".join(repo.program.run("validate", *option, code=1).stderr.split())
        assert told.count("which a spec never reads") == 15, told
        assert all(f"at: asstops.yaml:{line}:" in told for line in (3, 4, 5))
        assert SECRET not in told


def test_secrets_through_links(repo: Repository) -> None:
    """Whatever the link is called, and with a link for a folder."""
    (repo.root / "notes.md").symlink_to(".env")
    (repo.root / "docs").symlink_to(".git")
    (repo.root / "deep").mkdir()
    (repo.root / "deep/er").symlink_to("../.asstops")
    for option in ((), ("--allow-outside",)):
        for path in ("notes.md", "docs/config", "deep/er/local.db", "deep/../notes.md"):
            repo.spec(f"files: {{f: {{path: {path}}}}}\n")
            repo.refused(*option, says="which a spec never reads", at="asstops.yaml:3:19")
            repo.spec(f"assistants: {{a: {{model: m, instructions: {{file: {path}}}}}}}\n")
            repo.refused(*option, says="which a spec never reads", at="asstops.yaml:3:49")
        for pattern in ("n*.md", "docs/*", "*/config", "deep/er/*"):
            repo.spec(f"vector_stores: {{v: {{files: [{{glob: '{pattern}'}}]}}}}\n")
            repo.refused(*option, says="which a spec never reads", at="asstops.yaml:3:36")


@pytest.mark.parametrize(
    "path",
    ["../outside/id_rsa", "kb/../../outside/id_rsa", "link", "folder/id_rsa", "/etc/passwd", "/proc/self/environ"],
)
def test_out_of_the_repository(repo: Repository, path: str) -> None:
    """`--allow-outside` is for who runs the command, and lifts this and nothing else."""
    (repo.root / "link").symlink_to(repo.outside / "id_rsa")
    (repo.root / "folder").symlink_to(repo.outside)
    for entry, column in (
        ("files: {f: {path: %s}}", 19),
        ("assistants: {a: {model: m, instructions: {file: %s}}}", 49),
    ):
        repo.spec(entry % path + "\n")
        says = "is absolute" if path.startswith("/") else "leads out of the repository"
        repo.refused(says=says, at=f"asstops.yaml:3:{column}")
        if path == "/proc/self/environ":
            repo.refused("--allow-outside", says="is empty", at=f"asstops.yaml:3:{column}")
        else:
            repo.accepted("--allow-outside")


def test_a_spec_that_is_a_link(repo: Repository) -> None:
    """Errors in YAML quote what stands there, so a pull request could read any file of the runner."""
    for target in (repo.outside / "id_rsa", repo.root / ".env", Path("/proc/self/environ"), Path("/dev/zero")):
        for name, options in (
            ("asstops.yaml", ()),
            ("asstops.prod.yaml", ("--env", "prod")),
            ("values.yaml", ("--var-file", "values.yaml")),
        ):
            repo.spec("")
            (repo.root / name).unlink(missing_ok=True)
            (repo.root / name).symlink_to(target)
            if target == Path("/dev/zero") and name != "values.yaml":
                repo.program.run("validate", *options, code=64)  # no file, so no spec
            else:
                says = "a link into .env" if target.name == ".env" else "a link that leads out of the repository"
                repo.refused(*options, says=says, at=name)
            (repo.root / name).unlink()
    # Links inside the repository are fine, and so is a folder that is reached by one.
    repo.write({"specs/real.yaml": HEAD})
    (repo.root / "asstops.yaml").unlink(missing_ok=True)
    (repo.root / "asstops.yaml").symlink_to("specs/real.yaml")
    repo.accepted()
    (repo.outside / "way").symlink_to(repo.root)
    repo.accepted("--chdir", str(repo.outside / "way"))
    # Who runs the command may name what they like.
    repo.write({"../outside/mine.yaml": HEAD})
    repo.accepted("-f", str(repo.outside / "mine.yaml"))
    (repo.root / "asstops.yaml").unlink()
    (repo.root / "asstops.yaml").symlink_to(repo.outside / "mine.yaml")
    repo.accepted("--allow-outside")


@pytest.mark.parametrize("name", ["a\x1b[2J.md", "a\nfile.b: x.md", "a\u2028.md", os.fsdecode(b"a\xff.md")], ids=ascii)
def test_file_names_that_cannot_be_shown(repo: Repository, name: str) -> None:
    """A glob finds what is there; as a key such a name could pass for something else."""
    (repo.root / "kb").mkdir()
    try:
        (repo.root / "kb" / name).write_text("x")
    except OSError:
        pytest.skip("this file system has no such names")
    repo.spec("vector_stores:\n  v:\n    files: [{glob: 'kb/*'}]\n")
    ended = repo.program.run("validate", code=1)
    assert "vector_store.v: path 'kb/a" in " ".join(ended.stderr.split())
    assert "fix: rename the file" in ended.stderr
    assert "asstops.yaml:5:20" in ended.stderr
    assert "\x1b" not in ended.stderr


def test_accents_are_one_path_either_way(repo: Repository) -> None:
    """Composed or not, it is the same file and the same key."""
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "kb/Grüße.md")
        repo.write({name: "x"})
        for written in ("NFC", "NFD"):
            path = json.dumps(unicodedata.normalize(written, "kb/Grüße.md"))
            repo.spec(f"files: {{f: {{path: {path}}}}}\nvector_stores: {{v: {{files: [f, {{glob: {path}}}]}}}}\n")
            repo.accepted()
        (repo.root / name).unlink()


# What a message repeats


def test_messages_repeat_nothing_that_acts(repo: Repository) -> None:
    """Keys, values, variables and names of the spec, in errors and on the command line."""
    evil = "\\e[2J\\e]0;x\\a\\u202E\\u2066\\x9b31m\\r\\n\\uFEFF"
    repo.spec(
        f'"{evil}": 1\n'
        f'vars: {{"{evil}v": 1}}\n'
        f'tools: {{"{evil}t": {{description: "{evil}"}}}}\n'
        f'assistants: {{"{evil}": {{model: m, "{evil}k": 1, temperature: "{evil}", '
        f'instructions: {{file: "{evil}"}}}}}}\n'
    )
    for arguments in (("validate",), ("validate", "--format", "json"), ("plan",), ("--debug", "plan")):
        ended = repo.program.run(*arguments, code=1)
        for text in (ended.stdout, ended.stderr):
            shown = text.replace("\n", "")
            assert all(unicodedata.category(char) not in ("Cc", "Cf", "Cs") for char in shown), ascii(shown)
    bad = "\x1b[2J\u202e\r"
    for arguments in (
        (bad,),
        ("plan", bad),
        ("plan", "--target", bad),
        ("-f", bad, "plan"),
        ("--env", bad, "plan"),
        ("plan", "--var", bad),
        ("plan", "--var", f"{bad}=1"),
        ("plan", "--format", bad),
        ("show", bad),
    ):
        ended = repo.program.run(*arguments, code=None)
        assert ended.returncode in (1, 64)
        assert not {"\x1b", "\u202e", "\r"} & set(ended.stdout + ended.stderr), ascii(ended.stderr)


# What a pull request would try, to see a pipeline's secrets

PIPELINE = {
    "AWS_SECRET": SECRET,
    "GITHUB_TOKEN": SECRET,
    "AZURE_CLIENT_SECRET": SECRET,
    "ASSTOPS_VAR_pin": SECRET,
    "AZURE_SUBSCRIPTION_ID": "sub-1",
}


@pytest.mark.parametrize(
    ("use", "says"),
    [
        ("${AWS_SECRET}", "variable AWS_SECRET is not declared"),
        ("${AZURE_CLIENT_SECRET}", "variable AZURE_CLIENT_SECRET is not declared"),
        ("${ASSTOPS_VAR_pin}", "variable ASSTOPS_VAR_pin is not declared"),
        ("${pin}", "variable pin is not declared"),
        ("${GITHUB_TOKEN:-x}", "variable GITHUB_TOKEN is not declared"),
        ("${GITHUB_TOKEN:?x}", "variable GITHUB_TOKEN is not declared"),
        ("${x:?${AWS_SECRET}}", "has a variable inside a variable"),
        ("${x:-${AWS_SECRET}}", "has a variable inside a variable"),
        ("${x:-$${AWS_SECRET}}", "has a variable inside a variable"),
        ("${${x}}", "is no use of a variable"),
        ("${x.y}", "is no use of a variable"),
        ("${ AWS_SECRET }", "is no use of a variable"),
        ("${x", "${ has no closing }"),
        ("$${x} ${", "${ has no closing }"),
    ],
)
def test_variables_of_the_environment(repo: Repository, use: str, says: str) -> None:
    """Only what is declared, and of that only what is meant for it; in a value and in a file with variables."""
    repo.program.environ = PIPELINE
    for place in ("instructions: " + json.dumps(use), "instructions: {file: prompt.md, vars: true}"):
        repo.write({"prompt.md": use})
        repo.spec(f"vars: {{x: {{}}}}\nassistants: {{a: {{model: m, {place}}}}}\n")
        repo.refused(says=says, at="prompt.md:1:" if "file" in place else "asstops.yaml:4:")


def test_declaring_a_name_opens_nothing(repo: Repository) -> None:
    """A declared variable reads ASSTOPS_VAR_ and its name, never the name alone; files keep their text."""
    repo.program.environ = PIPELINE
    repo.spec("vars: {AWS_SEC: {}, GITHUB_TOK: {}}\nassistants: {a: {model: '${AWS_SEC}${GITHUB_TOK}'}}\n")
    repo.refused(says="variable AWS_SEC has no value", at="asstops.yaml:4:")
    # A value is not looked through for further variables.
    repo.program.environ = {**PIPELINE, "ASSTOPS_VAR_x": "${AWS_SECRET}"}
    repo.spec("vars: {x: {}}\nassistants: {a: {model: '${x}'}}\n")
    repo.accepted()
    assert SECRET not in "".join(repo.program.all_output)


SENSITIVE = "vars: {pin: {sensitive: true}}\nfiles: {f: {path: a.md}}\n"


@pytest.mark.parametrize(
    "entry",
    [
        "assistants: {a: {model: m, instructions: '${pin}'}}",
        "assistants: {a: {model: m, instructions: {file: vars.md, vars: true}}}",
        "assistants: {a: {model: m, description: 'x ${pin}'}}",
        "assistants: {a: {model: m, name: '${pin}'}}",
        "assistants: {a: {model: '${pin}'}}",
        "assistants: {a: {model: m, instructions: '${pin:-x}'}}",
        "assistants: {a: {model: m, instructions: {file: '${pin}'}}}",
        "assistants: {a: {model: m, tools: [{function: '${pin}'}]}}",
        "tools: {t: {description: '${pin}'}}\n" + USER,
        "tools: {t: {description: d, name: '${pin}'}}\n" + USER,
        "tools: {t: {description: d, parameters: {file: vars.json, vars: true}}}\n" + USER,
        "vector_stores: {v: {name: '${pin}', files: []}}",
        "vector_stores: {v: {files: [{glob: '${pin}*'}]}}",
        "vector_stores: {v: {files: ['${pin}']}}",
        "resource: {name: '${pin}', resource_group: rg, location: l}",
        "origin: '${pin}'",
    ],
)
def test_a_sensitive_value_goes_to_no_model(repo: Repository, entry: str) -> None:
    """Whatever a model or a reader of the service could see; the place is named, the value is not."""
    repo.write({"a.md": "a", "vars.md": "Say ${pin}.", "vars.json": '{"type": "object", "description": "${pin}"}'})
    repo.program.environ = PIPELINE
    repo.spec(SENSITIVE + entry + "\n")
    repo.refused(says="a sensitive variable is used", at="")


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ("vars: {pin: {sensitive: false}}", "vars.pin is sensitive in asstops.yaml, and would not be with this"),
        ("vars: {pin: {default: x, sensitive: no-no}}", "vars.pin"),
        ("vars: {pin: x}", "vars.pin is sensitive in asstops.yaml, and would not be with this"),
    ],
)
def test_an_overlay_does_not_make_a_variable_plain(repo: Repository, over: str, says: str) -> None:
    repo.spec("vars: {pin: {sensitive: true}}\nassistants: {a: {model: m, metadata: {pin: '${pin}'}}}\n")
    repo.write({"asstops.prod.yaml": over + "\n"})
    repo.program.environ = PIPELINE
    repo.refused("--env", "prod", says=says, at="asstops.prod.yaml:1:")
    # Another default is what an overlay is for, and the variable stays sensitive.
    repo.write({"asstops.prod.yaml": "vars: {pin: {default: another}}\nassistants: {a: {instructions: '${pin}'}}\n"})
    repo.refused("--env", "prod", says="a sensitive variable is used in instructions", at="asstops.prod.yaml:2:")


@pytest.mark.parametrize(
    "text",
    [
        "vars: {api_key: x}",
        "vars: {x: {default: 'sk-abcdefghijklmnopqrst0123456789'}}",
        "vars: {x: {description: 'sk-abcdefghijklmnopqrst0123456789'}}",
        "assistants: {a: {model: m, api_key: x}}",
        "assistants: {a: {model: m, metadata: {clientSecret: x}}}",
        "assistants: {a: {model: m, metadata: {x: 'AccountKey=abcdefghijklmnopqrstuvwxyz0123456789=='}}}",
        "resource: {name: contoso, resource_group: rg, location: l, tags: {Api-Key: x}}",
        "vector_stores: {v: {files: [], metadata: {password: x}}}",
        "origin: 'https://user:ghp_abcdefghijklmnopqrstuvwxyz0123456789@x.example'",
        "token: x",
        "lock: {azure_blob: {account_url: 'https://a.blob.core.windows.net', container: c, sas_token: x}}",
    ],
)
def test_a_credential_in_any_corner(repo: Repository, text: str) -> None:
    """By its name or by its looks; what is to be done instead is said."""
    repo.spec(text + "\n")
    ended = repo.program.run("validate", code=1)
    told = " ".join(ended.stderr.split())
    assert "a credential, and those never stand in a spec" in told or "looks like a real key or token" in told, told
    assert "at: asstops.yaml:3:" in told
    for hidden in ("sk-abc", "AccountKey=", "ghp_"):
        assert hidden not in told
