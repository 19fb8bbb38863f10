from __future__ import annotations

import json
import os
import re
import subprocess

from samtranslator.yaml_helper import yaml_parse

from tests.e2e.tools import tool
from tests.template import ROOT

CONFIG = ROOT / ".checkov.yaml"
SKIPPED = yaml_parse(CONFIG.read_text())["skip-check"]
# Its own look for a newer version goes to a registry.
ALONE = {"CKV_SKIP_PACKAGE_UPDATE_CHECK": "true"}


def test_findings() -> None:
    """Without its list of rules to skip, checkov finds something by each of these, and no other."""
    # On the command line the list goes over that of the file.
    options = ["--config-file", str(CONFIG), "--skip-check", "none", "--output", "json"]
    scan = subprocess.run(
        [tool("checkov", "checkov"), *options],
        cwd=ROOT,
        env=os.environ | ALONE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert scan.returncode == 1, scan.stderr
    report = json.loads(scan.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 0
    failed = report["results"]["failed_checks"]
    named = [f"{c['check_id']} {c['resource']}: {c['check_name']}" for c in failed]
    assert {c["check_id"] for c in failed} == set(SKIPPED), "\n".join(named)


def test_reasons() -> None:
    """Each rule that checkov skips stands below its reason."""
    listed = CONFIG.read_text().partition("skip-check:\n")[2]
    groups = re.findall(r"(?m)((?:^  # .+\n)+)((?:^  - \w+\n)+)", listed)
    assert "".join(reason + rules for reason, rules in groups) == listed
    assert all(len(reason.split()) > 8 for reason, _ in groups)
    assert len(set(SKIPPED)) == len(SKIPPED)
