"""The environment holds what tests/tools/requirements.txt asks for, each in a version that satisfies its line."""
import importlib.metadata
import os
import re
import sys

here = os.path.dirname(os.path.abspath(__file__))
wrong = []
with open(os.path.join(here, "requirements.txt"), encoding="utf-8") as lines:
    for line in lines:
        name = re.match(r"[A-Za-z0-9._-]+", line)
        if not name:
            continue
        least = re.search(r">=\s*([0-9.]+)", line)
        try:
            found = importlib.metadata.version(name.group())
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{name.group()} is missing")
            continue
        number = [int(n) for n in re.findall(r"\d+", found)[:3]]
        if least and number < [int(n) for n in least.group(1).split(".")]:
            wrong.append(f"{name.group()} {found} is older than {least.group(1)}")
        print(name.group(), found)
if sys.prefix == sys.base_prefix:
    wrong.append(f"{sys.executable} is the system's Python, not a private environment")
if wrong:
    sys.exit("; ".join(wrong))
