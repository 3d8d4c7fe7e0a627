"""Files of others that the UI serves are those that their README names."""

import hashlib
import re

from role_interface import ROOT

VENDOR = ROOT / "webui" / "static" / "vendor"
ROW = re.compile(r"^\| (\S+) \| \S+ [\d.]+, \S+ \| .*\((?:.+)\) \| `([0-9a-f]{64})` \|$", re.MULTILINE)


def test_files_are_those_of_the_readme():
    named = dict(ROW.findall((VENDOR / "README.md").read_text(encoding="utf-8")))
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir()}
    del found["README.md"]
    assert named == found
