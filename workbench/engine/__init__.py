"""The background engine: one broker per user, one child process with the model, and the clients of both.

Nothing here knows a command: `commands.broker_main` and `commands.child_main` hand the registry in.
"""
