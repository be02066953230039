"""A pinentry that answers from a script: it speaks Assuan, writes down what it was told, and shows no window.

The script is a folder. ``answers`` holds one line for each window: what is typed, ``!cancel``, ``!wait`` (the window
stays open until somebody ends the program), ``!junk`` or ``!die``. ``told`` receives each line that the agent said.
"""

import sys
from pathlib import Path

_PROGRAM = """#!{python} -I
import os, sys, time
folder = {folder!r}
def say(line):
    sys.stdout.write(line + "\\n"); sys.stdout.flush()
def take():
    with open(os.path.join(folder, "answers")) as file:
        lines = file.read().splitlines()
    with open(os.path.join(folder, "answers"), "w") as file:
        file.write("\\n".join(lines[1:]))
    return lines[0] if lines else "!cancel"
say("OK Pleased to meet you")
for line in sys.stdin:
    line = line.rstrip("\\n")
    with open(os.path.join(folder, "told"), "a") as file:
        file.write(line + "\\n")
    if line not in ("GETPIN", "CONFIRM"):
        say("OK")
        continue
    answer = take()
    if answer == "!cancel":
        say("ERR 83886179 Operation cancelled <Pinentry>")
    elif answer == "!wait":
        time.sleep(60)
    elif answer == "!junk":
        say("D %zz"); say("OK")
    elif answer == "!die":
        sys.exit(1)
    elif line == "CONFIRM":
        say("OK")
    else:
        say("D " + answer.replace("%", "%25")); say("OK")
"""


class ScriptedPinentry:
    """One program and its script.

    Attributes:
        program: its path.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._answers, self._told = folder / "answers", folder / "told"
        self.program = folder / "pinentry"
        self.program.write_text(_PROGRAM.format(python=sys.executable, folder=str(folder)))
        self.program.chmod(0o700)
        self.type()

    def type(self, *answers: str) -> None:
        """Set what is typed into the windows to come, one answer each; forget what was told."""
        self._answers.write_text("\n".join(answers))
        self._told.write_text("")

    @property
    def told(self) -> list[str]:
        """The lines that were said to it, as they came."""
        return self._told.read_text().splitlines()

    @property
    def shown(self) -> str:
        """All descriptions of windows, as people read them."""
        texts = (line.removeprefix("SETDESC ") for line in self.told if line.startswith("SETDESC "))
        return "\n".join(texts).replace("%0A", "\n").replace("%25", "%")
