"""Records a real session with asstops in a terminal, as the picture in the README: `make recording`.

The session runs on the built-in emulator, in a temporary folder, in a pseudo-terminal of 100 columns with colours on.
Times are replaced by fixed ones; nothing else is touched up.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PICTURE = HERE / "session.svg"
COLUMNS, ROWS = 100, 80
QUESTION = b"Only 'yes' goes on: "
END = "\x04"
"""What the session writes when all that was typed has been done."""

TIMEOUT_S = 120.0

BACKGROUND, FOREGROUND, _DARKEST, _GREY = (22, 27, 34), (214, 222, 230), (72, 79, 88), (139, 148, 158)
COLOURS = ((255, 123, 114), (87, 202, 113), (227, 179, 65), (108, 182, 255), (210, 168, 255), (118, 227, 234))
BRIGHT = ((255, 161, 152), (126, 231, 135), (242, 204, 96), (145, 203, 255), (226, 197, 255), (179, 240, 255))
"""Red, green, yellow, blue, magenta and cyan, as red, green and blue of 0 to 255."""


def session() -> str:
    """What the terminal shows at the end of the session, with its colours as ANSI codes."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "specs" / "data", Path(folder) / "data")
        shutil.copyfile(ROOT / "specs" / "sales.yaml", Path(folder) / "asstops.yaml")
        return levelled(shown(_in_terminal([sys.executable, str(HERE / "typed.py")], Path(folder))))


def _in_terminal(command: list[str], folder: Path) -> str:
    """Everything that a command writes to a terminal; its question is answered with yes. Raises RuntimeError."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    keep = ("PATH", "PYTHON", "COV_", "COVERAGE_")
    environ = {name: value for name, value in os.environ.items() if name.startswith(keep)}
    environ |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(  # noqa: S603  our own script
        command, cwd=folder, env=environ, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    written = b""
    try:
        while select.select([ours], [], [], TIMEOUT_S)[0]:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux's word for the end of a terminal
                break
            if not part:
                break
            written += part
            if written.endswith(QUESTION):
                os.write(ours, b"yes\n")
    finally:
        os.close(ours)
        process.kill()
        process.wait()
    text = written.decode()
    done, _, rest = text.rpartition(END)
    if rest:
        raise RuntimeError(f"the session broke off:\n{text}")
    return done


def shown(written: str) -> str:
    """The lines that are left on the terminal, after progress has drawn over itself."""
    lines, row, at_start = [""], 0, False
    for part in re.split(r"(\r\n|\r|\n|\x1b\[\d*A|\x1b\[2K|\x1b\[\?25[hl])", written):
        if part in ("\r\n", "\n"):
            row, at_start = row + 1, False
            lines += [""] * (row + 1 - len(lines))
        elif part == "\r":
            at_start = True
        elif part.endswith("A") and part.startswith("\x1b"):
            row -= int(part[2:-1] or 1)
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part and not part.startswith("\x1b[?25"):
            lines[row], at_start = (part if at_start else lines[row] + part), False
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def levelled(text: str) -> str:
    """The same with times that never change, so that two recordings differ only where asstops does."""
    text = re.sub(r"\b\d+\.\d s\b", "0.4 s", text)
    return re.sub(r"\(\d+\.\ds\)", "(0.2s)", text)


def picture(text: str) -> str:
    """The session as SVG: dark as a terminal on any page, and in fonts that every machine has."""
    import io

    from rich.console import Console
    from rich.terminal_theme import TerminalTheme
    from rich.text import Text

    theme = TerminalTheme(BACKGROUND, FOREGROUND, [_DARKEST, *COLOURS, FOREGROUND], [_GREY, *BRIGHT, (255, 255, 255)])
    console = Console(
        record=True,
        width=COLUMNS,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    console.print(Text.from_ansi(f"{text}\n"), soft_wrap=True)
    template = (HERE / "picture.svg.template").read_text(encoding="utf-8")
    svg = console.export_svg(title="asstops", theme=theme, code_format=template, unique_id="session")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(picture(session()), encoding="utf-8")
    sys.stdout.write(f"wrote {PICTURE.relative_to(ROOT)}\n")
