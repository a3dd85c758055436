"""Set-up and start: from a fresh clone to a running Tollgate, without a system service or a container.

Behind `./run`, `./test`, `./bench` and `./manage`. What runs before the dependencies are installed (`__main__`,
`state`, `python_env`, `system`, `node`) uses the standard library alone.
"""
