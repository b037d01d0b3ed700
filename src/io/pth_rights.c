// The lists behind pth_rights.h. Nothing is ever called: the lists make a file that was not written by
// torch.save for a network say so, instead of being read as if nothing were wrong.
#include "io/pth_rights.h"

#include <stdio.h>
#include <string.h>

// Functions and classes that torch.save's pickles call; none is called here.
static const char *const callable[] = {
    "collections OrderedDict",
    "torch._utils _rebuild_tensor",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    "torch Size",
    "torch device",
    "torch.serialization _get_layout",
    "_codecs encode",
    "copyreg _reconstructor",
    "copy_reg _reconstructor",
    "builtins set",
    "__builtin__ set",
    "builtins frozenset",
    "__builtin__ frozenset",
    "collections defaultdict",
    "numpy.core.multiarray scalar",
    "numpy._core.multiarray scalar",
    "numpy dtype",
};

// Modules whose classes are never part of a network.
static const char *const suspicious[] = {
    "builtins",
    "__builtin__",
    "os",
    "posix",
    "nt",
    "subprocess",
    "sys",
    "shutil",
    "socket",
    "importlib",
    "runpy",
    "pty",
    "code",
    "codeop",
    "ctypes",
    "pickle",
    "_pickle",
    "cPickle",
    "marshal",
    "types",
    "webbrowser",
    "commands",
    "popen2",
    "operator",
    "functools",
    "itertools",
    "timeit",
    "pdb",
    "bdb",
    "cProfile",
    "profile",
    "pip",
    "ensurepip",
    "venv",
    "signal",
    "threading",
    "multiprocessing",
    "asyncio",
    "http",
    "urllib",
    "ftplib",
    "smtplib",
    "ssl",
    "tempfile",
    "pathlib",
    "glob",
    "builtin",
    "platform",
    "inspect",
    "gc",
    "weakref",
    "atexit",
    "linecache",
    "trace",
    "doctest",
    "site",
    "torch.hub",
    "torch.serialization",
    "torch.jit",
    "torch.utils",
    "torch.distributed",
};

dq_pickle_right dq_pth_right(const char *module, const char *name) {
    char text[512];
    snprintf(text, sizeof text, "%s %s", module, name);
    for (size_t i = 0; i < sizeof callable / sizeof *callable; i++)
        if (!strcmp(text, callable[i])) return DQ_PICKLE_CALLABLE;
    if (!strcmp(text, "builtins object") || !strcmp(text, "__builtin__ object")) return DQ_PICKLE_INERT;
    for (size_t i = 0; i < sizeof suspicious / sizeof *suspicious; i++) {
        size_t length = strlen(suspicious[i]);
        if (!strncmp(module, suspicious[i], length) && (!module[length] || module[length] == '.'))
            return DQ_PICKLE_REFUSED;
    }
    return DQ_PICKLE_INERT;
}
