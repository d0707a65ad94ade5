"""One module per command of the command line, each with a function ``command``.

A command is import-light: what is heavy is imported inside the function, so that every other
command and `--help` stay fast. It opens the home with `orchestration.commands._opening`.
"""
