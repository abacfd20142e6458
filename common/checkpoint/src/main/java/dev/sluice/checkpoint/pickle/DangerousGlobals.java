package dev.sluice.checkpoint.pickle;

import dev.sluice.checkpoint.CheckpointException;
import java.util.List;
import java.util.Set;

/**
 * Names that no checkpoint needs and that run code in Python. They would be inert here, but the same file is unpickled by Megatron later.
 * All other names, also unknown ones, are accepted as data: training arguments hold classes of every kind.
 */
final class DangerousGlobals {
    private static final Set<String> MODULES = Set.of(
            "os",
            "posix",
            "nt",
            "subprocess",
            "sys",
            "shutil",
            "runpy",
            "importlib",
            "socket",
            "ctypes",
            "pty",
            "code",
            "codeop",
            "commands",
            "pickle",
            "_pickle",
            "marshal",
            "webbrowser",
            "multiprocessing",
            "asyncio",
            "urllib",
            "http",
            "pip",
            "timeit",
            "pdb",
            "bdb",
            "profile",
            "cProfile",
            "trace",
            "doctest",
            "linecache",
            "tempfile");
    private static final Set<String> BUILTINS = Set.of(
            "eval",
            "exec",
            "execfile",
            "compile",
            "open",
            "__import__",
            "getattr",
            "setattr",
            "delattr",
            "input",
            "breakpoint",
            "globals",
            "locals",
            "vars",
            "apply",
            "map",
            "filter",
            "print");

    private DangerousGlobals() {}

    static void check(String module, String name) {
        String root = module.contains(".") ? module.substring(0, module.indexOf('.')) : module;
        List<String> path = List.of(name.split("\\.", -1));
        boolean builtin = module.equals("builtins") || module.equals("__builtin__");
        // Python looks up a name with dots step by step: torch's "os.system" is the function.
        boolean reached = path.size() > 1 && path.stream().anyMatch(MODULES::contains);
        if (MODULES.contains(root) || reached || builtin && BUILTINS.contains(path.getFirst())) {
            throw new CheckpointException(
                    "the pickle names %s.%s, which would run code in Python; do not load this checkpoint, get it from a source you trust"
                            .formatted(module, name));
        }
    }
}
