"""The tools of the build machine, one package per job."""
