"""spread's tasks on the hosts of tools/hosts, for machines that have no spread: same files, same rules."""
