"""Report what would stop a deployment, with the command that mends it.

Credentials and Region are those of the environment; nothing is changed. The exit code is 0 if
nothing is in the way, 1 if something is, 2 if AWS cannot be asked or does not answer. Anything else
that could not be checked is reported as such, and is no reason to fail.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from local.errors import TemplateError
from local.printable import printable
from scripts.preflight import account, machine, rules, stack_rules
from scripts.preflight.facts import Unknown
from scripts.preflight.findings import Mark, exit_code
from scripts.preflight.plan import plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scripts.preflight.findings import Finding

_USAGE = "usage: make preflight STACK=name\n"
_UNABLE = 2
_SIGNALLED = 130


def preflight(name: str) -> int:
    """Check everything under a stack's name; return the exit code.

    Raises:
        CredentialsError: AWS cannot be asked.
        UnansweredError: AWS does not answer.
        TemplateError: the template cannot be read.
    """
    reader = account.Reader()
    who = reader.account()
    known = f"not known: {who}" if isinstance(who, Unknown) else who
    sys.stdout.write(printable(f"Stack {name}, {reader.region}, account {known}\n"))
    planned = plan(name, reader.region, "" if isinstance(who, Unknown) else who)
    named = stack_rules.stack_name(planned)
    findings = [named]
    # CloudFormation answers no question about a name that it refuses.
    if named.mark is Mark.FINE:
        findings += rules.of_account(planned, account.look(planned, reader))
    findings += rules.of_machine(planned, machine.look(planned.runtime))
    return _told(findings)


def _told(findings: Iterable[Finding]) -> int:
    findings = list(findings)
    sys.stdout.writelines(f"{finding}\n" for finding in findings)
    counted = [finding.mark for finding in findings]
    in_the_way, unread = counted.count(Mark.IN_THE_WAY), counted.count(Mark.NOT_CHECKED)
    unread_too = f"; {unread} not checked" if unread else ""
    sys.stdout.write(f"{in_the_way or 'Nothing found'} in the way{unread_too}\n")
    return exit_code(findings)


def main() -> int:
    """Check the stack named by the only argument."""
    if len(sys.argv) != len(("preflight", "STACK")) or not sys.argv[1]:
        sys.stderr.write(_USAGE)
        return _UNABLE
    try:
        return preflight(sys.argv[1])
    except account.CredentialsError as error:
        sys.stderr.write(
            f"AWS cannot be asked: {printable(str(error))}\nNothing was checked. Credentials and "
            "Region are those of the environment: sign in again, or export AWS_PROFILE and "
            "AWS_DEFAULT_REGION; AWS_REGION is for the AWS CLI alone.\n"
        )
        return _UNABLE
    except account.UnansweredError as error:
        sys.stderr.write(
            "AWS did not answer, and nothing was checked: is the Region misspelt, is there no "
            f"network, or a proxy in between? {printable(str(error))}\n"
        )
        return _UNABLE
    except TemplateError as error:
        sys.stderr.write(f"The template cannot be read: {error}\n")
        return _UNABLE
    except KeyboardInterrupt:
        return _SIGNALLED


if __name__ == "__main__":
    sys.exit(main())
