package dev.sluice.domain.data;

import org.jspecify.annotations.Nullable;

/**
 * One usable line of a prompt file.
 *
 * @param line its number in the file, from 1
 * @param label what the reward compares a response with
 * @param metadata an object as JSON text of at most {@value #MAX_METADATA} letters, absent where the row has none
 * @param tools JSON text of a list of tools; absent where the row has none
 */
public record PromptRow(
        int line,
        Prompt prompt,
        String label,
        @Nullable String metadata,
        @Nullable String tools) {
    /** Longer metadata would not fit beside a prompt into a task's record. */
    public static final int MAX_METADATA = 1 << 16;

    /** A row without metadata and tools. */
    public PromptRow(int line, Prompt prompt, String label) {
        this(line, prompt, label, null, null);
    }
}
