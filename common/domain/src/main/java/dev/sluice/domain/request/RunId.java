package dev.sluice.domain.request;

import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The name of a run: it stands in paths, keys and metrics, so its letters are few. */
public final class RunId {
    /** What a run id matches. */
    public static final String PATTERN = "[a-z0-9-]{1,40}";

    private static final Pattern VALID = Pattern.compile(PATTERN);
    private static final int NAME_LETTERS = 31;
    private static final int HASH_LETTERS = 8;

    private RunId() {}

    public static boolean isValid(@Nullable String runId) {
        return runId != null && VALID.matcher(runId).matches();
    }

    /** An id for a request that came without one: its name and its content, so that asking twice asks once. */
    public static String of(String name, String requestSha256) {
        String letters = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
        String start = letters.substring(0, Math.min(NAME_LETTERS, letters.length()));
        return start + "-" + requestSha256.substring(0, HASH_LETTERS);
    }
}
