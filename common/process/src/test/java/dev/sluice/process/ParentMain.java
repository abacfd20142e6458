package dev.sluice.process;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A parent in a JVM of its own: starts one child, prints its pid and waits to be killed. */
final class ParentMain {
    private ParentMain() {}

    /** Arguments: way of life, log file, the child's command. */
    public static void main(String[] arguments) throws Exception {
        List<String> command = Arrays.asList(arguments).subList(2, arguments.length);
        ChildProcess child = ChildProcess.start(
                ChildCommand.of(command, Path.of("."), Path.of(arguments[1])).withLife(Life.valueOf(arguments[0])));
        System.out.println(child.pid());
        child.exited().join();
    }
}
