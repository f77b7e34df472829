/* The main program of the interpreter that ships: Python with one duty more.  (The snap is built with
 * CPython's own main program, Programs/python.c.)
 *
 * Nothing that decides about FIPS is taken from the caller (launcher: "decide, select, init,
 * prove, scrub").  The caller's OPENSSL_* and PYTHON* variables are dropped before Python or
 * libcrypto can read them, and the FIPS provider config of this very snap is named instead, which
 * is what holds until the launcher selects another.  The launcher gives children the caller's
 * variables back; it reads them from /proc/self/environ, which still holds the environment as
 * execve(2) passed it.
 *
 * For the same reason Python is told where it lies (argv[0] is the caller's to choose, and the
 * standard library is looked for near it), and the user's own site-packages are left out.  And the
 * launcher is called from here rather than from a sitecustomize: -S would skip that, and `site`
 * goes on when it fails.
 *
 * Some of its names are entry points of their own, which run one module of this snap, whatever the
 * arguments say, and no other: the module has the name of its entry point.  fips-certbot is Certbot.
 * fips-exec is the launcher as a snapd command-chain wrapper: fips-exec PROGRAM [ARG ...] runs
 * `python3 -I -m fips_launch.chain PROGRAM [ARG ...]`.  fips-prove CONFIG is the launcher's proof and no more,
 * without its decision.
 *
 * Two have to work when the snap is broken, to say so and to mend it: fips-doctor and fips-hook.  They are
 * not proven, and so have no crypto: the two extension modules through which this Python reaches libcrypto
 * cannot be imported, and third-party packages and those of the user are not on the path.  What they want
 * to know of crypto they learn from children, which come in by the proven entry points.
 */
#include "Python.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern char **environ;
extern PyObject *PyInit__fips(void); /* probe.c */

static void launch(void);
static void forbid_crypto(void);
static void prove_alone(void);

static const struct entry_point {
    const char *name; /* by which this program is called */
    const char *module;
    void (*prepare)(void); /* the process for it */
} entry_points[] = {
    {"fips-certbot", "fips_launch.certbot", launch},
    {"fips-exec", "fips_launch.chain", launch},
    {"fips-prove", "fips_launch.proof", prove_alone},
    {"fips-doctor", "fips_doctor.__main__", forbid_crypto},
    {"fips-hook", "fips_hooks.__main__", forbid_crypto},
};

/* The line and the exit status of fips_launch.refusal. */
static void
fail(const char *what)
{
    fprintf(stderr, SNAP_NAME ": cannot start: %s; reinstall the snap\n", what);
    exit(78);
}

static void
drop_variables(const char *prefix)
{
    size_t length = strlen(prefix);
    for (char **entry = environ; entry != NULL && *entry != NULL;) {
        const char *equals = strchr(*entry, '=');
        if (equals != NULL && strncmp(*entry, prefix, length) == 0) {
            char *name = strndup(*entry, (size_t)(equals - *entry));
            if (name == NULL || unsetenv(name) != 0)
                fail("no memory for the environment");
            free(name);
            entry = environ; /* unsetenv moved the rest */
        }
        else {
            entry++;
        }
    }
}

/* A standard stream that the caller has closed is /dev/null, as the C library has it for setuid programs: a
 * file that is opened later would take its number, and Certbot fails without a stdin.
 */
static void
open_streams(void)
{
    for (int stream = 0; stream < 3; stream++) {
        if (fcntl(stream, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
            return; /* hold_stderr() copes */
    }
}

/* The absolute path of this very file, ROOT/usr/bin/python3.13, whatever the caller called it. */
static const char *
own_path(void)
{
    static char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (length < 0)
        fail("/proc/self/exe cannot be read");
    path[length] = '\0';
    return path;
}

static const char *
root_of(const char *program)
{
    static char root[PATH_MAX];
    strcpy(root, program);
    for (int up = 0; up < 3; up++) {
        char *slash = strrchr(root, '/');
        if (slash == NULL)
            fail("it is not in a usr/bin folder");
        *slash = '\0';
    }
    return root;
}

static void
select_fips(const char *root)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof(path), "%s/etc/ssl/openssl.cnf", root);
    int failed = setenv("OPENSSL_CONF", path, 1);
    snprintf(path, sizeof(path), "%s/usr/lib/ossl-modules", root);
    if (failed != 0 || setenv("OPENSSL_MODULES", path, 1) != 0)
        fail("no memory for the environment");
}

/* The entry point by whose name this program was called; NULL: it is just Python. */
static const struct entry_point *
find_entry_point(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *name = slash != NULL ? slash + 1 : (argc > 0 ? argv[0] : "");
    for (size_t i = 0; i < sizeof(entry_points) / sizeof(*entry_points); i++) {
        if (strcmp(name, entry_points[i].name) == 0)
            return &entry_points[i];
    }
    return NULL;
}

/* NAME ARG ... becomes NAME -I [-S] -m MODULE ARG ...: after -m Python takes no options. */
static void
enter(const struct entry_point *entry_point, int *argc, char ***argv)
{
    char **entered = calloc((size_t)*argc + 5, sizeof(char *));
    if (entered == NULL)
        fail("no memory for the arguments");
    int count = 0;
    entered[count++] = (*argv)[0];
    entered[count++] = "-I";
    if (entry_point->prepare != launch)
        entered[count++] = "-S";
    entered[count++] = "-m";
    entered[count++] = (char *)entry_point->module;
    memcpy(entered + count, *argv + 1, (size_t)(*argc - 1) * sizeof(char *));
    *argc += count - 1;
    *argv = entered;
}

