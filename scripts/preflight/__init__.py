"""Report, before a deployment begins, what would stop it: `python -m scripts.preflight STACK`.

Facts are read by thin calls, of the account (`account`) and of this machine (`machine`). Pure rules
(`rules`, `stack_rules`) make findings of them. Nothing is changed anywhere.
"""
