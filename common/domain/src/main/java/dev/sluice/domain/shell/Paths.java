package dev.sluice.domain.shell;

import java.util.ArrayDeque;
import java.util.Deque;

/** Paths as texts. */
final class Paths {
    private Paths() {}

    /** The path without {@code .} and, where a folder stands before it, {@code ..}. */
    static String plain(String path) {
        Deque<String> parts = new ArrayDeque<>();
        boolean absolute = path.startsWith("/");
        for (String part : path.split("/")) {
            boolean up = part.equals("..");
            if (up && !parts.isEmpty() && !parts.getLast().equals("..")) {
                parts.removeLast();
            } else if (!part.isEmpty() && !part.equals(".") && !(up && absolute && parts.isEmpty())) {
                parts.addLast(part);
            }
        }
        return (absolute ? "/" : "") + String.join("/", parts);
    }

    static String name(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    static String folder(String path) {
        int slash = path.lastIndexOf('/');
        return slash < 0 ? "." : slash == 0 ? "/" : path.substring(0, slash);
    }

    /** The path from the folder where it lies below it, else as it is. */
    static String seenFrom(String folder, String path) {
        String start = plain(folder) + "/";
        return path.startsWith(start) ? path.substring(start.length()) : path;
    }
}
