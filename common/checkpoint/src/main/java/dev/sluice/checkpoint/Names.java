package dev.sluice.checkpoint;

import java.util.regex.Pattern;

/** File names that come from inside checkpoints. */
public final class Names {
    private static final Pattern PLAIN_FILE = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._=+-]{0,200}");

    private Names() {}

    /** No separator, no leading dot: the name cannot leave its directory. */
    public static boolean isPlainFile(String name) {
        return PLAIN_FILE.matcher(name).matches();
    }
}
