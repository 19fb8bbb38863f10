"""Mistakes in the local ECS, which would let pass what ECS refuses."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

_SIZES = ("tests/unit/local/test_size.py",)
_TAGS = ("tests/unit/local/test_tags.py",)
_TASKS = ("tests/unit/local/test_tasks.py",)

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
)
