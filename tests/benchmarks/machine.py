"""What the figures were measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("calcinosis", "numpy", "pandas", "pgmpy", "pyAgrum")


def describe():
    """The processor, its cores that this process may use, memory, load, system, Python and libraries."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": _processor(),
        "cores": cores,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def words(machine):
    """The same in two lines."""
    libraries = ", ".join(f"{name} {number}" for name, number in machine["libraries"].items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, load {machine['load']} at the "
        f"start\n{machine['system']}, Python {machine['python']}, {libraries}"
    )


def _processor():
    info = Path("/proc/cpuinfo")
    named = [text for text in info.read_text().splitlines() if text.startswith("model name")] if info.exists() else []
    return named[0].split(":")[1].strip() if named else platform.processor() or platform.machine()
