package dev.sluice.domain.data;

import org.jspecify.annotations.Nullable;

/**
 * One usable line of a prompt file.
 *
 * @param line its number in the file, from 1
 * @param label what the reward compares a response with
 * @param tools JSON text of a list of tools; absent where the row has none
 */
public record PromptRow(
        int line, Prompt prompt, String label, @Nullable String tools) {
    public PromptRow(int line, Prompt prompt, String label) {
        this(line, prompt, label, null);
    }
}