/* A Python that cannot start explains that in thirty lines.  So until it has started, what it writes to
 * stderr goes to a file in memory: fd[0] is the real stderr (-1: there is none), fd[1] that file.
 */
static void
hold_stderr(int fd[2])
{
    /* Not 0, 1 or 2, which are closed still where there is no /dev/null. */
    int file = memfd_create("stderr", MFD_CLOEXEC);
    fd[1] = file >= 0 ? fcntl(file, F_DUPFD_CLOEXEC, 3) : -1;
    if (fd[1] < 0)
        fail("no file can be opened");
    close(file);
    fd[0] = fcntl(2, F_DUPFD_CLOEXEC, 3);
    if (fd[0] >= 0)
        dup2(fd[1], 2);
}

static void
release_stderr(const int fd[2], int tell)
{
    fflush(stderr);
    if (fd[0] >= 0) {
        dup2(fd[0], 2);
        char text[4096];
        ssize_t length;
        lseek(fd[1], 0, SEEK_SET);
        while (tell && (length = read(fd[1], text, sizeof(text))) > 0 && write(2, text, (size_t)length) == length)
            ;
        close(fd[0]);
    }
    close(fd[1]);
}

/* Py_BytesMain's first half, but for what it takes from the caller.
 *
 * keep_signals: for a program that takes this one's place; Python ignores SIGPIPE and SIGXFSZ, and execve(2)
 * would keep that.
 */
static void
start_python(const char *program, int argc, char **argv, int keep_signals)
{
    int held[2];
    hold_stderr(held);
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.user_site_directory = 0;
    config.use_environment = 0; /* for the standard library, which asks: ssl would write secrets to SSLKEYLOGFILE */
    config.pathconfig_warnings = 0; /* the launcher says what is missing */
    config.install_signal_handlers = !keep_signals;
    PyStatus status = PyConfig_SetBytesArgv(&config, argc, argv);
    if (!PyStatus_Exception(status))
        status = PyConfig_SetBytesString(&config, &config.executable, program);
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    release_stderr(held, !PyStatus_IsError(status));
    if (PyStatus_IsExit(status)) /* a wrong option, said already */
        Py_ExitStatusException(status);
    if (PyStatus_IsError(status))
        fail(status.err_msg);
}

/* The five steps.  They end the process themselves when it must not go on. */
static void
launch(void)
{
    /* -X pycache_prefix=FOLDER would have the caller's bytecode run in place of ours.  What was imported
       before has no source in the snap, which is what that option looks for. */
    if (PySys_SetObject("pycache_prefix", Py_None) < 0)
        fail("no memory");
    PyObject *boot = PyImport_ImportModule("fips_launch.boot");
    if (boot == NULL || PyObject_CallMethod(boot, "run", NULL) == NULL)
        fail("the launcher is damaged");
    Py_DECREF(boot);
}

/* The module, and what it needs, can be loaded, and it is the entry point's: runpy would say in a traceback
 * that it cannot, and run what else has its bytecode in that place, which may do nothing and end well.
 */
static void
try_module(const struct entry_point *entry_point)
{
    static char text[128];
    PyObject *module = PyImport_ImportModule(entry_point->module);
    PyObject *entry = module != NULL ? PyObject_GetAttrString(module, "ENTRY") : NULL;
    if (entry == NULL || !PyUnicode_Check(entry) || !PyUnicode_EqualToUTF8(entry, entry_point->name)
        || PyDict_DelItemString(PyImport_GetModuleDict(), entry_point->module) != 0) {
        snprintf(text, sizeof(text), "%s cannot be loaded", entry_point->module);
        fail(text);
    }
    Py_DECREF(entry);
    Py_DECREF(module);
}

/* Instead of the launcher: no way to libcrypto. */
static void
forbid_crypto(void)
{
    PyObject *modules = PyImport_GetModuleDict(); /* None there: not to be imported */
    if (PyDict_SetItemString(modules, "_hashlib", Py_None) != 0
        || PyDict_SetItemString(modules, "_ssl", Py_None) != 0)
        fail("no memory for Python");
}

/* Instead of the launcher: nothing, for the module proves by itself. */
static void
prove_alone(void)
{
}

int
main(int argc, char **argv)
{
    /* An interrupt waits until the launcher is done: it would look like a launcher that fails. */
    sigset_t interrupt, before;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt, &before);

    open_streams();
    const char *program = own_path();
    drop_variables("OPENSSL_");
    drop_variables("PYTHON");
    drop_variables("__PYVENV_LAUNCHER__"); /* from here Python would take its standard library, on Linux too */
    select_fips(root_of(program));

    const struct entry_point *entry_point = find_entry_point(argc, argv);
    if (entry_point != NULL)
        enter(entry_point, &argc, &argv);
    if (PyImport_AppendInittab("_fips", PyInit__fips) != 0)
        fail("no memory for Python");
    start_python(program, argc, argv, entry_point != NULL && strcmp(entry_point->name, "fips-exec") == 0);
    if (entry_point == NULL) {
        launch();
    }
    else {
        entry_point->prepare();
        try_module(entry_point);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return Py_RunMain();
}
