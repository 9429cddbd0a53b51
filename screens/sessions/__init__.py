"""Home, Jobs and Log: the sessions and what is done in the open one."""
