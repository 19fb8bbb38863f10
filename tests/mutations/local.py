"""Mistakes in the local ECS, each with the tests that should notice."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

_SIZES = ("tests/unit/local/test_size.py",)
_TAGS = ("tests/unit/local/test_tags.py",)
_TASKS = ("tests/unit/local/test_tasks.py",)
_REQUESTS = ("tests/integration/local/test_tasks.py",)
_DEFINITIONS = ("tests/integration/local/test_definitions.py",)
_RIGHTS = ("tests/unit/local/test_iam_requests.py",)
_PROGRAMS = ("tests/unit/local/test_programs.py",)

MUTATIONS = (
    Mutation(
        "the local ECS has CPU with any memory",
        "local/ecs/size.py",
        "    if memory not in OFFERED.get(cpu, ()):\n",
        "    if cpu not in OFFERED:\n",
        _SIZES,
    ),
    Mutation(
        "the local ECS has sizes of its own",
        "local/ecs/size.py",
        "    512: _gib(1, 4),\n",
        "    512: _gib(1, 8),\n",
        _SIZES,
    ),
    Mutation(
        "the local ECS has a small disk",
        "local/ecs/size.py",
        "    if not _LEAST_STORAGE <= storage <= _MOST_STORAGE:\n",
        "    if storage > _MOST_STORAGE:\n",
        _SIZES,
    ),
    Mutation(
        "a container of the local ECS is larger than its task",
        "local/ecs/size.py",
        '.get("memory", 0)) > memory:\n',
        '.get("memory", 0)) > 2 * memory:\n',
        _SIZES,
    ),
    Mutation(
        "a container of the local ECS has the size of another",
        "local/ecs/size.py",
        '        if container.get("name") == name:\n',
        '        if container.get("name"):\n',
        _SIZES,
    ),
    Mutation(
        "the local ECS takes vCPUs for units",
        "local/ecs/size.py",
        '(whole if found["unit"] else 1)',
        "(1 if whole else 0)",
        _SIZES,
    ),
    Mutation(
        "the local ECS takes a launch type beside a strategy",
        "local/ecs/capacity.py",
        '    if named and "launchType" in request:\n',
        '    if named and "launchType" in request and not associated:\n',
        _TASKS,
    ),
    Mutation(
        "the local ECS has capacity that its cluster lacks",
        "local/ecs/capacity.py",
        "    if not named.issubset(associated):\n",
        "    if named and not associated:\n",
        _TASKS,
    ),
    Mutation(
        "the local ECS gives its first task by weight",
        "local/ecs/capacity.py",
        '(-item.get("base", 0), -item.get("weight", 0))',
        '(-item.get("weight", 0), -item.get("base", 0))',
        _TASKS,
    ),
    Mutation(
        "the local ECS has no room anywhere while Spot has none",
        "local/ecs/service.py",
        "        capacity = provider(request) or ON_DEMAND\n",
        '        capacity = provider(request) or "FARGATE_SPOT"\n',
        _TASKS,
    ),
    Mutation(
        "the local ECS takes two tags of one key",
        "local/ecs/tags.py",
        "    if len(set(keys)) < len(keys):\n",
        "    if len(set(keys)) > len(keys):\n",
        _TAGS,
    ),
    Mutation(
        "the local ECS takes AWS's own tags, in capital letters",
        "local/ecs/tags.py",
        '        if key.lower().startswith("aws:"):\n',
        '        if key.startswith("aws:"):\n',
        _TAGS,
    ),
    Mutation(
        "a request's tags are lost beside its definition's",
        "local/ecs/tags.py",
        '    found |= {tag["key"]: tag.get("value", "")',
        '    found = found or {tag["key"]: tag.get("value", "")',
        _TAGS,
    ),
    Mutation(
        "the local ECS runs a family that the template lacks",
        "local/ecs/service.py",
        '        if family not in self.definitions or revision not in {"", "1"}:\n',
        "        family = family if family in self.definitions else next(iter(self.definitions))\n"
        '        if revision not in {"", "1"}:\n',
        _TASKS,
    ),
    Mutation(
        "the local ECS runs a revision that there is not",
        "local/ecs/service.py",
        '        if family not in self.definitions or revision not in {"", "1"}:\n',
        "        if family not in self.definitions:\n",
        _TASKS,
    ),
    Mutation(
        "the local ECS passes over what is for an unknown container",
        "local/ecs/service.py",
        '            if override.get("name") not in known:\n',
        '            if not override.get("name"):\n',
        _TASKS,
    ),
    Mutation(
        "the local ECS answers another request with the first one's task",
        "local/ecs/tokens.py",
        "        if first != asked:\n",
        "        if not first:\n",
        _TASKS,
    ),
    Mutation(
        "the local ECS does not check a request's size",
        "local/ecs/service.py",
        '        check_size(definition, request.get("overrides", {}))\n',
        "",
        _TASKS,
    ),
    Mutation(
        "the local ECS does not check a request's tags",
        "local/ecs/service.py",
        "        check_tags(request)\n",
        "",
        _TASKS,
    ),
    Mutation(
        "the local ECS takes a main container that cannot run",
        "local/ecs/service.py",
        '        check_main(definition, request.get("overrides", {}), self._worker_image)\n',
        "",
        _TASKS,
    ),
    Mutation(
        "the local ECS takes overrides of any length",
        "local/ecs/api.py",
        '        if len(json.dumps(asked.get("overrides", {}))) > MOST_OVERRIDES:\n',
        '        if len(json.dumps(asked.get("overrides", {}))) > 2 * MOST_OVERRIDES:\n',
        _REQUESTS,
    ),
    Mutation(
        "a task ends with each of its containers",
        "local/ecs/program.py",
        'is_essential=container.get("Essential", True)',
        "is_essential=True",
        _DEFINITIONS,
    ),
    Mutation(
        "a launch of the newest revision is checked on the bare family alone",
        "local/iam/requests.py",
        '[definition] if revision else [family, f"{family}:1"]',
        "[definition if revision else family]",
        _RIGHTS,
    ),
    Mutation(
        "a launch hands its task roles that nobody may pass",
        "local/iam/requests.py",
        "    for role in (*place.passed.get(family, ()), *given):\n",
        "    for role in given:\n",
        _RIGHTS,
    ),
    Mutation(
        "a launch hands its task a role in place of the definition's unchecked",
        "local/iam/requests.py",
        "    for role in (*place.passed.get(family, ()), *given):\n",
        "    for role in place.passed.get(family, given):\n",
        _RIGHTS,
    ),
    Mutation(
        "a task is tagged by its definition without a right to",
        "local/iam/requests.py",
        '_TAGGING = ("tags", "propagateTags", "enableECSManagedTags")\n',
        '_TAGGING = ("tags", "enableECSManagedTags")\n',
        _RIGHTS,
    ),
    Mutation(
        "a request's command follows the definition's",
        "local/ecs/program.py",
        'command = told.get("command") or command',
        'command = [*command, *told.get("command", ())]',
        _PROGRAMS,
    ),
    Mutation(
        "what a request says to one container reaches all",
        "local/ecs/program.py",
        '            if told["name"] == name:\n',
        "            if told:\n",
        _PROGRAMS,
    ),
    Mutation(
        "the first container is always the main one",
        "local/ecs/program.py",
        'named[0] if named else definition["ContainerDefinitions"][0]["Name"]',
        'definition["ContainerDefinitions"][0]["Name"]',
        _PROGRAMS,
    ),
)
