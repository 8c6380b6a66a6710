"""A copy of the project that is compiled beside it, on what it is built on as well."""

import re
import shutil


def copied(project, target):
    """A new copy, always in the same folder, so that only the project's own crates are compiled anew.

    They have another version there: what was compiled from the copy is not taken for the project's own.
    """
    copy = target / "mutants_suite" / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    leave_out = shutil.ignore_patterns("target", "target-*", ".git", "fuzz")
    shutil.copytree(project, copy, ignore=leave_out, symlinks=True)
    manifest = copy / "Cargo.toml"
    text, times = re.subn(r'^version = "([^"]*)\.(\d+)"$', lambda m: f'version = "{m[1]}.{int(m[2]) + 1}"',
                          manifest.read_text(), count=1, flags=re.M)
    assert times == 1, "the version of the project's crates is not where it was"
    manifest.write_text(text)
    return copy
